"""From what a sample showed and what its fields mean to a model plan, in an order of its own."""

from collections.abc import Collection, Mapping, Sequence

from analysis.errors import PermanentError
from analysis.mapping.mapping import StreamMapping
from analysis.mapping.vocabulary import CANONICAL_ENTITIES
from analysis.modelling.expectations import plan_tests
from analysis.modelling.naming import MODEL_LENGTH, Key, allocate, normalise, plain_text
from analysis.modelling.plan import (
    Decision,
    EntityUnion,
    ModelPlan,
    OwnModel,
    Source,
    StagingModel,
    UnionField,
    UnionMember,
)
from analysis.modelling.stagings import StagingDraft
from analysis.modelling.streams import StreamId, plan_sources
from analysis.profiling.profile import SampleProfile, StreamProfile


def plan_models(
    profile: SampleProfile, mappings: Sequence[StreamMapping], *, deduplicated: Collection[StreamId] = ()
) -> ModelPlan:
    """Plan every model; `deduplicated` names the (source, stream) whose raw table Airbyte keeps at one row per key."""
    profiles = {(found.source, found.stream): found for found in profile.streams}
    if len(profiles) != len(profile.streams):
        raise PermanentError("The profile has a stream twice; profile each stream once.")
    sources = plan_sources(profile, deduplicated)
    names = _model_names(sources)
    feeding = choose_feeds(profiles, mappings)
    drafts = {found: _draft(found, sources, names, profiles, feeding) for found in sorted(profiles)}
    staging = {found: _staging_model(found, draft) for found, draft in drafts.items()}
    tests = {found: plan_tests(draft.stream, draft.profile, staging[found].columns) for found, draft in drafts.items()}
    own = [found for found in drafts if found not in feeding]
    return ModelPlan(
        sources=sources,
        staging=tuple(
            model.model_copy(update={"tests": () if found in own else tests[found]}) for found, model in staging.items()
        ),
        unions=_plan_unions(drafts, feeding),
        own=tuple(
            OwnModel(
                name=names["own", *found],
                staging=staging[found].name,
                description=f"The stream {plain_text(found[1])} of the source {plain_text(found[0])}.",
                tests=tests[found],
            )
            for found in own
        ),
        decisions=(
            *_key_decisions(drafts),
            *(decision for draft in drafts.values() for decision in draft.decisions),
            *_feed_decisions(drafts, feeding),
        ),
    )


def _model_names(sources: tuple[Source, ...]) -> dict[Key, str]:
    wanted: dict[Key, str] = {}
    for source in sources:
        for stream in source.streams:
            name = f"{source.model_name}__{normalise(stream.name)}"
            wanted["own", source.name, stream.name] = name
            wanted["staging", source.name, stream.name] = f"stg_{name}"
    return allocate(wanted, length=MODEL_LENGTH)


def choose_feeds(
    profiles: Mapping[StreamId, StreamProfile], mappings: Sequence[StreamMapping]
) -> dict[StreamId, StreamMapping]:
    """Which stream feeds which canonical entity: of each source at most one, the surest, then the first by name."""
    chosen: dict[tuple[str, str], StreamMapping] = {}
    for mapping in sorted(mappings, key=lambda found: (-found.confidence, found.source, found.stream)):
        if mapping.entity in CANONICAL_ENTITIES and (mapping.source, mapping.stream) in profiles and mapping.fields:
            chosen.setdefault((mapping.source, mapping.entity), mapping)
    return {(found.source, found.stream): found for found in chosen.values()}


def _draft(
    stream: StreamId,
    sources: tuple[Source, ...],
    names: Mapping[Key, str],
    profiles: Mapping[StreamId, StreamProfile],
    feeding: Mapping[StreamId, StreamMapping],
) -> StagingDraft:
    source = next(found for found in sources if found.name == stream[0])
    draft = StagingDraft(names["staging", *stream], source.stream(stream[1]), profiles[stream])
    if stream in feeding:
        draft.feed(feeding[stream])
    return draft


def _staging_model(stream: StreamId, draft: StagingDraft) -> StagingModel:
    return StagingModel(
        name=draft.name,
        source=stream[0],
        stream=stream[1],
        description=f"One row per record of the stream {plain_text(stream[1])}, renamed and typed.",
        columns=draft.columns()[0],
    )


def _plan_unions(
    drafts: Mapping[StreamId, StagingDraft], feeding: Mapping[StreamId, StreamMapping]
) -> tuple[EntityUnion, ...]:
    members: dict[str, list[UnionMember]] = {entity: [] for entity in CANONICAL_ENTITIES}
    for stream, draft in drafts.items():
        if stream in feeding:
            fields = tuple(UnionField(field=field, column=column) for field, column in draft.columns()[1].items())
            members[feeding[stream].entity or ""].append(UnionMember(staging=draft.name, fields=fields))
    return tuple(
        EntityUnion(entity=entity, name=f"int_{entity}__union", members=tuple(found))
        for entity, found in members.items()
    )


def _key_decisions(drafts: Mapping[StreamId, StagingDraft]) -> list[Decision]:
    decisions = []
    for draft in drafts.values():
        key = next((key for key in draft.profile.keys if key.columns == draft.stream.key), None)
        decisions.append(
            Decision(
                subject=f"staging/{draft.name}/key",
                choice=", ".join(".".join(path) for path in draft.stream.key) or "none",
                made_by="rule",
                confidence=1.0 if draft.stream.is_key_declared else 0.5,
                evidence=key.evidence if key else "No key could be read from a raw row.",
            )
        )
    return decisions


def _feed_decisions(
    drafts: Mapping[StreamId, StagingDraft], feeding: Mapping[StreamId, StreamMapping]
) -> tuple[Decision, ...]:
    return tuple(
        Decision(
            subject=f"union/{mapping.entity}/{drafts[stream].name}",
            choice=mapping.entity or "",
            made_by=next((field.method for field in mapping.fields), "rule"),
            confidence=mapping.confidence,
            evidence=mapping.evidence,
        )
        for stream, mapping in sorted(feeding.items())
    )

"""The first gates: does everything that a plan names exist, and do its types fit."""

from collections import Counter
from collections.abc import Iterable, Iterator

from analysis.mapping.vocabulary import CANONICAL_ENTITIES, load_vocabulary
from analysis.modelling.findings import Finding
from analysis.modelling.naming import COLUMN_LENGTH, MODEL_LENGTH, PROVENANCE, is_plain_name
from analysis.modelling.plan import EntityUnion, ModelPlan, ModelTest, SourceStream, StagingColumn, StagingModel
from analysis.modelling.streams import raw_columns
from analysis.modelling.transforms import TRANSFORMS
from analysis.profiling.profile import Path, SampleProfile


def check_plan(plan: ModelPlan, profile: SampleProfile) -> tuple[Finding, ...]:
    """Everything wrong with a plan by itself and against the profile that it must rest on."""
    found = [*_check_sources(plan, profile), *_check_names(plan)]
    streams = {(source.name, stream.name): stream for source in plan.sources for stream in source.streams}
    for model in plan.staging:
        stream = streams.get((model.source, model.stream))
        if stream is None:
            found.append(_finding(model.name, f"The stream {model.stream!r} of {model.source!r} is not in the plan."))
        else:
            found += _check_staging(model, stream)
    staging = {model.name: model for model in plan.staging}
    found += [finding for union in plan.unions for finding in _check_union(union, staging)]
    return (*found, *_check_entities(plan), *_check_own(plan, staging))


def _finding(place: str, sentence: str) -> Finding:
    return Finding(place=place, sentence=sentence)


def _check_sources(plan: ModelPlan, profile: SampleProfile) -> Iterator[Finding]:
    profiles = {(found.source, found.stream): found for found in profile.streams}
    for source in plan.sources:
        for stream in source.streams:
            seen = profiles.get((source.name, stream.name))
            place = f"{source.name}.{stream.name}"
            if seen is None:
                yield _finding(place, f"The profile has no stream {stream.name!r}.")
            elif seen.table != stream.table:
                yield _finding(place, f"The raw table is {seen.table!r}, not {stream.table!r}.")
            elif missing := set(stream.columns) - set(raw_columns(seen)):
                names = sorted(column.name for column in missing)
                yield _finding(place, f"The raw table has no such columns of these types: {names!r}.")


def _check_names(plan: ModelPlan) -> Iterator[Finding]:
    models = [model.name for model in plan.staging]
    models += [union.name for union in plan.unions] + [own.name for own in plan.own]
    words = [source.model_name for source in plan.sources]
    words += [stream.model_name for source in plan.sources for stream in source.streams]
    for name in (*models, *words):
        if not is_plain_name(name, MODEL_LENGTH):
            yield _finding(name, "The name is not a safe name of a model.")
    for name in _doubles(models):
        yield _finding(name, "Two models have this name.")


def _check_staging(model: StagingModel, stream: SourceStream) -> Iterator[Finding]:
    types = {column.name: column.sql_type for column in stream.columns}
    names = [column.name for column in model.columns]
    for name in _doubles(names):
        yield _finding(f"{model.name}.{name}", "Two columns have this name.")
    for path in (*stream.key, *([stream.cursor] if stream.cursor else [])):
        yield from _check_path(model.name, path, types)
    for column in model.columns:
        yield from _check_column(model.name, column, types)
    yield from _check_tests(model.name, model.tests, {*names, *PROVENANCE})


def _check_column(model: str, column: StagingColumn, types: dict[str, str]) -> Iterator[Finding]:
    place = f"{model}.{column.name}"
    if not is_plain_name(column.name, COLUMN_LENGTH) or column.name in PROVENANCE:
        yield _finding(place, "The name is not a safe name of a column.")
    problems = [finding for path in (column.path, *column.arguments) for finding in _check_path(place, path, types)]
    yield from problems
    transform = TRANSFORMS.get(column.transform)
    if transform is None:
        yield _finding(place, f"The catalogue has no transform {column.transform!r}.")
    elif column.sql_type != transform.output:
        yield _finding(place, f"The transform {transform.name} makes a {transform.output}, not a {column.sql_type}.")
    elif len(column.arguments) != transform.argument_count:
        yield _finding(place, f"The transform {transform.name} takes {transform.argument_count} argument(s).")
    elif not problems and (kind := _type_at(column.path, types)) not in transform.accepts:
        yield _finding(place, f"The transform {transform.name} does not take a {kind}.")


def _type_at(path: Path, types: dict[str, str]) -> str:
    return "text" if len(path) > 1 else types[path[0]]


def _check_path(place: str, path: Path, types: dict[str, str]) -> Iterator[Finding]:
    if not path or path[0] not in types:
        yield _finding(place, f"The raw table has no column for {'.'.join(path)!r}.")
    elif len(path) > 1 and types[path[0]] != "jsonb":
        yield _finding(place, f"The raw column {path[0]!r} is no JSON, so that nothing lies inside it.")
    elif "[]" in path:
        yield _finding(place, f"The path {'.'.join(path)!r} leads into an array and has more than one value.")


def _check_tests(model: str, tests: Iterable[ModelTest], names: set[str]) -> Iterator[Finding]:
    for test in tests:
        for column in test.columns:
            if column not in names:
                yield _finding(f"{model}.{column}", f"The test {test.kind} names a column that the model lacks.")


def _check_union(union: EntityUnion, staging: dict[str, StagingModel]) -> Iterator[Finding]:
    entity = load_vocabulary().get(union.entity)
    if entity is None or union.name != f"int_{union.entity}__union":
        yield _finding(union.name, f"The vocabulary has no entity {union.entity!r} with a union of this name.")
        return
    types = {field.name: field.sql_type for field in entity.fields}
    sources = [staging[member.staging].source for member in union.members if member.staging in staging]
    for source in _doubles(sources):
        yield _finding(union.name, f"Two streams of the source {source!r} feed the entity.")
    for member in union.members:
        columns = (
            {column.name: column.sql_type for column in staging[member.staging].columns}
            if (member.staging in staging)
            else {}
        )
        if not columns:
            yield _finding(union.name, f"There is no staging model {member.staging!r}.")
        for field in member.fields:
            place = f"{union.name}.{field.field}"
            if field.field not in types:
                yield _finding(place, f"The entity {union.entity} has no such field.")
            elif columns and columns.get(field.column) != types[field.field]:
                yield _finding(place, f"The column {field.column!r} is no {types[field.field]} of {member.staging}.")


def _check_entities(plan: ModelPlan) -> Iterator[Finding]:
    planned = Counter(union.entity for union in plan.unions)
    for entity in CANONICAL_ENTITIES:
        if planned[entity] != 1:
            yield _finding(f"int_{entity}__union", f"The plan has {planned[entity]} unions of this entity, not one.")


def _check_own(plan: ModelPlan, staging: dict[str, StagingModel]) -> Iterator[Finding]:
    for own in plan.own:
        if own.staging not in staging:
            yield _finding(own.name, f"There is no staging model {own.staging!r}.")
        else:
            names = {column.name for column in staging[own.staging].columns}
            yield from _check_tests(own.name, own.tests, names | set(PROVENANCE))


def _doubles(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)

"""Known mappings: what was approved before holds while its stream and path still exist."""

from collections import Counter
from collections.abc import Sequence

from analysis.mapping.contest import Candidate
from analysis.mapping.fields import StreamReader
from analysis.mapping.identity import id_mapping, usable_key
from analysis.mapping.mapping import FieldMapping, KnownMapping
from analysis.mapping.vocabulary import Entity, load_vocabulary
from analysis.profiling.profile import StreamProfile

_ALWAYS_WINS = 2.0


def known_candidate(stream: StreamProfile, reader: StreamReader, known: Sequence[KnownMapping]) -> Candidate | None:
    """The approved entity with its approved fields, completed by rules; None where nothing approved still holds."""
    held = [mapping for mapping in known if _holds(mapping, stream)]
    key = usable_key(stream)
    if not held or key is None:
        return None
    entity_name = Counter(mapping.entity for mapping in held).most_common(1)[0][0]
    entity = load_vocabulary()[entity_name]
    fields = {mapping.field: _field(mapping) for mapping in held if mapping.entity == entity_name}
    fields.setdefault("id", id_mapping(stream, entity, key))
    by_rule = reader.assign(entity, set(fields), {mapping.path for mapping in fields.values()})
    evidence = f"Approved before as {entity_name}, with {len(held)} fields that still exist."
    ordered = _in_order(entity, (*fields.values(), *by_rule))
    return Candidate(stream.stream, entity_name, _ALWAYS_WINS, evidence, ordered)


def _holds(mapping: KnownMapping, stream: StreamProfile) -> bool:
    if (mapping.source, mapping.stream) != (stream.source, stream.stream):
        return False
    entity = load_vocabulary().get(mapping.entity)
    if entity is None or mapping.field not in {field.name for field in entity.fields}:
        return False
    paths = {column.path for column in stream.columns}
    return all(path in paths for path in (mapping.path, *mapping.arguments))


def _field(mapping: KnownMapping) -> FieldMapping:
    return FieldMapping(
        path=mapping.path,
        field=mapping.field,
        transform=mapping.transform,
        arguments=mapping.arguments,
        confidence=mapping.confidence,
        method=mapping.method,
        evidence=mapping.evidence,
    )


def _in_order(entity: Entity, fields: Sequence[FieldMapping]) -> tuple[FieldMapping, ...]:
    order = {field.name: place for place, field in enumerate(entity.fields)}
    return tuple(sorted(fields, key=lambda mapping: order[mapping.field]))

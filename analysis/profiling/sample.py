"""Profiling: sampled streams in, one frozen profile of them all out."""

from collections.abc import Sequence

from analysis.profiling.columns import profile_columns
from analysis.profiling.declared import declared_columns, declared_type
from analysis.profiling.keys import candidate_keys
from analysis.profiling.paths import ITEM, Columns, Node
from analysis.profiling.profile import Path, SampleProfile, StreamProfile, StreamSample
from analysis.profiling.references import Values, find_references
from analysis.profiling.values import as_text, json_type


def profile_sample(samples: Sequence[StreamSample]) -> SampleProfile:
    """Profile every stream and how they point at each other; an empty stream keeps its declared columns."""
    streams: list[StreamProfile] = []
    values: dict[tuple[str, str], dict[Path, Values]] = {}
    for sample in samples:
        stream, held = _profile_stream(sample)
        streams.append(stream)
        values[sample.source, sample.stream] = held
    return SampleProfile(streams=tuple(streams), references=find_references(streams, values))


def profile_stream(sample: StreamSample) -> StreamProfile:
    """Profile one stream: its columns in declared order, then those only seen in records, and its keys."""
    return _profile_stream(sample)[0]


def _profile_stream(sample: StreamSample) -> tuple[StreamProfile, dict[Path, Values]]:
    present = {name for record in sample.records for name in record}
    declared = declared_columns(sample.json_schema, present)
    tree = Columns([path[0] for path in declared if len(path) == 1])
    for path in declared:
        if len(path) > 1:
            tree.ensure(path)
    for row, record in enumerate(sample.records):
        tree.add(row, record)
    nodes = [node for node in tree if node.path[-1] != ITEM or node.values or node.children]
    types = {path: (declared_type(schema), isinstance(schema.get("enum"), list)) for path, schema in declared.items()}
    columns = profile_columns(nodes, len(sample.records), types)
    profile = StreamProfile(
        source=sample.source,
        stream=sample.stream,
        table=sample.table,
        row_count=len(sample.records),
        columns=columns,
        keys=candidate_keys(sample.stream, sample.records, columns, sample.primary_key),
        cursor=sample.cursor,
    )
    return profile, {node.path: _scalars(node) for node in nodes}


def _scalars(node: Node) -> Values:
    return frozenset(
        as_text(value) for value in node.values if json_type(value) in ("string", "integer") and value != ""
    )

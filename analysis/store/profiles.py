"""What samples showed of a tenant's streams, and which mappings were decided for them."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.profiling.profile import Reference, SampleProfile, StreamProfile
from analysis.store.tables import mapping_registry, stream_profiles


def save_profile(connection: Connection, tenant_id: str, profile: SampleProfile) -> None:
    """Keep a sample's profile; streams of the sources in it are replaced, other sources keep theirs."""
    sources = {stream.source for stream in profile.streams}
    own = stream_profiles.c.tenant_id == tenant_id
    connection.execute(delete(stream_profiles).where(own, stream_profiles.c.source.in_(sources)))
    rows = [
        {
            "tenant_id": tenant_id,
            "source": stream.source,
            "stream": stream.stream,
            "profile": stream.model_dump(mode="json"),
            "outgoing_references": [
                reference.model_dump(mode="json")
                for reference in profile.references
                if (reference.source, reference.stream) == (stream.source, stream.stream)
            ],
        }
        for stream in profile.streams
    ]
    if rows:
        connection.execute(insert(stream_profiles), rows)


def load_profile(connection: Connection, tenant_id: str) -> SampleProfile:
    """The newest profile of every stream of a tenant, by source and stream; empty where none was taken."""
    statement = select(stream_profiles).where(stream_profiles.c.tenant_id == tenant_id)
    rows = connection.execute(statement.order_by(stream_profiles.c.source, stream_profiles.c.stream)).all()
    return SampleProfile(
        streams=tuple(StreamProfile.model_validate(row.profile) for row in rows),
        references=tuple(Reference.model_validate(item) for row in rows for item in row.outgoing_references),
    )


def save_mappings(
    connection: Connection,
    tenant_id: str,
    connectors: dict[str, str],
    mappings: Sequence[StreamMapping],
    *,
    decided_by: str,
) -> None:
    """Register decided mappings, replacing the tenant's own of the same streams; `connectors` is by source."""
    for mapping in mappings:
        key = (mapping_registry.c.source == mapping.source, mapping_registry.c.stream == mapping.stream)
        connection.execute(delete(mapping_registry).where(mapping_registry.c.tenant_id == tenant_id, *key))
        rows = [
            {
                "tenant_id": tenant_id,
                "source": mapping.source,
                "stream": mapping.stream,
                "path": list(field.path),
                "entity": mapping.entity,
                "field": field.field,
                "connector": connectors[mapping.source],
                "mapping": field.model_dump(mode="json"),
                "decided_by": decided_by,
            }
            for field in mapping.fields
        ]
        if mapping.entity is not None and rows:
            connection.execute(upsert(mapping_registry).on_conflict_do_nothing(), rows)


def load_mappings(connection: Connection, tenant_id: str) -> tuple[StreamMapping, ...]:
    """The tenant's own decided mappings by stream; a stream that feeds no entity has none."""
    statement = select(mapping_registry).where(mapping_registry.c.tenant_id == tenant_id)
    order = (mapping_registry.c.source, mapping_registry.c.stream, mapping_registry.c.field, mapping_registry.c.path)
    rows = connection.execute(statement.order_by(*order)).all()
    return tuple(
        StreamMapping(
            source=source,
            stream=stream,
            entity=entity,
            confidence=min(field.confidence for field in fields),
            evidence="Decided mappings of the registry.",
            fields=fields,
        )
        for (source, stream, entity), found in groupby(rows, key=lambda row: (row.source, row.stream, row.entity))
        if (fields := tuple(FieldMapping.model_validate(row.mapping) for row in found))
    )

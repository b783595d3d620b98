"""What one sync brought, stream by stream: what was read, and what the tables gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.store.syncs import newest_rows
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.raw_data import TableSize, table_sizes
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import find_connections
from orchestration.tenancy.raw_names import raw_table_name


@dataclass(frozen=True)
class Brought:
    """One stream in the newest sync of its source."""

    source: str
    stream: str
    is_incremental: bool
    read: int | None
    """Records that the source sent."""
    new: int
    """Rows that the table gained."""
    rows: int


def raw_rows(warehouse: Warehouse, airbyte: AirbyteClient, tenant: str) -> dict[str, TableSize]:
    """Rows of every raw table of the tenant that is there."""
    found = find_connections(airbyte, tenant)
    tables = [
        raw_table_name(connection.prefix, stream.name)
        for connection in found.by_source.values()
        for stream in airbyte.configured_streams(connection.id)
    ]
    return table_sizes(warehouse.builder(tenant), found.names.raw, tables)


def brought(
    warehouse: Warehouse, airbyte: AirbyteClient, tenant: str, before: Mapping[str, TableSize]
) -> list[Brought]:
    """What each stream's newest sync brought, against the rows of before."""
    found = find_connections(airbyte, tenant)
    after = raw_rows(warehouse, airbyte, tenant)
    with warehouse.control.connect() as store:
        read = newest_rows(store, tenant)
    listed = []
    for source, connection in found.by_source.items():
        for stream in airbyte.configured_streams(connection.id):
            table = raw_table_name(connection.prefix, stream.name)
            rows = after[table].rows if table in after else 0
            listed.append(
                Brought(
                    source=source,
                    stream=stream.name,
                    is_incremental=not stream.is_replaced,
                    read=read.get(source, {}).get(stream.name),
                    new=rows - (before[table].rows if table in before else 0),
                    rows=rows,
                )
            )
    return listed

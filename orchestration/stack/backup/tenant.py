"""A backup of one tenant: its schemas, and its rows in the tables of all tenants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psycopg import sql
from sqlalchemy import Engine

from analysis.errors import PermanentError
from analysis.store import fleet
from analysis.store.connect import open_engine
from orchestration.settings import Settings
from orchestration.stack.backup import programs, rows, snapshot
from orchestration.stack.backup.archive import Writer, Written
from orchestration.stack.backup.manifest import Manifest, RowsEntry, write_manifest
from orchestration.stack.backup.rows import Portion
from orchestration.stack.backup.snapshot import Snapshot
from orchestration.stack.backup.whole import describe, write_keys
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.secrets import SecretKey

Report = Callable[[str], None]
SCHEMAS_MEMBER = "schemas.dump"
AIRBYTE = "airbyte"
WORKSPACE = {"airbyte.workspaces": sql.SQL("name = 'tenant_' || %(tenant)s")}
AT_REST = ("active", "paused")


def back_up_tenant(
    settings: Settings, endpoints: Endpoints, key: SecretKey, path: Path, tenant: str, report: Report
) -> Manifest:
    """Write everything that `restore_tenant` needs to this new file; a run may go on meanwhile."""
    return snapshot.write_settled(path, report, lambda writer: _write(settings, endpoints, key, writer, tenant, report))


def tenant_portions(engine: Engine, *, embedded: bool) -> list[Portion]:
    """Every table that holds rows of a tenant beside others', Airbyte's too where it is ours, parents first."""
    found = rows.portions(fleet.current_release.metadata)
    if embedded:
        with engine.connect() as connection:
            found += rows.portions(rows.reflected(connection, AIRBYTE), WORKSPACE)
    return found


def member_of(portion: Portion) -> str:
    """The name of a table's rows in the file."""
    return f"rows/{portion.name}.copy"


def _write(
    settings: Settings, endpoints: Endpoints, key: SecretKey, writer: Writer, tenant: str, report: Report
) -> Manifest:
    url = endpoints.control_url
    members: dict[str, Written] = {}
    with snapshot.open_snapshot(url) as moment:
        entries = snapshot.tenant_entries(moment, tenant)
        if not entries:
            raise PermanentError("There is no such tenant; see `sluice tenant list`.", tenant=tenant)
        if entries[0].status not in AT_REST:
            message = f"The tenant is {entries[0].status}, neither active nor paused; finish that first."
            raise PermanentError(message, tenant=tenant)
        schemas = snapshot.schemas_of(entries)
        report(f"{tenant}: reading its schemas")
        with snapshot.unmoved(url, moment, schemas):
            members[SCHEMAS_MEMBER] = writer.add(
                SCHEMAS_MEMBER, programs.dump(url, snapshot=moment.name, schemas=schemas)
            )
        report(f"{tenant}: reading its rows")
        stored = _write_rows(writer, moment, open_engine(url), settings, tenant, members)
        members |= write_keys(settings, writer, key, with_secrets=False)
        manifest = describe(settings, key, moment, "tenant", entries, members).model_copy(update={"rows": stored})
    write_manifest(writer, manifest, key)
    return manifest


def _write_rows(
    writer: Writer, moment: Snapshot, engine: Engine, settings: Settings, tenant: str, members: dict[str, Written]
) -> dict[str, RowsEntry]:
    stored: dict[str, RowsEntry] = {}
    for portion in tenant_portions(engine, embedded=settings.airbyte_url is None):
        name = member_of(portion)
        members[name] = writer.add(name, rows.copy_out(moment.session, portion, tenant))
        columns = tuple(column.name for column in portion.table.columns)
        stored[portion.name] = RowsEntry(columns=columns, rows=rows.count(moment.session, portion, tenant))
    return stored

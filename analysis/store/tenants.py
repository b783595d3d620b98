"""Tenants and their sources: reads and writes of `tenants`, `tenant_sources` and `tenant_credentials`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from analysis.store.connect import Record, all_records, one_record
from analysis.store.tables import history_tables, releases, tenant_credentials, tenant_sources, tenants

TenantStatus = Literal["adding", "active", "paused", "removing", "removed"]


class TenantRow(Record):
    """A tenant as the control plane knows it."""

    tenant_id: str
    status: TenantStatus
    workspace_id: str | None
    warehouse: str
    paused_reason: str | None
    created_at: datetime


class SourceRow(Record):
    """One source of a tenant; `streams` are as they were declared or discovered."""

    tenant_id: str
    name: str
    connector: str
    source_id: str | None
    connection_id: str | None
    streams: tuple[Mapping[str, Any], ...]
    is_approved: bool = Field(validation_alias="is_onboarded")
    """Whether an approved plan takes the source in."""
    created_at: datetime


def find_tenant(connection: Connection, tenant_id: str) -> TenantRow | None:
    """The tenant, or None."""
    row = connection.execute(select(tenants).where(tenants.c.tenant_id == tenant_id)).one_or_none()
    return one_record(TenantRow, row)


def list_tenants(connection: Connection, *, with_removed: bool = False) -> tuple[TenantRow, ...]:
    """Every tenant by id; removed ones, of which only records are kept, where they are asked for."""
    statement = select(tenants).order_by(tenants.c.tenant_id)
    chosen = statement if with_removed else statement.where(tenants.c.status != "removed")
    return all_records(TenantRow, connection.execute(chosen))


def count_by_status(connection: Connection) -> dict[str, int]:
    """How many tenants there are of each status that any has, by status."""
    statement = select(tenants.c.status, func.count()).group_by(tenants.c.status).order_by(tenants.c.status)
    return {status: count for status, count in connection.execute(statement)}


def insert_tenant(connection: Connection, tenant_id: str) -> bool:
    """Write a tenant of status `adding`; False where the row was there already."""
    statement = insert(tenants).values(tenant_id=tenant_id).on_conflict_do_nothing().returning(tenants.c.tenant_id)
    return connection.execute(statement).one_or_none() is not None


def lock_tenant(connection: Connection, tenant_id: str) -> TenantRow | None:
    """The tenant, its row locked until the transaction ends: whoever changes releases holds it."""
    statement = select(tenants).where(tenants.c.tenant_id == tenant_id).with_for_update(key_share=True)
    return one_record(TenantRow, connection.execute(statement).one_or_none())


def set_status(connection: Connection, tenant_id: str, status: TenantStatus, *, reason: str | None = None) -> None:
    """Change what a tenant is; `reason` is kept while it is paused."""
    statement = update(tenants).where(tenants.c.tenant_id == tenant_id)
    connection.execute(statement.values(status=status, paused_reason=reason if status == "paused" else None))


def set_workspace(connection: Connection, tenant_id: str, workspace_id: str) -> None:
    """Remember the tenant's Airbyte workspace."""
    connection.execute(update(tenants).where(tenants.c.tenant_id == tenant_id).values(workspace_id=workspace_id))


def delete_tenant(connection: Connection, tenant_id: str) -> None:
    """Delete the tenant and, by cascade, every row of schema `sluice` that hangs on it."""
    connection.execute(delete(tenants).where(tenants.c.tenant_id == tenant_id))


def retire_tenant(connection: Connection, tenant_id: str) -> None:
    """The tenant is removed: its sources, credentials, releases are gone; plans, mappings and reports stay."""
    for table in (tenant_sources, tenant_credentials, history_tables):
        connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
    own = update(releases).where(releases.c.tenant_id == tenant_id)
    gone = case((releases.c.status == "building", "failed"), else_="dropped")
    connection.execute(
        own.where(releases.c.status.not_in(("dropped", "failed"))).values(
            status=gone, is_stale=False, stale_reason=None, retired_at=func.now()
        )
    )
    connection.execute(
        update(tenants)
        .where(tenants.c.tenant_id == tenant_id)
        .values(status="removed", workspace_id=None, paused_reason=None)
    )


def list_sources(connection: Connection, tenant_id: str) -> tuple[SourceRow, ...]:
    """A tenant's sources by name."""
    statement = select(tenant_sources).where(tenant_sources.c.tenant_id == tenant_id)
    return all_records(SourceRow, connection.execute(statement.order_by(tenant_sources.c.name)))


def list_connected(connection: Connection, connection_ids: Iterable[str]) -> tuple[SourceRow, ...]:
    """The sources of these connections, whoever's they are."""
    statement = select(tenant_sources).where(tenant_sources.c.connection_id.in_(list(connection_ids)))
    return all_records(SourceRow, connection.execute(statement))


def find_source(connection: Connection, tenant_id: str, name: str) -> SourceRow | None:
    """One source of a tenant, or None."""
    statement = select(tenant_sources).where(tenant_sources.c.tenant_id == tenant_id, tenant_sources.c.name == name)
    return one_record(SourceRow, connection.execute(statement).one_or_none())


def save_source(connection: Connection, tenant_id: str, name: str, connector: str) -> None:
    """Declare a source; declaring it again keeps what is known of it and renews its connector."""
    statement = insert(tenant_sources).values(tenant_id=tenant_id, name=name, connector=connector)
    key = [tenant_sources.c.tenant_id, tenant_sources.c.name]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"connector": connector}))


def set_connection(connection: Connection, tenant_id: str, name: str, *, source_id: str, connection_id: str) -> None:
    """Remember the ids that Airbyte gave a source and its connection."""
    _update_source(connection, tenant_id, name, source_id=source_id, connection_id=connection_id)


def set_streams(connection: Connection, tenant_id: str, name: str, streams: Sequence[Mapping[str, Any]]) -> None:
    """Remember a source's streams."""
    _update_source(connection, tenant_id, name, streams=[dict(stream) for stream in streams])


def set_approved(connection: Connection, tenant_id: str, name: str) -> None:
    """Remember that an approved plan takes a source in; whether anything of it is published is a release's to say."""
    _update_source(connection, tenant_id, name, is_onboarded=True)


def _update_source(connection: Connection, tenant_id: str, name: str, **values: object) -> None:
    statement = update(tenant_sources).where(tenant_sources.c.tenant_id == tenant_id, tenant_sources.c.name == name)
    if connection.execute(statement.values(**values)).rowcount != 1:
        raise LookupError(f"The source is not declared. (tenant={tenant_id!r}, source={name!r})")


def find_password(connection: Connection, tenant_id: str, login: str) -> str | None:
    """The encrypted password of a tenant's login, or None."""
    key = (tenant_credentials.c.tenant_id == tenant_id, tenant_credentials.c.login == login)
    return connection.execute(select(tenant_credentials.c.password_encrypted).where(*key)).scalar_one_or_none()


def save_password(connection: Connection, tenant_id: str, login: str, password_encrypted: str) -> None:
    """Keep a login's encrypted password, replacing an older one."""
    values = {"tenant_id": tenant_id, "login": login, "password_encrypted": password_encrypted}
    key = [tenant_credentials.c.tenant_id, tenant_credentials.c.login]
    renewed = {"password_encrypted": password_encrypted}
    statement = insert(tenant_credentials).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=renewed))

"""What the control plane remembers of history: each release's declarations, and how far each table was written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.store.connect import Record, all_records
from analysis.store.releases import KEPT
from analysis.store.tables import history_tables, releases


class DeclaredRelease(Record):
    """A release that was published and is still there, with the history that its models declare, by relation.

    Whatever moves its schema changes its row.
    """

    number: int
    status: Literal["published", "previous", "rolled_back"]
    history: Mapping[str, Any]
    first_published_at: datetime
    published_at: datetime
    retired_at: datetime | None


class HistoryMark(Record):
    """How far a history table was written: no later release is in it, and nothing in it is later than `as_of`."""

    last_release: int | None
    as_of: datetime | None


def set_declared(connection: Connection, tenant_id: str, number: int, declared: Mapping[str, Any]) -> None:
    """Remember with a release that is being built what its models declare."""
    release = update(releases).where(releases.c.tenant_id == tenant_id, releases.c.number == number)
    connection.execute(release.where(releases.c.status == "building").values(history=dict(declared)))


def list_declared(connection: Connection, tenant_id: str) -> tuple[DeclaredRelease, ...]:
    """Releases that were published, are still there and declare history, oldest first."""
    statement = select(releases).where(
        releases.c.tenant_id == tenant_id,
        releases.c.status.in_(("published", *KEPT)),
        releases.c.history.is_not(None),
        releases.c.first_published_at.is_not(None),
    )
    return all_records(DeclaredRelease, connection.execute(statement.order_by(releases.c.number)))


def list_marks(connection: Connection, tenant_id: str) -> dict[str, int]:
    """The release that each of a tenant's history tables was last written from."""
    statement = select(history_tables.c.relation, history_tables.c.last_release).where(
        history_tables.c.tenant_id == tenant_id, history_tables.c.last_release.is_not(None)
    )
    return {relation: number for relation, number in connection.execute(statement)}


def lock_mark(connection: Connection, tenant_id: str, relation: str) -> HistoryMark:
    """How far a table's history was written; nobody else writes it until the transaction ends."""
    fresh = upsert(history_tables).values(tenant_id=tenant_id, relation=relation)
    connection.execute(fresh.on_conflict_do_nothing())
    mark = select(history_tables).where(_is(tenant_id, relation)).with_for_update()
    return HistoryMark.model_validate(dict(connection.execute(mark).one()._mapping))


def save_mark(connection: Connection, tenant_id: str, relation: str, number: int, as_of: datetime) -> None:
    """Remember how far a table's history was written."""
    values = {"last_release": number, "as_of": as_of, "written_at": func.now()}
    connection.execute(update(history_tables).where(_is(tenant_id, relation)).values(values))


def _is(tenant_id: str, relation: str) -> ColumnElement[bool]:
    return and_(history_tables.c.tenant_id == tenant_id, history_tables.c.relation == relation)

"""The rows of `releases`, and the fleet's pointer to the published one, which always agree.

The schemas themselves are orchestration's to move.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.store.connect import Record, all_records, one_record
from analysis.store.fleet import current_release
from analysis.store.runs import storable
from analysis.store.tables import releases

ReleaseStatus = Literal["building", "published", "previous", "rolled_back", "dropped", "failed"]
KEPT: tuple[ReleaseStatus, ...] = ("previous", "rolled_back")
"""Releases that are not read but can be rolled back to."""


class ReleaseRow(Record):
    """One release of a tenant; `is_stale` says that it is older than it should be, `stale_reason` why."""

    tenant_id: str
    number: int
    plan_id: int | None
    model_set: str | None
    status: ReleaseStatus
    is_stale: bool
    stale_reason: str | None
    counts: Mapping[str, Any]
    created_at: datetime
    built_at: datetime | None
    sealed_at: datetime | None
    published_at: datetime | None
    retired_at: datetime | None


def insert_release(
    connection: Connection, tenant_id: str, *, plan_id: int | None = None, model_set: str | None = None
) -> ReleaseRow:
    """A new release of status `building`, numbered after all that the tenant ever had."""
    highest = select(func.coalesce(func.max(releases.c.number), 0)).where(releases.c.tenant_id == tenant_id)
    number = connection.execute(highest).scalar_one() + 1
    values = {"tenant_id": tenant_id, "number": number, "plan_id": plan_id, "model_set": model_set}
    row = connection.execute(insert(releases).values(values).returning(releases)).one()
    return ReleaseRow.model_validate(dict(row._mapping))


def find_release(connection: Connection, tenant_id: str, number: int) -> ReleaseRow | None:
    """One release, or None."""
    statement = select(releases).where(releases.c.tenant_id == tenant_id, releases.c.number == number)
    return one_record(ReleaseRow, connection.execute(statement).one_or_none())


def find_status(connection: Connection, tenant_id: str, status: Literal["published", "building"]) -> ReleaseRow | None:
    """The one release that is published, or being built, or None."""
    statement = select(releases).where(releases.c.tenant_id == tenant_id, releases.c.status == status)
    return one_record(ReleaseRow, connection.execute(statement).one_or_none())


def list_releases(connection: Connection, tenant_id: str) -> tuple[ReleaseRow, ...]:
    """Every release of a tenant, newest first, dropped and failed ones too."""
    statement = select(releases).where(releases.c.tenant_id == tenant_id)
    return all_records(ReleaseRow, connection.execute(statement.order_by(releases.c.number.desc())))


def list_stale(connection: Connection) -> tuple[ReleaseRow, ...]:
    """Published releases that are stale, by tenant."""
    statement = select(releases).where(releases.c.status == "published", releases.c.is_stale)
    return all_records(ReleaseRow, connection.execute(statement.order_by(releases.c.tenant_id)))


def list_kept(connection: Connection, tenant_id: str) -> tuple[ReleaseRow, ...]:
    """Releases that can be rolled back to, the most recently read first."""
    statement = select(releases).where(releases.c.tenant_id == tenant_id, releases.c.status.in_(KEPT))
    newest_first = statement.order_by(releases.c.retired_at.desc(), releases.c.number.desc())
    return all_records(ReleaseRow, connection.execute(newest_first))


def mark_built(connection: Connection, tenant_id: str, number: int) -> ReleaseRow:
    """The release is whole and its tests passed; it may be sealed."""
    return _change(connection, tenant_id, number, built_at=func.now())


def mark_sealed(connection: Connection, tenant_id: str, number: int, counts: Mapping[str, Any]) -> ReleaseRow:
    """The release may be published from now on; `counts` are its rows by relation."""
    return _change(connection, tenant_id, number, sealed_at=func.now(), counts=dict(counts))


def mark_published(
    connection: Connection, tenant_id: str, number: int, *, stale_reason: str | None = None
) -> ReleaseRow:
    """The release is the one that readers see, here and in the fleet; stale only where a reason is given."""
    state = {"is_stale": stale_reason is not None, "stale_reason": stale_reason}
    first = func.coalesce(releases.c.first_published_at, func.now())
    moment = {"published_at": func.now(), "first_published_at": first}
    release = _change(connection, tenant_id, number, status="published", retired_at=None, **moment, **state)
    pointer = {"release": number, "published_at": release.published_at, **state}
    statement = upsert(current_release).values(tenant_id=tenant_id, **pointer)
    connection.execute(statement.on_conflict_do_update(index_elements=[current_release.c.tenant_id], set_=pointer))
    return release


def mark_retired(
    connection: Connection, tenant_id: str, number: int, status: Literal["previous", "rolled_back"]
) -> ReleaseRow:
    """The release is read no more but kept."""
    return _change(connection, tenant_id, number, status=status, retired_at=func.clock_timestamp())


def mark_gone(connection: Connection, tenant_id: str, number: int, status: Literal["dropped", "failed"]) -> ReleaseRow:
    """The release's relations are gone."""
    return _change(connection, tenant_id, number, status=status)


def mark_stale(connection: Connection, tenant_id: str, reason: str) -> int | None:
    """The published release is older than it should be, for this reason; its number, None where there is none."""
    state = {"is_stale": True, "stale_reason": storable(reason)}
    published = update(releases).where(releases.c.tenant_id == tenant_id, releases.c.status == "published")
    number = connection.execute(published.values(state).returning(releases.c.number)).scalar_one_or_none()
    connection.execute(update(current_release).where(current_release.c.tenant_id == tenant_id).values(state))
    return number


def _change(connection: Connection, tenant_id: str, number: int, **values: object) -> ReleaseRow:
    statement = update(releases).where(releases.c.tenant_id == tenant_id, releases.c.number == number)
    row = connection.execute(statement.values(**values).returning(releases)).one()
    return ReleaseRow.model_validate(dict(row._mapping))

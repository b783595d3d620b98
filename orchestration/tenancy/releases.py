"""Releases of a tenant's analytics: open a build, publish it by renaming, go back, drop what is old.

Exactly one release is published at every moment; a crash between two steps leaves the one that was.
A statement that names several relations may see some of them before a swap and some after.
"""

from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert

from analysis.errors import PermanentError
from analysis.store import fleet
from analysis.store import releases as rows
from analysis.store.releases import ReleaseRow
from analysis.store.tenants import lock_tenant
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.roles import cut_sessions
from orchestration.tenancy.schemas import create_for_builder
from orchestration.tenancy.sealing import clear_fleet
from orchestration.tenancy.statements import LockHeldError, fetch, run, transaction

KEPT_RELEASES = 2
_DROP_LOCK_MS = 2_000

_OPEN_TO = """
select nspname::text from pg_catalog.pg_namespace
where nspname = any(%(schemas)s) and pg_catalog.has_schema_privilege(%(role)s, oid, 'usage')
"""


def open_build(engine: Engine, tenant: str, *, plan_id: int | None = None, model_set: str | None = None) -> ReleaseRow:
    """A new release and the empty schema its builder fills; the leftover of a dead build is dropped."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        _require(connection, names)
        _drop_build(connection, names)
        release = rows.insert_release(connection, names.tenant, plan_id=plan_id, model_set=model_set)
        create_for_builder(connection, names.build, names.builder)
    return release


def abandon_build(engine: Engine, tenant: str, reason: str) -> None:
    """Drop the build, if there is one, and mark the published release stale for this reason."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        _require(connection, names)
        _drop_build(connection, names)
        rows.mark_stale(connection, names.tenant, reason)


def publish(engine: Engine, tenant: str) -> ReleaseRow:
    """Make the sealed build the release that readers see, in one transaction; the one before it is kept."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _require(connection, names)
        release = rows.find_status(connection, names.tenant, "building")
        if release is None or release.sealed_at is None:
            raise PermanentError("The tenant has no sealed build to publish; build first.", tenant=names.tenant)
        published = _swap(connection, names, release, names.build, "previous")
    close_kept(engine, tenant)
    return published


def rollback(engine: Engine, tenant: str, number: int | None = None) -> ReleaseRow:
    """Publish a kept release again: that of this number, else the one that readers saw before."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _require(connection, names)
        release = _choose_kept(connection, names, number)
        published = _swap(connection, names, release, names.release(release.number), "rolled_back")
    close_kept(engine, tenant)
    return published


def drop_old_releases(engine: Engine, tenant: str, *, keep: int = KEPT_RELEASES) -> list[int]:
    """Drop kept releases beyond the newest `keep`; one that somebody still reads waits for the next time."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        old = [release.number for release in rows.list_kept(connection, names.tenant)[keep:]]
    return [number for number in old if _drop_release(engine, names, number)]


def close_kept(engine: Engine, tenant: str) -> None:
    """Take the reader's usage of every release but the published one.

    Not in the swap itself: a reader that resolved the schema's name just before must still find its grant.
    """
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _require(connection, names)
        schemas = [names.release(release.number) for release in rows.list_kept(connection, names.tenant)]
        for (schema,) in fetch(connection, _OPEN_TO, schemas=schemas, role=names.reader):
            run(connection, "revoke usage on schema {schema} from {role}", schema=schema, role=names.reader)


def _swap(
    connection: Connection,
    names: TenantNames,
    release: ReleaseRow,
    schema: str,
    retired: Literal["previous", "rolled_back"],
) -> ReleaseRow:
    current = rows.find_status(connection, names.tenant, "published")
    if current is not None:
        aside = names.release(current.number)
        run(connection, "alter schema {now} rename to {aside}", now=names.analytics, aside=aside)
        rows.mark_retired(connection, names.tenant, current.number, retired)
    run(connection, "grant usage on schema {schema} to {role}", schema=schema, role=names.reader)
    run(connection, "alter schema {schema} rename to {now}", schema=schema, now=names.analytics)
    pointer = insert(fleet.current_release).values(tenant_id=str(names.tenant), release=release.number)
    key = [fleet.current_release.c.tenant_id]
    connection.execute(pointer.on_conflict_do_update(index_elements=key, set_={"release": release.number}))
    return rows.mark_published(connection, names.tenant, release.number)


def _choose_kept(connection: Connection, names: TenantNames, number: int | None) -> ReleaseRow:
    kept = rows.list_kept(connection, names.tenant)
    # Without a number a release that was rolled back from is no answer: going back must not go forward.
    chosen = [row for row in kept if (row.status == "previous" if number is None else row.number == number)]
    if rows.find_status(connection, names.tenant, "published") is None or not chosen:
        listed = sorted(row.number for row in kept)
        message = "There is no such release to go back to; see `sluice releases`."
        raise PermanentError(message, tenant=names.tenant, release=number, kept=listed)
    return chosen[0]


def _require(connection: Connection, names: TenantNames) -> None:
    if lock_tenant(connection, names.tenant) is None:
        raise PermanentError("There is no such tenant; see `sluice tenant list`.", tenant=names.tenant)


def _drop_build(connection: Connection, names: TenantNames) -> None:
    run(connection, "drop schema if exists {schema} cascade", schema=names.build)
    dead = rows.find_status(connection, names.tenant, "building")
    if dead is not None:
        rows.mark_gone(connection, names.tenant, dead.number, "failed")
        for mart in fleet.MARTS:
            clear_fleet(connection, mart, names.tenant, [dead.number])


def _drop_release(engine: Engine, names: TenantNames, number: int) -> bool:
    try:
        with transaction(engine, lock_timeout_ms=_DROP_LOCK_MS) as connection:
            _require(connection, names)
            release = rows.find_release(connection, names.tenant, number)
            if release is None or release.status not in rows.KEPT:
                return False
            run(connection, "drop schema if exists {schema} cascade", schema=names.release(number))
            for mart in fleet.MARTS:
                clear_fleet(connection, mart, names.tenant, [number])
            rows.mark_gone(connection, names.tenant, number, "dropped")
    except LockHeldError:
        return False
    return True

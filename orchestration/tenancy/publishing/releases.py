"""Releases of a tenant's analytics: publish a sealed build by renaming, go back, drop what is old.

Exactly one release is published at every moment; a crash between two steps leaves the one that was.
A statement that names several relations may see some of them before a swap and some after.
"""

import logging
import time
from typing import Literal

from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError, SluiceError
from analysis.store import fleet
from analysis.store import releases as rows
from analysis.store.audit import append, operating_system_user
from analysis.store.releases import ReleaseRow
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing.sealing import clear_fleet, require_build
from orchestration.tenancy.registry import refuse_removing, require_tenant
from orchestration.tenancy.statements import LockHeldError, fetch, run, transaction

Retired = Literal["previous", "rolled_back"]
KEPT_RELEASES = 2
_DROP_LOCK_MS = 2_000

_RESOLVE_SECONDS = 0.1
"""Resolving takes microseconds; a busy machine may hold a process up in the middle of it."""
_ROLLED_BACK = "Rolled back from release"

_log = logging.getLogger(__name__)

_SESSIONS = "select 1 from pg_catalog.pg_stat_activity where usename = %(role)s limit 1"
_OPEN_TO = """
select nspname::text from pg_catalog.pg_namespace
where nspname = any(%(schemas)s) and pg_catalog.has_schema_privilege(%(role)s, oid, 'usage')
"""


def publish(engine: Engine, tenant: str, number: int | None = None) -> ReleaseRow:
    """Make the sealed build (of this number) what readers see, in one transaction; the release before it is kept."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        refuse_removing(require_tenant(connection, names.tenant))
        release = require_build(connection, names, number)
        if release.sealed_at is None:
            raise PermanentError("The tenant has no sealed build to publish; build first.", tenant=names.tenant)
        published = _swap(connection, names, release, names.build)
        append(connection, tenant=names.tenant, action="release.publish", detail={"release": published.number})
    _settle(engine, names)
    return published


def rollback(engine: Engine, tenant: str, number: int | None = None) -> ReleaseRow:
    """Publish a kept release again: that of this number, else the one that readers saw before.

    It is marked stale, by whom, unless it is the newest there is.
    """
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        refuse_removing(require_tenant(connection, names.tenant))
        release = _choose_kept(connection, names, number)
        reason = _why_stale(connection, names, release)
        published = _swap(connection, names, release, names.release(release.number), reason)
        append(connection, tenant=names.tenant, action="release.rollback", detail={"release": published.number})
    _settle(engine, names)
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
        require_tenant(connection, names.tenant)
        schemas = [names.release(release.number) for release in rows.list_kept(connection, names.tenant)]
        for (schema,) in fetch(connection, _OPEN_TO, schemas=schemas, role=names.reader):
            run(connection, "revoke usage on schema {schema} from {role}", schema=schema, role=names.reader)


def _swap(
    connection: Connection,
    names: TenantNames,
    release: ReleaseRow,
    schema: str,
    stale_reason: str | None = None,
) -> ReleaseRow:
    current = rows.find_status(connection, names.tenant, "published")
    if current is not None:
        aside = names.release(current.number)
        run(connection, "alter schema {now} rename to {aside}", now=names.analytics, aside=aside)
        retired: Retired = "rolled_back" if release.number < current.number else "previous"
        rows.mark_retired(connection, names.tenant, current.number, retired)
    run(connection, "grant usage on schema {schema} to {role}", schema=schema, role=names.reader)
    run(connection, "alter schema {schema} rename to {now}", schema=schema, now=names.analytics)
    return rows.mark_published(connection, names.tenant, release.number, stale_reason=stale_reason)


def _why_stale(connection: Connection, names: TenantNames, chosen: ReleaseRow) -> str | None:
    """Why a release that is rolled back to is stale: a newer one is kept, or what has failed since."""
    left = rows.find_status(connection, names.tenant, "published")
    newest = max(row.number for row in (left, *rows.list_kept(connection, names.tenant)) if row is not None)
    if chosen.number < newest:
        return f"{_ROLLED_BACK} {newest} by {operating_system_user()}."
    since = left.stale_reason if left is not None else None
    return since if since and not since.startswith(_ROLLED_BACK) else chosen.stale_reason


def _settle(engine: Engine, names: TenantNames) -> None:
    """Close what the swap left open; it is done, so a failure here is only told, and the next swap makes it good."""
    try:
        _let_names_resolve(engine, names)
        close_kept(engine, names.tenant)
    except SluiceError as error:
        _log.warning("Release published, but its predecessors stay open to the tenant's reader. %s", error)


def _let_names_resolve(engine: Engine, names: TenantNames) -> None:
    """A moment for readers that resolved the schema's name just before the swap, if anybody reads at all."""
    with transaction(engine) as connection:
        is_read = fetch(connection, _SESSIONS, role=names.reader)
    if is_read:
        time.sleep(_RESOLVE_SECONDS)


def _choose_kept(connection: Connection, names: TenantNames, number: int | None) -> ReleaseRow:
    kept = rows.list_kept(connection, names.tenant)
    current = rows.find_status(connection, names.tenant, "published")
    chosen = [row for row in kept if row.number == number]
    if number is None and current is not None:
        # Going back must not go forward, nor to a release that somebody left for an older one.
        chosen = [row for row in kept if row.status == "previous" and row.number < current.number]
    if current is None or not chosen:
        listed = sorted(row.number for row in kept)
        message = "There is no such release to go back to; see `sluice releases`."
        raise PermanentError(message, tenant=names.tenant, release=number, kept=listed)
    return chosen[0]


def _drop_release(engine: Engine, names: TenantNames, number: int) -> bool:
    try:
        with transaction(engine, lock_timeout_ms=_DROP_LOCK_MS) as connection:
            require_tenant(connection, names.tenant)
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

"""One run per tenant: a session's advisory lock, which PostgreSQL releases when the session's process dies."""

import time
from types import TracebackType
from typing import Any, Self

import psycopg
from sqlalchemy import Engine

from analysis.errors import RetryableError
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.statements import fetch, in_words, transaction
from orchestration.tenancy.walls.roles import end_session

_TRY = "select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('sluice run ' || %(tenant)s, 0))"
_HOLDERS = """
select pid, usename::text, usename = current_user as is_ours
from pg_catalog.pg_locks left join pg_catalog.pg_stat_activity using (pid)
where locktype = 'advisory' and granted and objsubid = 1
  and pg_locks.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and (classid::bigint << 32) | objid::bigint = pg_catalog.hashtextextended('sluice run ' || %(tenant)s, 0)
"""
_SQUATTER_SECONDS = 5.0
_END_MS = 10_000
Session = psycopg.Connection[Any]


class TenantBusyError(RetryableError):
    """Another run has the tenant."""


class RunLock:
    """The right to run a tenant, from `with` to its end; a TenantBusyError where another run has it."""

    def __init__(self, engine: Engine, tenant: str) -> None:
        self.tenant = TenantId(tenant)
        self._engine = engine
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._session: Session | None = None

    def __enter__(self) -> Self:
        try:
            session = psycopg.connect(self._url, autocommit=True, application_name=f"sluice run {self.tenant}")
        except psycopg.Error as error:
            raise in_words(error) from error
        try:
            self._acquire(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def check(self) -> None:
        """A RetryableError if the session is gone, and with it the right to go on."""
        try:
            if self._session is not None and self._session.execute("select 1").fetchone():
                return
        except psycopg.OperationalError:
            pass
        raise RetryableError("The run's lock was lost with its database session; run again.", tenant=self.tenant)

    def _acquire(self, session: Session) -> None:
        deadline = time.monotonic() + _SQUATTER_SECONDS
        key = {"tenant": str(self.tenant)}
        while session.execute(_TRY, key).fetchone() != (True,):
            if time.monotonic() > deadline or not _evict_squatters(self._engine, session, key):
                raise _busy(self.tenant)
            time.sleep(0.02)


def run_lock(engine: Engine, tenant: str) -> RunLock:
    """The tenant's run lock, to be entered with `with`."""
    return RunLock(engine, tenant)


def is_running(engine: Engine, tenant: str) -> bool:
    """Whether a run of the tenant is in progress, without waiting and without taking its lock."""
    with transaction(engine) as connection:
        return any(is_ours is not False for _, _, is_ours in fetch(connection, _HOLDERS, tenant=str(TenantId(tenant))))


def refuse_running(engine: Engine, tenant: str) -> None:
    """A TenantBusyError where a run of the tenant is in progress: what a run that began now would say, sooner."""
    if is_running(engine, tenant):
        raise _busy(TenantId(tenant))


def _busy(tenant: TenantId) -> TenantBusyError:
    return TenantBusyError(f"Tenant {tenant} already has a run in progress; wait for its end.", tenant=tenant)


def end_run(engine: Engine, tenant: str) -> bool:
    """End the session that holds the tenant's run lock, so that its run cannot go on; False where there is none."""
    with transaction(engine) as connection:
        holders = fetch(connection, _HOLDERS, tenant=str(TenantId(tenant)))
        ours = [pid for pid, _, is_ours in holders if is_ours]
        for pid in ours:
            fetch(connection, "select pg_catalog.pg_terminate_backend(%(pid)s, %(ms)s)", pid=pid, ms=_END_MS)
    return bool(ours)


def _evict_squatters(engine: Engine, session: Session, key: dict[str, str]) -> bool:
    """End sessions that hold the lock without being ours. False if it is ours.

    Where a superuser has not closed the functions, as on a server that we were given, any login can take any lock.
    """
    for pid, login, is_ours in session.execute(_HOLDERS, key).fetchall():
        if is_ours:
            return False
        end_session(engine, str(login), pid)
    return True

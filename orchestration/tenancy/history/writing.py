"""What survives releases: each published release written, once, by key, into `tenant_<id>_history`.

A rollback writes nothing: history holds what was published, and the next release corrects it. A release whose
history was not written, because the process died or the write failed, is caught up by the next write.
"""

from collections.abc import Mapping

import psycopg
from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError, RetryableError, SluiceError
from analysis.store import history as rows
from orchestration.tenancy.history.spec import HistorySpec, parse_spec
from orchestration.tenancy.history.steps import Step, write_step
from orchestration.tenancy.history.tables import prepare_table
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.statements import run, transaction

_UNWRITABLE = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.ProgrammingError,
    psycopg.NotSupportedError,
    psycopg.errors.ProgramLimitExceeded,
)
_ATTEMPTS = 5


class ReleaseMovedError(RetryableError):
    """A swap or rollback moved the release while it was read."""


def declare_history(engine: Engine, tenant: str, number: int, declared: Mapping[str, HistorySpec]) -> None:
    """Remember with a release that is being built what history its models declare, by table."""
    with transaction(engine) as connection:
        stored = {relation: spec.as_stored() for relation, spec in declared.items()}
        rows.set_declared(connection, TenantId(tenant), number, stored)


def write_history(engine: Engine, tenant: str) -> dict[str, int]:
    """Rows of history written, by table, from every release that was published since; nothing new writes nothing.

    Each table is written in transactions of its own: one that cannot be written hinders no other and is in the error.
    """
    names = TenantNames(TenantId(tenant))
    written: dict[str, int] = {}
    failures: dict[str, SluiceError] = {}
    newest, pending = _pending(engine, names)
    for relation, numbers in pending.items():
        try:
            written[relation] = _catch_up(engine, names, relation, numbers, newest)
        except SluiceError as error:
            failures[relation] = error
    if failures:
        told = "; ".join(f"{relation}: {error}" for relation, error in failures.items())
        retryable = any(isinstance(error, RetryableError) for error in failures.values())
        kind = RetryableError if retryable else PermanentError
        raise kind(f"History was not written, the release stays published. {told}", tenant=names.tenant)
    return written


def _pending(engine: Engine, names: TenantNames) -> tuple[int, dict[str, list[int]]]:
    """The newest release, and by table that any release declares: those that its history lacks, oldest first.

    One that declares another history than a later one is left out: its rows could not go into the same table.
    """
    pending: dict[str, list[int]] = {}
    declared: dict[str, object] = {}
    newest = 0
    with transaction(engine) as connection:
        marks = rows.list_marks(connection, names.tenant)
        for release in rows.list_declared(connection, names.tenant):
            newest = release.number
            for relation, spec in release.history.items():
                if declared.get(relation) != spec:
                    pending[relation], declared[relation] = [], spec
                if release.number > marks.get(relation, 0):
                    pending[relation].append(release.number)
    return newest, dict(sorted(pending.items()))


def _catch_up(engine: Engine, names: TenantNames, relation: str, numbers: list[int], newest: int) -> int:
    written = 0
    for number in numbers:
        try:
            written += _write_settled(engine, names, relation, number)
        except PermanentError:
            # An older release was refused, and told so, when it was published: the newest may be sound.
            if number == newest:
                raise
    return written


def _write_settled(engine: Engine, names: TenantNames, relation: str, number: int) -> int:
    for _ in range(_ATTEMPTS):
        release = _read(engine, names, number)
        if release is None:
            return 0
        try:
            with transaction(engine) as connection:
                return _write(connection, names, relation, release)
        except ReleaseMovedError:
            continue
        except PermanentError:
            if _read(engine, names, number) == release:
                raise
    raise ReleaseMovedError("A release moved again and again while its history was written; build again.")


def _read(engine: Engine, names: TenantNames, number: int) -> rows.DeclaredRelease | None:
    with transaction(engine) as connection:
        return _find(connection, names, number)


def _find(connection: Connection, names: TenantNames, number: int) -> rows.DeclaredRelease | None:
    found = rows.list_declared(connection, names.tenant)
    return next((release for release in found if release.number == number), None)


def _write(connection: Connection, names: TenantNames, relation: str, release: rows.DeclaredRelease) -> int:
    """Write one table of one release, and that it was, or nothing.

    The tenant is not locked, so that a rollback need not wait: what was read is forgotten where the release moved.
    """
    mark = rows.lock_mark(connection, names.tenant, relation)
    if mark.last_release is not None and mark.last_release >= release.number:
        return 0
    # Clocks go back now and then; time in a history does not.
    at = max(release.first_published_at, mark.as_of or release.first_published_at)
    schema = names.analytics if release.status == "published" else names.release(release.number)
    step = Step(schema, names.history, relation, release.number, at, mark.last_release)
    written = _apply(connection, step, parse_spec(relation, release.history[relation]))
    if _find(connection, names, release.number) != release:
        raise ReleaseMovedError("A release moved while its history was written.")
    rows.save_mark(connection, names.tenant, relation, release.number, at)
    return written


def _apply(connection: Connection, step: Step, spec: HistorySpec) -> int:
    run(connection, "set local search_path = pg_catalog")
    try:
        places = prepare_table(connection, step.schema, step.history, step.relation, spec)
        return write_step(connection, step, spec, places)
    except _UNWRITABLE as error:
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise
        # Not PostgreSQL's own words: they quote the tenant's values.
        reason = type(error).__name__
        raise PermanentError("PostgreSQL refused to write a history.", model=step.relation, reason=reason) from None

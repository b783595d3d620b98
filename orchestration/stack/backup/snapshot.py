"""One moment of the warehouse: what its schemas held, and whether what was read of them is still that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from analysis.errors import RetryableError
from analysis.store import tables
from analysis.store.releases import KEPT
from orchestration.stack import bootstrap
from orchestration.stack.backup.archive import Writer, create_archive
from orchestration.stack.backup.manifest import Manifest, TenantEntry
from orchestration.stack.backup.programs import check_server
from orchestration.tenancy.identifiers import TenantNames

PLATFORM = (tables.SCHEMA, "analytics", "airbyte")
"""The schemas that are no tenant's; `airbyte_internal` holds what is being loaded, which is loaded again.

How far each stream was read stands beside its table, so that a dump of a tenant's schema has both as of one moment.
"""
ATTEMPTS = 3
Session = psycopg.Connection[Any]
Report = Callable[[str], None]

_RELATIONS = """
select nspname::text, relname::text, pg_class.oid::bigint, relkind::text
from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where nspname = any(%s) and relkind in ('r', 'v') order by 1, 2
"""
_SCHEMAS = "select nspname::text from pg_catalog.pg_namespace order by 1"
_TENANTS = "select tenant_id, status from sluice.tenants order by 1"
_RELEASES = "select tenant_id, number, status from sluice.releases order by 1, 2"

_MOVED = "Releases were published or tables replaced while the backup read them; back up when fewer runs go on."


class MovedError(RetryableError):
    """A release was published, or a table replaced, while the backup read it."""


@dataclass(frozen=True)
class Snapshot:
    """A session whose view of the database stays that of its first moment; `name` lets a pg_dump share it."""

    session: Session
    name: str

    @property
    def pg_major(self) -> int:
        """The server's major version."""
        return self.session.info.server_version // 10_000

    def revision(self) -> str:
        """The control plane's migration."""
        row = self.session.execute("select version_num from sluice.alembic_version").fetchone()
        return str(row[0]) if row else ""


def write_settled(path: Path, report: Report, write: Callable[[Writer], Manifest]) -> Manifest:
    """Write a new file, anew where releases moved meanwhile; after so many attempts a MovedError."""
    for left in reversed(range(ATTEMPTS)):
        try:
            with create_archive(path) as writer:
                return write(writer)
        except MovedError:
            if not left:
                raise
            report("a release was published meanwhile: reading again")
    raise AssertionError("unreachable")


@contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """Take a snapshot; it lives as long as the `with`."""
    with bootstrap.connect(url) as session:
        check_server(session.info.server_version)
        session.execute("begin isolation level repeatable read read only")
        row = session.execute("select pg_export_snapshot()").fetchone()
        yield Snapshot(session, str(row[0]) if row else "")


@contextmanager
def unmoved(url: str, snapshot: Snapshot, schemas: Sequence[str]) -> Iterator[None]:
    """Nothing of these schemas was renamed or replaced meanwhile, else a MovedError.

    A dump reads tables by name: after a swap the name is another table's, of which the snapshot sees no row.
    """
    before = _relations(snapshot.session, schemas)
    try:
        yield
    except RetryableError:
        raise
    except Exception as error:
        if _moved(url, before, schemas):
            raise MovedError(_MOVED) from error
        raise
    if _moved(url, before, schemas):
        raise MovedError(_MOVED)


def _moved(url: str, before: dict[tuple[str, str], int], schemas: Sequence[str]) -> bool:
    with bootstrap.connect(url) as session:
        after = _relations(session, schemas)
    return any(after.get(name) != oid for name, oid in before.items())


def _relations(session: Session, schemas: Sequence[str]) -> dict[tuple[str, str], int]:
    return {(schema, name): oid for schema, name, oid, _ in session.execute(_RELATIONS, [list(schemas)])}


def count_rows(session: Session, schemas: Sequence[str]) -> dict[str, dict[str, int]]:
    """Rows by table of each schema."""
    found: dict[str, dict[str, int]] = {schema: {} for schema in schemas}
    for schema, name, _, kind in session.execute(_RELATIONS, [list(schemas)]).fetchall():
        if kind == "r":
            row = session.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))).fetchone()
            found[schema][name] = int(row[0]) if row else 0
    return found


def tenant_entries(snapshot: Snapshot, only: str | None = None) -> tuple[TenantEntry, ...]:
    """Every tenant, or one, with its schemas and releases at this moment."""
    existing = [str(name) for (name,) in snapshot.session.execute(_SCHEMAS)]
    releases = snapshot.session.execute(_RELEASES).fetchall()
    entries = []
    for tenant, status in snapshot.session.execute(_TENANTS).fetchall():
        if only is not None and tenant != only:
            continue
        own = [(number, state) for owner, number, state in releases if owner == tenant]
        counts = count_rows(snapshot.session, kept_schemas(TenantNames(tenant), existing))
        entries.append(
            TenantEntry(
                tenant=tenant,
                status=status,
                published=next((number for number, state in own if state == "published"), None),
                kept=tuple(number for number, state in own if state in KEPT),
                schemas=counts,
            )
        )
    return tuple(entries)


def kept_schemas(names: TenantNames, existing: Iterable[str]) -> list[str]:
    """A tenant's schemas that outlive a run: not the sample, the proof and the build, which are made anew."""
    fixed = {names.raw, names.history, names.analytics}
    release = re.compile(re.escape(f"{names.analytics}__r") + "[0-9]+")
    return [name for name in existing if name in fixed or release.fullmatch(name)]


def schemas_of(entries: Iterable[TenantEntry]) -> list[str]:
    """All schemas of these tenants."""
    return [schema for entry in entries for schema in entry.schemas]

"""The mark of a restore that goes on: a schema that is there from its first change to its last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from analysis.errors import PermanentError, RetryableError
from orchestration.stack import bootstrap

SCHEMA = "sluice_restoring"
Session = psycopg.Connection[Any]


def take(session: Session) -> None:
    """One restore at a time: this session has the database for it until it ends."""
    row = session.execute("select pg_try_advisory_lock(hashtextextended('sluice restore', 0))").fetchone()
    if not (row and row[0]):
        raise RetryableError("Another restore works on this database; wait for it.", database=session.info.dbname)


def is_marked(session: Session) -> bool:
    """Whether a restore of the whole began here and did not end."""
    row = session.execute("select to_regnamespace(%s) is not null", [SCHEMA]).fetchone()
    return bool(row and row[0])


def mark(session: Session, tenants: Sequence[str]) -> None:
    """Remember which tenants a restore is about to make."""
    with session.transaction():
        session.execute(f"create schema if not exists {SCHEMA}")
        session.execute(f"create table if not exists {SCHEMA}.tenants (tenant_id text primary key)")
        session.execute(
            f"insert into {SCHEMA}.tenants select unnest(%s::text[]) on conflict do nothing",
            [list(tenants)],
        )


def marked_tenants(session: Session) -> list[str]:
    """The tenants that an unfinished restore may have begun."""
    if not is_marked(session):
        return []
    return [str(tenant) for (tenant,) in session.execute(f"select tenant_id from {SCHEMA}.tenants order by 1")]  # noqa: S608


def clear(session: Session) -> None:
    """Take the mark away."""
    session.execute(f"drop schema if exists {SCHEMA} cascade")


def refuse_half_restored(control_url: str) -> None:
    """A PermanentError where a restore did not finish: what is there is neither empty nor whole."""
    with bootstrap.connect(control_url) as session:
        if is_marked(session):
            raise PermanentError("A restore into this home did not finish; run `sluice restore` again.")

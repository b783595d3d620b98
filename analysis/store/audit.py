"""The audit log: who did what to which tenant, row by row, each row's hash covering the one before.

Whoever may write to the whole database can still rewrite the whole chain: a head hash kept elsewhere (every export
carries it) is what such a rewrite cannot match.
"""

import hashlib
import json
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from analysis.store.connect import Record, one_record
from analysis.store.runs import storable
from analysis.store.tables import audit_head, audit_log

GENESIS = "0" * 64
"""What the first row's hash covers in place of a row before it."""
_BATCH = 1_000
_NOTHING: Mapping[str, object] = MappingProxyType({})
_run_id: ContextVar[str | None] = ContextVar("audit_run_id", default=None)


class AuditRow(Record):
    """One act; `actor` decided it, `os_user` and `login` are what the process that wrote it ran as."""

    seq: int
    recorded_at: datetime
    actor: str
    os_user: str
    login: str
    run_id: str | None
    tenant: str | None
    action: str
    detail: Mapping[str, Any]
    previous_hash: str
    hash: str


class Head(Record):
    """The newest row's number and hash; 0 and GENESIS of an empty log."""

    seq: int
    hash: str


def append(
    connection: Connection,
    *,
    tenant: str | None,
    action: str,
    actor: str | None = None,
    detail: Mapping[str, object] = _NOTHING,
) -> int:
    """Add one row in the caller's transaction and return its number; `detail` never holds a secret or a tenant's value.

    Every later append waits for the transaction's end, so let this be its last statement.
    """
    head = connection.execute(
        select(audit_head.c.seq, audit_head.c.hash, func.clock_timestamp().label("at"), func.session_user())
        .select_from(audit_head)
        .with_for_update()
    ).one()
    row = {
        "seq": head.seq + 1,
        "recorded_at": head.at,
        "actor": storable(actor or operating_system_user()),
        "os_user": operating_system_user(),
        "login": head.session_user,
        "run_id": _run_id.get(),
        "tenant": tenant,
        "action": action,
        "detail": json.loads(storable(json.dumps(dict(detail), default=str, allow_nan=False))),
        "previous_hash": head.hash,
    }
    row["hash"] = hash_of(row)
    connection.execute(insert(audit_log).values(row))
    connection.execute(update(audit_head).values(seq=row["seq"], hash=row["hash"]))
    return int(row["seq"])


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 of the row's content, the hash before it included, as canonical JSON (sorted keys, ASCII, UTC times)."""
    content = {key: value for key, value in row.items() if key != "hash"}
    content["recorded_at"] = row["recorded_at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def operating_system_user() -> str:
    """The account this process runs as, as the system has it: the environment could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@contextmanager
def within_run(run_id: str) -> Iterator[None]:
    """Let rows that are appended inside name the orchestrator's run."""
    before = _run_id.get()
    _run_id.set(run_id)
    try:
        yield
    finally:
        _run_id.set(before)


def current_run() -> str | None:
    """The orchestrator's run that this code is part of, if it is known."""
    return _run_id.get()


def read_head(connection: Connection) -> Head:
    """Where the log says that it ends."""
    return Head.model_validate(dict(connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one()._mapping))


def find_last(connection: Connection, tenant: str, action: str) -> AuditRow | None:
    """The newest row of a tenant and an action, or None."""
    chosen = select(audit_log).where(audit_log.c.tenant == tenant, audit_log.c.action == action)
    return one_record(AuditRow, connection.execute(chosen.order_by(audit_log.c.seq.desc()).limit(1)).one_or_none())


def read_log(connection: Connection, *, tenant: str | None = None, since: datetime | None = None) -> Iterator[AuditRow]:
    """The rows in order, of one tenant and from a moment on where asked, without holding them all."""
    statement = select(audit_log).order_by(audit_log.c.seq)
    if tenant is not None:
        statement = statement.where(audit_log.c.tenant == tenant)
    if since is not None:
        statement = statement.where(audit_log.c.recorded_at >= since)
    for row in connection.execute(statement.execution_options(yield_per=_BATCH)):
        yield AuditRow.model_validate(dict(row._mapping))

"""One release's table written into its history by key, as statements that never delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from analysis.errors import PermanentError
from orchestration.tenancy.history.spec import HistorySpec
from orchestration.tenancy.history.tables import Place
from orchestration.tenancy.statements import run

_COLLATED = ("text", "_text")

_UNFIT = """
select exists (select from ({fresh}) as fresh where {has_null}),
    exists (select from ({fresh}) as fresh group by {key} having count(*) > 1)
"""

# A row whose values are the same is left alone: a quiet day writes nothing.
_CORRECT = """
update {history} as kept
set {values} changed_release = case when {differs} then {number} else kept.changed_release end,
    changed_at = case when {differs} then {at} else kept.changed_at end,
    is_current = true, absent_since = null, last_release = null
from ({fresh}) as fresh
where {same_key} and ({differs} or not kept.is_current)
"""
_ADD = """
insert into {history} ({columns}, first_release, changed_release, changed_at, is_current)
select {columns}, {number}, {number}, {at}, true from ({fresh}) as fresh
where not exists (select from {history} as kept where {same_key})
"""
_MISS = """
update {history} as kept set is_current = false, absent_since = {at}, last_release = {previous}
where kept.is_current and not exists (select from ({fresh}) as fresh where {same_key})
"""

_CLOSE = """
update {history} as kept set valid_to = {at}, last_release = {previous}
where kept.valid_to is null
  and not exists (select from ({fresh}) as fresh where {same_key} and not ({differs}))
"""
_OPEN = """
insert into {history} ({columns}, first_release, valid_from)
select {columns}, {number}, {at} from ({fresh}) as fresh
where not exists (select from {history} as kept where {same_key} and kept.valid_to is null)
"""
_STATEMENTS = {"rows": (_CORRECT, _ADD, _MISS), "versions": (_CLOSE, _OPEN)}


@dataclass(frozen=True)
class Step:
    """The release to write from, where it is, when it was published, and the release that was written before it."""

    schema: str
    history: str
    relation: str
    number: int
    at: datetime
    previous: int | None


def write_step(connection: Connection, step: Step, spec: HistorySpec, places: Sequence[Place]) -> int:
    """Write the step's table into its history and return how many rows of history changed or are new."""
    parts = _parts(step, spec, places)
    ((has_null, has_double),) = run(connection, "{}", sql.SQL(_UNFIT).format(**parts))
    if has_null or has_double:
        message = "A model's history key is null or not unique in the release; mend the key or the model."
        raise PermanentError(message, model=step.relation, key=list(spec.key))
    return sum(_count(connection, sql.SQL(text).format(**parts)) for text in _STATEMENTS[spec.kind])


def _parts(step: Step, spec: HistorySpec, places: Sequence[Place]) -> dict[str, sql.Composable]:
    columns = [place.target for place in places]
    values = [name for name in columns if name not in spec.key]
    key = [sql.SQL("fresh.{}").format(sql.Identifier(name)) for name in spec.key]
    assigned = [sql.SQL("{0} = fresh.{0}, ").format(sql.Identifier(name)) for name in values]
    return {
        "history": sql.Identifier(step.history, step.relation),
        "fresh": _fresh(step, places),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "values": sql.Composed(assigned),
        "key": sql.SQL(", ").join(key),
        "has_null": sql.SQL(" or ").join(sql.SQL("{} is null").format(name) for name in key),
        "same_key": _pairs(spec.key, "kept.{0} = fresh.{0}", " and "),
        "differs": _pairs(values, "kept.{0} is distinct from fresh.{0}", " or ") if values else sql.SQL("false"),
        "number": sql.Literal(step.number),
        "previous": sql.SQL("null::bigint") if step.previous is None else sql.Literal(step.previous),
        "at": sql.SQL("{}::timestamptz").format(sql.Literal(step.at.isoformat())),
    }


def _fresh(step: Step, places: Sequence[Place]) -> sql.Composable:
    """The release's rows under history's names and types; no collation of theirs comes with them."""
    columns = [
        sql.SQL("{}::{}{} as {}").format(
            sql.Identifier(place.source),
            sql.Identifier("pg_catalog", place.type),
            sql.SQL(' collate pg_catalog."default"' if place.type in _COLLATED else ""),
            sql.Identifier(place.target),
        )
        for place in places
    ]
    table = sql.Identifier(step.schema, step.relation)
    return sql.SQL("select {} from only {}").format(sql.SQL(", ").join(columns), table)


def _pairs(names: Sequence[str], template: str, between: str) -> sql.Composed:
    return sql.SQL(between).join(sql.SQL(template).format(sql.Identifier(name)) for name in names)


def _count(connection: Connection, statement: sql.Composable) -> int:
    counted = "with written as ({} returning 1) select count(*) from written"
    rows: list[Any] = run(connection, counted, statement)
    return int(rows[0][0])

"""A tenant's rows in tables that hold every tenant's: which they are follows from the tables' definitions.

Numbers that a database gives out are given anew on the way in, everywhere they are referred to, in their old order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.engine import Connection

from analysis.errors import PermanentError
from orchestration.tenancy.identifiers import TenantId

Session = psycopg.Connection[Any]
NOT_OF_A_TENANT: Mapping[str, str] = {
    "sluice.audit_head": "the end of that chain",
    "sluice.audit_log": "one chain over all tenants: a part of it proves nothing, so the whole backup has it",
    "airbyte.schema_version": "the server's own",
    "airbyte.written_tables": "follows from the connections: the server notes it before each job",
    "airbyte.job_attempts": "as airbyte.jobs",
    "airbyte.job_logs": "as airbyte.jobs",
    "airbyte.schedule_runs": "follows from the connections: the server works it out when it starts",
    "airbyte.jobs": "what ran, logs and all, is kept in sync_runs; the states that the next sync needs are rows",
}
_SEQUENCE = "select pg_catalog.pg_get_serial_sequence(%s, %s)"


@dataclass(frozen=True)
class Portion:
    """The rows of one table that are a tenant's: `condition` holds `%(tenant)s`."""

    table: Table
    condition: sql.Composable
    is_shared: bool = False
    """Others may refer to the same row: it is added where it is missing."""

    @property
    def name(self) -> str:
        """Schema and table."""
        return self.table.fullname

    @property
    def place(self) -> sql.Identifier:
        """The table, quoted."""
        return sql.Identifier(str(self.table.schema), self.table.name)

    @property
    def numbered(self) -> str | None:
        """The column whose values the database gives out, if it is the key."""
        keys = list(self.table.primary_key.columns)
        return keys[0].name if len(keys) == 1 and keys[0].identity is not None else None


def portions(metadata: MetaData, roots: Mapping[str, sql.Composable] | None = None) -> list[Portion]:
    """Every table of the metadata in the order of its references; a LookupError names one that leads to no tenant.

    A table is a tenant's by its column `tenant_id`, as a root, through a reference to such a table, or shared when
    such a table refers to it.
    """
    found: dict[str, Portion] = {}
    for table in metadata.sorted_tables:
        condition = _own_condition(table, roots or {}, found)
        if condition is not None and table.fullname not in NOT_OF_A_TENANT:
            found[table.fullname] = Portion(table, condition)
    for table in metadata.sorted_tables:
        if table.fullname not in found and table.fullname not in NOT_OF_A_TENANT:
            found[table.fullname] = Portion(table, _referred_condition(table, found.values()), is_shared=True)
    return [found[table.fullname] for table in metadata.sorted_tables if table.fullname in found]


def reflected(connection: Connection, schema: str) -> MetaData:
    """The tables that another program keeps in a schema."""
    metadata = MetaData()
    if inspect(connection).has_schema(schema):
        metadata.reflect(connection, schema=schema)
    return metadata


def copy_out(session: Session, portion: Portion, tenant: str) -> Iterator[bytes]:
    """A tenant's rows in COPY's text format."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in portion.table.columns)
    query = sql.SQL("copy (select {} from {} where {}) to stdout").format(columns, portion.place, portion.condition)
    with session.cursor() as cursor, cursor.copy(_filled(session, query, tenant)) as copied:
        for chunk in copied:
            yield bytes(chunk)


def count(session: Session, portion: Portion, tenant: str) -> int:
    """How many rows of the table are the tenant's."""
    query = sql.SQL("select count(*) from {} where {}").format(portion.place, portion.condition)
    row = session.execute(_filled(session, query, tenant)).fetchone()
    return int(row[0]) if row else 0


def receive(session: Session, portion: Portion, columns: Sequence[str], chunks: Iterable[bytes]) -> None:
    """Hold rows that were copied out in a temporary table until all of them are there."""
    known = {column.name for column in portion.table.columns}
    if set(columns) - known:
        message = "The backup has columns that this Sluice does not know; restore it with the version that wrote it."
        raise PermanentError(message, table=portion.name, columns=sorted(set(columns) - known))
    listed = _listed(columns)
    make = sql.SQL("create temporary table {} on commit drop as select {} from {} with no data")
    session.execute(make.format(held(portion), listed, portion.place))
    statement = sql.SQL("copy {} ({}) from stdin").format(held(portion), listed)
    with session.cursor() as cursor, cursor.copy(statement) as copied:
        for chunk in chunks:
            copied.write(chunk)


def renumber(session: Session, received: Sequence[Portion]) -> None:
    """Give every number that this database gives out anew, and follow each reference to it."""
    for portion in received:
        if portion.numbered is not None and not portion.is_shared:
            _number(session, portion, portion.numbered)
    names = {portion.name: portion for portion in received}
    for portion in received:
        for column in portion.table.columns:
            target = _numbered_target(column, names)
            if target is not None:
                _follow(session, portion, column.name, target)


def insert(session: Session, portion: Portion, columns: Sequence[str]) -> int:
    """Move the held rows into their table and return how many there were."""
    listed = _listed(columns)
    skip = sql.SQL("on conflict do nothing" if portion.is_shared else "")
    statement = sql.SQL("insert into {} ({}) overriding system value select {} from {} {}")
    return session.execute(statement.format(portion.place, listed, listed, held(portion), skip)).rowcount


def _own_condition(
    table: Table, roots: Mapping[str, sql.Composable], found: Mapping[str, Portion]
) -> sql.Composable | None:
    if table.fullname in roots:
        return roots[table.fullname]
    if "tenant_id" in table.columns:
        return sql.SQL("tenant_id = %(tenant)s")
    for key in table.foreign_keys:
        parent = found.get(key.column.table.fullname)
        if parent is not None:
            return sql.SQL("{} in (select {} from {} where {})").format(
                sql.Identifier(key.parent.name), sql.Identifier(key.column.name), parent.place, parent.condition
            )
    return None


def _referred_condition(table: Table, owned: Iterable[Portion]) -> sql.Composable:
    referring = [
        sql.SQL("{} in (select {} from {} where {})").format(
            sql.Identifier(key.column.name), sql.Identifier(key.parent.name), portion.place, portion.condition
        )
        for portion in owned
        for key in portion.table.foreign_keys
        if key.column.table is table and not portion.is_shared
    ]
    if not referring:
        raise LookupError(f"No tenant's rows lead to this table; list it in NOT_OF_A_TENANT. (table={table.fullname})")
    return sql.SQL(" or ").join(referring)


def _numbered_target(column: Column[Any], received: Mapping[str, Portion]) -> Portion | None:
    for key in column.foreign_keys:
        target = received.get(key.column.table.fullname)
        if target is not None and not target.is_shared and target.numbered == key.column.name:
            return target
    return None


def _number(session: Session, portion: Portion, column: str) -> None:
    row = session.execute(_SEQUENCE, [portion.place.as_string(session), column]).fetchone()
    pieces = {
        "numbers": _numbers(portion),
        "held": held(portion),
        "column": sql.Identifier(column),
        "sequence": sql.Literal(row[0] if row else None),
    }
    session.execute(
        sql.SQL(
            "create temporary table {numbers} on commit drop as"
            " select old, nextval({sequence}::regclass) as new"
            " from (select {column} as old from {held} order by {column}) as ordered"
        ).format(**pieces)
    )
    _follow(session, portion, column, portion)


def _follow(session: Session, portion: Portion, column: str, target: Portion) -> None:
    statement = sql.SQL("update {} as held set {} = numbers.new from {} as numbers where held.{} = numbers.old")
    name = sql.Identifier(column)
    session.execute(statement.format(held(portion), name, _numbers(target), name))


def _filled(session: Session, query: sql.Composed, tenant: str) -> bytes:
    # COPY takes no parameters: the one value there is, an id that is valid by construction, becomes a literal.
    literal = sql.Literal(str(TenantId(tenant))).as_string(session)
    return query.as_string(session).replace("%(tenant)s", literal).encode()


def _listed(columns: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def held(portion: Portion) -> sql.Identifier:
    """The temporary table of a table's received rows."""
    return sql.Identifier(f"held {portion.name}")


def _numbers(portion: Portion) -> sql.Identifier:
    return sql.Identifier(f"numbers {portion.name}")

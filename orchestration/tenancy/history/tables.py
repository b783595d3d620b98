"""The shape of a history table: made from a release's table, and extended as that changes, never narrowed.

Columns are only ever added: a view of somebody's may stand on those that are there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection

from analysis.errors import PermanentError
from orchestration.tenancy.history.spec import HistorySpec, Kind
from orchestration.tenancy.statements import fetch, run

KEPT_BESIDE: Mapping[Kind, Mapping[str, str]] = {
    "rows": {
        "first_release": "bigint not null",
        "changed_release": "bigint not null",
        "changed_at": "timestamptz not null",
        "is_current": "boolean not null",
        "absent_since": "timestamptz",
        "last_release": "bigint",
    },
    "versions": {
        "first_release": "bigint not null",
        "last_release": "bigint",
        "valid_from": "timestamptz not null",
        "valid_to": "timestamptz",
    },
}
"""What history knows of a row beside the row's own columns."""

_SAME = "bool int2 int4 int8 numeric float4 float8 text date time timetz timestamp timestamptz interval uuid jsonb"
_SAME += " bytea inet cidr macaddr"
_STORED_AS = {name: name for name in _SAME.split()} | dict.fromkeys(("varchar", "bpchar", "name", "json"), "text")
_STORED_AS |= {f"_{name}": f"_{stored}" for name, stored in _STORED_AS.items()}
"""Types by PostgreSQL's own names; `json` cannot be compared, and lengths are no business of history's."""
_WIDER = {("int2", "int4"), ("int2", "int8"), ("int4", "int8"), ("float4", "float8")}
_WIDER |= {(name, "numeric") for name in ("int2", "int4", "int8")}
_MAX_NAME_BYTES = 63

_COLUMNS = """
select attname::text, typname::text, typnamespace = 'pg_catalog'::regnamespace and attgenerated <> 'v'
from pg_catalog.pg_attribute join pg_catalog.pg_type on pg_type.oid = atttypid
where attrelid = %(table)s and attnum > 0 and not attisdropped order by attnum
"""
_TABLE = """
select pg_class.oid, relkind = 'r' and relowner = (select oid from pg_catalog.pg_roles where rolname = current_user)
from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where nspname = %(schema)s and relname = %(relation)s
"""
_PRIMARY_KEY = """
select array(select attname::text from pg_catalog.pg_attribute
             where attrelid = indrelid and attnum = any(indkey) order by array_position(indkey::int2[], attnum))
from pg_catalog.pg_index where indrelid = %(table)s and indisprimary
"""


@dataclass(frozen=True)
class Place:
    """Where the values of a release's column go, and as which type."""

    source: str
    target: str
    type: str


def prepare_table(
    connection: Connection, schema: str, history: str, relation: str, spec: HistorySpec
) -> tuple[Place, ...]:
    """Bring the history table to what the release in `schema` needs; the places of its columns, in their order."""
    source = _own_table(connection, schema, relation)
    if source is None:
        raise PermanentError("A model declares history, but the release has no such table.", model=relation)
    columns = [_kept_type(relation, *row) for row in fetch(connection, _COLUMNS, table=source)]
    _refuse_names(relation, spec, [name for name, _ in columns])
    table = _own_table(connection, history, relation)
    found = {} if table is None else {name: kind for name, kind, _ in fetch(connection, _COLUMNS, table=table)}
    places = tuple(_place(relation, name, kind, found) for name, kind in columns)
    _refuse_clashes(relation, spec, places)
    if table is None:
        _create(connection, history, relation, spec, places)
    else:
        _refuse_other_key(connection, table, relation, spec, found)
        for place in places:
            if place.target not in found:
                add = "alter table {schema}.{relation} add column {column} {}"
                run(connection, add, _type(place.type), schema=history, relation=relation, column=place.target)
    return places


def _own_table(connection: Connection, schema: str, relation: str) -> int | None:
    for oid, is_own_table in fetch(connection, _TABLE, schema=schema, relation=relation):
        if not is_own_table:
            raise PermanentError("History is read from and written to sealed tables only.", model=relation)
        return int(oid)
    return None


def _kept_type(relation: str, name: str, kind: str, is_plain: bool) -> tuple[str, str]:
    if not is_plain or kind not in _STORED_AS:
        message = "History cannot keep a column of this type; cast the column in the model."
        raise PermanentError(message, model=relation, column=name, type=kind)
    return name, _STORED_AS[kind]


def _place(relation: str, name: str, kind: str, found: Mapping[str, str]) -> Place:
    """The column of this name if the value fits it as it is, else one beside it that carries the type's name."""
    kept = found.get(name, kind)
    if kept == kind or (kind, kept) in _WIDER:
        return Place(name, name, kept)
    beside = f"{name}__{kind.lstrip('_')}{'s' if kind.startswith('_') else ''}"
    if len(beside.encode()) > _MAX_NAME_BYTES or found.get(beside, kind) != kind:
        message = "A column changed its type and history has no name for the new one; rename it in the model."
        raise PermanentError(message, model=relation, column=name, type=kind)
    return Place(name, beside, kind)


def _refuse_names(relation: str, spec: HistorySpec, names: Sequence[str]) -> None:
    missing = [name for name in spec.key if name not in names]
    if missing:
        message = "A model's history names key columns that its table does not have; mend its yml."
        raise PermanentError(message, model=relation, missing=missing)
    taken = [name for name in names if name in KEPT_BESIDE[spec.kind]]
    if taken:
        message = "A model with history has columns that history keeps for itself; rename them in the model."
        raise PermanentError(message, model=relation, columns=taken)


def _refuse_clashes(relation: str, spec: HistorySpec, places: Sequence[Place]) -> None:
    targets = [place.target for place in places]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        message = "Two columns of a model would share one of its history; rename one in the model."
        raise PermanentError(message, model=relation, columns=twice)
    changed = [place.source for place in places if place.source in spec.key and place.target != place.source]
    if changed:
        raise PermanentError(_ANOTHER_KEY, model=relation, changed=changed)


_ANOTHER_KEY = "A history's key is another than before; rename its old table, and the next build begins a new one."


def _refuse_other_key(
    connection: Connection, table: int, relation: str, spec: HistorySpec, found: Mapping[str, str]
) -> None:
    ((key,),) = fetch(connection, _PRIMARY_KEY, table=table) or [([],)]
    if key != _primary_key(spec) or not KEPT_BESIDE[spec.kind].keys() <= found.keys():
        raise PermanentError(_ANOTHER_KEY, model=relation, was=key, now=_primary_key(spec))


def _primary_key(spec: HistorySpec) -> list[str]:
    return [*spec.key, "first_release"] if spec.kind == "versions" else [*spec.key]


def _create(connection: Connection, history: str, relation: str, spec: HistorySpec, places: Sequence[Place]) -> None:
    columns = [sql.SQL("{} {}").format(sql.Identifier(place.target), _type(place.type)) for place in places]
    columns += [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in KEPT_BESIDE[spec.kind].items()]
    listed, key = sql.SQL(", ").join(columns), _names(_primary_key(spec))
    place = {"schema": history, "relation": relation}
    run(connection, "create table {schema}.{relation} ({}, primary key ({}))", listed, key, **place)
    if spec.kind == "versions":
        index = "create unique index on {schema}.{relation} ({}) where valid_to is null"
        run(connection, index, _names(spec.key), **place)


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _type(name: str) -> sql.Composable:
    return sql.Identifier("pg_catalog", name)

"""States of connections, beside the tables whose rows they cover and committed together with them.

One table of them in each schema that is written to: whatever takes the tables away, or back, takes their states along.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from airbyte_server.errors import PermanentError
from airbyte_server.loader import shared_states, state_places
from airbyte_server.loader.database import Connection
from airbyte_server.loader.decoding import encode
from airbyte_server.loader.messages import JsonObject, StreamKey, state_stream
from airbyte_server.loader.targets import StreamTarget
from airbyte_server.sync_modes import INCREMENTAL

_SHARED = ""
"""Instead of a stream's name: the state covers all streams, and each schema of theirs has it."""
_INSERT = """
insert into {table} values (%(connection_id)s, %(stream)s, %(stream_namespace)s, %(table_name)s, %(covered)s,
    %(state)s::jsonb, %(job_id)s, clock_timestamp())
on conflict (connection_id, stream, stream_namespace, table_name) do
"""
_REPLACE = """
update set covered = excluded.covered, state = excluded.state, job_id = excluded.job_id, saved_at = excluded.saved_at
"""
# A table that changed hands is not what another connection remembers of it.
_TAKE = """
delete from {table} where table_name = %(table_name)s and connection_id <> %(connection_id)s and stream <> ''
"""
_READ = """
select stream, stream_namespace, table_name, covered, state, job_id, saved_at from {table}
where connection_id = %s order by stream, stream_namespace, table_name
"""
_CHANGE = """
{change} where connection_id = %(connection_id)s and stream = %(stream)s and stream_namespace = %(stream_namespace)s
    and table_name = %(table_name)s
"""


@dataclass(frozen=True)
class KnownStates:
    """What a connector is told to go on from; `version` changes with every commit of a state."""

    states: list[JsonObject]
    version: str


def read(connection: Connection, connection_id: str, targets: Sequence[StreamTarget]) -> KnownStates:
    """The states of incremental targets whose table is there; of a shared one the newest, and its parts for these."""
    states: list[JsonObject] = []
    shared: list[tuple[Any, JsonObject]] = []
    is_whole = True
    present: set[StreamKey] = set()
    version = hashlib.sha256()
    for schema in _schemas(targets):
        here = {_key(target): target.table for target in targets if target.namespace == schema and _goes_on(target)}
        tables = state_places.existing(connection, schema, list(here.values()))
        present |= {key for key, table in here.items() if table in tables}
        for stream, namespace, table, covered, state, job_id, saved_at in _rows(connection, connection_id, schema):
            key = (namespace or None, stream)
            if stream == _SHARED:
                shared.append((saved_at, state))
                is_whole = is_whole and set(covered) == state_places.existing(connection, schema, covered)
            elif key in present and here.get(key) == table:
                states.append(state)
            else:
                continue
            version.update(repr((schema, stream, namespace, job_id, saved_at)).encode())
    if shared:
        newest = max(shared, key=lambda each: each[0])[1]
        told = shared_states.narrowed(newest, present) if is_whole or shared_states.is_divisible(newest) else None
        states += [told] if told is not None else []
    return KnownStates(states, version.hexdigest())


def save(
    connection: Connection,
    connection_id: str,
    job_id: int,
    targets: Sequence[StreamTarget],
    state: JsonObject,
) -> None:
    """Keep a state of one of the targets, or of all; call it in the transaction of the rows that it covers."""
    _write(connection, connection_id, job_id, targets, state, on_conflict=_REPLACE)


def adopt(connection: Connection, connection_id: str, targets: Sequence[StreamTarget], state: JsonObject) -> None:
    """Keep a state that was stored elsewhere, where the table is there and has no newer one."""
    tables = {
        schema: state_places.existing(connection, schema, [t.table for t in targets]) for schema in _schemas(targets)
    }
    present = [target for target in targets if target.table in tables[target.namespace]]
    _write(connection, connection_id, 0, present, state, on_conflict="nothing")


def _write(
    connection: Connection,
    connection_id: str,
    job_id: int,
    targets: Sequence[StreamTarget],
    state: JsonObject,
    *,
    on_conflict: str,
) -> None:
    key = state_stream(state)
    covered = targets if key is None else [target for target in targets if _key(target) == key]
    row = {
        "connection_id": connection_id,
        "stream": _SHARED if key is None else key[1],
        "stream_namespace": "" if key is None else key[0] or "",
        "state": _text(state),
        "job_id": job_id,
    }
    places: dict[tuple[str, str], list[str]] = {}
    for target in covered:
        places.setdefault((target.namespace, "" if key is None else target.table), []).append(target.table)
    for (schema, name), tables in sorted(places.items()):
        table = state_places.ensured(connection, schema)
        values = {**row, "table_name": name, "covered": sorted(tables)}
        connection.execute(sql.SQL(_INSERT + on_conflict).format(table=table), values)
        connection.execute(sql.SQL(_TAKE).format(table=table), values)


def forget(
    connection: Connection, connection_id: str, targets: Sequence[StreamTarget], *, keeps_indivisible: bool = False
) -> None:
    """Drop what is known of the targets, also within a shared state; call it where their rows go or are replaced.

    A shared state that does not tell streams apart goes as a whole, or with `keeps_indivisible` not at all.
    """
    gone = [_key(target) for target in targets]
    for schema in _schemas(targets):
        tables = {target.table for target in targets if target.namespace == schema}
        for stream, namespace, table, _, state, _, _ in _rows(connection, connection_id, schema):
            left = shared_states.without(state, gone) if stream == _SHARED else None
            stays = (
                table not in tables
                if stream != _SHARED
                else left == state or (keeps_indivisible and not shared_states.is_divisible(state))
            )
            if stays:
                continue
            change = "delete from {table}" if left is None else "update {table} set state = %(state)s::jsonb"
            connection.execute(
                sql.SQL(_CHANGE.replace("{change}", change)).format(table=state_places.find(connection, schema)),
                {
                    "connection_id": connection_id,
                    "stream": stream,
                    "stream_namespace": namespace,
                    "table_name": table,
                    "state": _text(left or {}),
                },
            )


def forget_connection(connection: Connection, connection_id: str, schemas: Iterable[str]) -> None:
    """Drop every state of a connection in these schemas."""
    for schema in schemas:
        table = state_places.find(connection, schema)
        if table is not None:
            connection.execute(sql.SQL("delete from {} where connection_id = %s").format(table), (connection_id,))


def _rows(connection: Connection, connection_id: str, schema: str) -> list[tuple[Any, ...]]:
    table = state_places.find(connection, schema)
    if table is None:
        return []
    return connection.execute(sql.SQL(_READ).format(table=table), (connection_id,)).fetchall()


def _key(target: StreamTarget) -> StreamKey:
    return target.source_namespace, target.stream


def _goes_on(target: StreamTarget) -> bool:
    return target.sync_mode in INCREMENTAL


def _schemas(targets: Iterable[StreamTarget]) -> list[str]:
    return sorted({target.namespace for target in targets})


def _text(state: JsonObject) -> str:
    try:
        return encode(state)
    except ValueError as error:
        raise PermanentError("The connector sent a state with a number that nothing can hold; it is broken.") from error

"""The loader's connection: session settings, one loader per table, and PostgreSQL's errors as sentences."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from airbyte_server.errors import PermanentError, RetryableError, ServerError

Connection = psycopg.Connection[TupleRow]

MARKER = "temporary table of the airbyte_server loader"
"""Comment on every temporary table, so that no other tool's tables are ever swept."""

_LOCK_SECONDS = 15
_PASSING = ("40", "57", "58")
"""SQLSTATE classes that pass: rollback, operator intervention, input and output."""
_LOST = "The connection to PostgreSQL was lost or could not be made; try again."
KEY_TOO_LONG = "Values of a key or cursor are too long for an index (about 2,700 bytes); choose other fields."
_REFUSED_LOGIN = (
    "password authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted to log in",
)


def connect(conninfo: str) -> Connection:
    """An autocommit session in UTC whose waits for locks are bounded."""
    with naming_errors():
        return psycopg.connect(
            conninfo,
            autocommit=True,
            connect_timeout=15,
            application_name="airbyte_server loader",
            keepalives_idle=30,
            options=f"-c timezone=UTC -c datestyle=ISO,YMD -c lock_timeout={_LOCK_SECONDS}s -c client_encoding=UTF8",
        )


@contextmanager
def naming_errors(stream: str | None = None) -> Iterator[None]:
    """Turn psycopg's errors into ours; values that PostgreSQL quotes in its messages are left out."""
    try:
        yield
    except psycopg.Error as error:
        raise _translated(error, stream) from error


def refuses_login(error: psycopg.Error) -> bool:
    """Whether a connection was refused for what it asked for, and will be again."""
    return isinstance(error, psycopg.OperationalError) and any(sign in str(error) for sign in _REFUSED_LOGIN)


def _translated(error: psycopg.Error, stream: str | None) -> ServerError:
    state = error.sqlstate or ""
    keys: dict[str, object] = {"stream": stream} if stream else {}
    if not state:
        if refuses_login(error):
            return PermanentError("PostgreSQL refused the login of the destination; check its settings.", **keys)
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return RetryableError(_LOST, **keys)
        return PermanentError(f"The database driver failed ({type(error).__name__}).", **keys)
    return _of_state(state, error.diag.message_primary or "", {**keys, "sqlstate": state})


def _of_state(state: str, message: str, keys: dict[str, object]) -> ServerError:
    if state.startswith("53"):
        return RetryableError(f"PostgreSQL is out of room or connections: {message}.", **keys)
    if state == "54000" and "index row" in message:
        return PermanentError(KEY_TOO_LONG, **keys)
    if state == "55P03":
        return RetryableError("Another session holds the table; try again when it is done.", **keys)
    if state.startswith(("08", "57P")):
        return RetryableError(_LOST, **keys)
    if state.startswith(_PASSING):
        return RetryableError("PostgreSQL gave up the statement; try again.", **keys)
    if state.startswith("22"):
        return PermanentError("PostgreSQL refused a value of the stream.", **keys)
    if state.startswith("28"):
        return PermanentError("PostgreSQL refused the login of the destination; check its settings.", **keys)
    return PermanentError(f"PostgreSQL refused: {message}.", **keys)


def lock_key(temporary_table: str) -> int:
    """The advisory lock of whoever loads through this temporary table, from the digits its name ends in."""
    return int(temporary_table[-16:], 16) - (1 << 63)


def lock_tables(connection: Connection, temporary_tables: Iterable[str]) -> None:
    """Hold each table for this session; a table that another loader holds is a RetryableError."""
    for table in sorted(temporary_tables):
        try:
            connection.execute("select pg_advisory_lock(%s)", (lock_key(table),))
        except psycopg.errors.LockNotAvailable as error:
            raise RetryableError(
                "Another job is loading the same table; try again when it is done.", temporary_table=table
            ) from error


def ensure_schema(connection: Connection, schema: str) -> None:
    """Create the schema if it is missing; a login that may not is told what to do."""
    if connection.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone():
        return
    try:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermanentError(
            "The schema is missing and the destination's login may not create it; create it or grant CREATE.",
            schema=schema,
        ) from error


def sweep_temporary_tables(connection: Connection, schema: str) -> None:
    """Drop what killed jobs left: this loader's marked tables that no session holds."""
    rows = connection.execute(
        """
        select relname from pg_class
        where relnamespace = to_regnamespace(%s) and relkind = 'r' and pg_has_role(relowner, 'usage')
          and obj_description(oid, 'pg_class') = %s
        """,
        (sql.Identifier(schema).as_string(connection), MARKER),
    ).fetchall()
    for (name,) in rows:
        key = lock_key(str(name))
        if connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone() == (True,):
            drop_table(connection, schema, str(name))
            connection.execute("select pg_advisory_unlock(%s)", (key,))


def drop_table(connection: Connection, schema: str, table: str) -> None:
    """Drop a table if it is there."""
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, table)))

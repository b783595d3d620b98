"""SQL whose names are tenants': every identifier is quoted by psycopg, never pasted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, exc

from analysis.errors import PermanentError, RetryableError


class LockHeldError(RetryableError):
    """Another session holds what had to be locked."""


def run(connection: Connection, statement: str, *parts: sql.Composable, **names: str) -> list[Any]:
    """Execute a statement in the connection's transaction: `{name}` takes a quoted name, `{}` a ready part."""
    quoted = {key: sql.Identifier(name) for key, name in names.items()}
    composed = sql.SQL(statement).format(*parts, **quoted)
    with _cursor(connection) as cursor:
        cursor.execute(composed)
        return cursor.fetchall() if cursor.description else []


def fetch(connection: Connection, statement: str, **values: object) -> list[Any]:
    """Rows of a fixed query; values travel as parameters `%(name)s`."""
    with _cursor(connection) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def grantee(role: str) -> sql.Composable:
    """A role as `grant` and `revoke` take it; `public` is nobody's name but everybody."""
    return sql.SQL("public") if role == "public" else sql.Identifier(role)


@contextmanager
def _cursor(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    if not connection.in_transaction():
        connection.begin()
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor:
        yield cursor


@contextmanager
def transaction(engine: Engine, *, lock_timeout_ms: int = 10_000) -> Iterator[Connection]:
    """One transaction on a connection of its own; locks and lost connections become sentences."""
    try:
        with engine.begin() as connection:
            run(connection, "set local lock_timeout = {}", sql.Literal(f"{lock_timeout_ms}ms"))
            yield connection
    except (psycopg.Error, exc.DBAPIError) as error:
        raise in_words(error) from error


def in_words(error: psycopg.Error | exc.DBAPIError) -> Exception:
    """The error as one of ours where it is a held lock, a missing right or a lost server; otherwise itself."""
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(original, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return LockHeldError("Someone else holds what this step needs to change; try again.")
    if isinstance(original, psycopg.errors.InsufficientPrivilege):
        return PermanentError("The control role lacks a right; run `sluice doctor`.", reason=_sentence(original))
    if isinstance(original, psycopg.OperationalError):
        return RetryableError("The database did not answer; see `sluice doctor`.", reason=_sentence(original))
    return error


def _sentence(error: BaseException) -> str:
    return str(error).partition("\n")[0]

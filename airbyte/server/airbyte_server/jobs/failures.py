"""How a job's process tells what went wrong."""

import psycopg

from airbyte_server.errors import PermanentError, ServerError


def may_pass(error: Exception) -> bool:
    """Whether the same job may succeed later."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return not isinstance(error, PermanentError)


def sentence_of(error: Exception) -> str:
    """What to tell of it; secrets are not removed yet."""
    if isinstance(error, ServerError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL refused: {str(error).strip().splitlines()[0] if str(error) else type(error).__name__}."
    return f"The job failed: {type(error).__name__}: {error}"

"""The server's database: its connection pool, its schema, and the lock that keeps a second server out."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from airbyte_server.errors import PermanentError, RetryableError
from airbyte_server.state.migrations import upgrade

_LOCK = 0x41697262  # "Airb": one server per database
_LOCK_PATIENCE_SECONDS = 5.0
_CONNECT_SECONDS = 10

logger = logging.getLogger(__name__)


class Storage:
    """Connections to the state; `open` makes or upgrades the tables and is safe to repeat."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url
        driver_url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        # hide_parameters: values of a failing statement are configurations and states.
        self.engine: Engine = create_engine(
            driver_url,
            pool_pre_ping=True,
            pool_size=10,
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT_SECONDS},
        )
        self._lock: Connection | None = None

    def open(self) -> None:
        """Take the database for this server, and bring its tables to this version; once open it stays so."""
        if self._lock is not None:
            return
        try:
            self._lock = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._take_lock(self._lock)
            with self.engine.begin() as connection:
                upgrade(connection)
        except OperationalError as error:
            raise RetryableError(f"The server's database cannot be reached: {_first_line(error)}.") from None
        except ProgrammingError as error:
            raise PermanentError(f"The server's database refused its tables: {_first_line(error)}.") from None

    def close(self) -> None:
        """Let go of the database."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.engine.dispose()

    def keep_lock(self) -> None:
        """Take the database again where its connection was lost; PermanentError if another server has it by now."""
        if self._lock is not None:
            try:
                self._lock.execute(select(1))
            except DBAPIError:
                logger.warning("The connection that keeps other servers out was lost; it is made again.")
                self._lock.close()
                self._lock = None
        if self._lock is None:
            lock = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                self._take_lock(lock)
            except BaseException:
                lock.close()
                raise
            self._lock = lock

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction."""
        with self.engine.begin() as connection:
            yield connection

    def _take_lock(self, connection: Connection) -> None:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not connection.execute(select(func.pg_try_advisory_lock(_LOCK))).scalar_one():
            if time.monotonic() > deadline:
                raise PermanentError("Another server already works on this database; stop it or use another database.")
            time.sleep(0.2)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")

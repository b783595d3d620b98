"""Reading the published marts: rows of complete queries, and the errors that reading them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from analysis.errors import PermanentError, RetryableError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class MartReader:
    """The marts of one release, read as the tenant's reader."""

    connection: Connection
    release: int

    def row(self, query: str) -> Row:
        """The only row of a query that always has one."""
        return self.rows(query)[0]

    def rows(self, query: str) -> list[Row]:
        """A query's rows; the text is complete, so that no placeholder is looked for in a tenant's names."""
        try:
            result = self.connection.exec_driver_sql(query, execution_options={"no_parameters": True})
        except (OperationalError, InterfaceError) as error:
            raise RetryableError("The marts cannot be reached; try again.", cause=type(error.orig).__name__) from error
        except DBAPIError as error:
            raise PermanentError(
                "The published marts cannot be read; build and publish the release again.",
                release=self.release,
                cause=str(error.orig).partition("\n")[0],
            ) from error
        return [dict(row) for row in result.mappings()]

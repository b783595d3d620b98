"""Engines for URLs that carry no driver name, and the row type that every read returns."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, Row, create_engine
from sqlalchemy.pool import NullPool


class Record(BaseModel):
    """One stored row, frozen."""

    model_config = ConfigDict(frozen=True)


RecordT = TypeVar("RecordT", bound=Record)


def open_engine(url: str, *, application: str = "sluice") -> Engine:
    """An engine without a pool: a connection lives as long as its `with`, and a dead server is noticed at once."""
    driver_url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    arguments = {"application_name": application, "connect_timeout": 10}
    return create_engine(driver_url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


def one_record(kind: type[RecordT], row: Row[Any] | None) -> RecordT | None:
    """The row as a record, or None."""
    return None if row is None else kind.model_validate(dict(row._mapping))


def all_records(kind: type[RecordT], rows: Iterable[Row[Any]]) -> tuple[RecordT, ...]:
    """Every row as a record, in order."""
    return tuple(kind.model_validate(dict(row._mapping)) for row in rows)

"""Messages as a connector writes them, and tables as a reader sees them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import psycopg
import pytest
from airbyte_server.loader import Loader, StreamOutcome, StreamTarget
from psycopg import sql

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": ["null", "integer"]},
        "name": {"type": ["null", "string"]},
        "updated": {"type": ["null", "integer"]},
    },
}


def record(stream: str, data: dict[str, Any], emitted_at: int = 1_700_000_000_000, **more: Any) -> bytes:
    message = {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at, **more}}
    return orjson.dumps(message) + b"\n"


def state(stream: str, value: Any) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"cursor": value}}
    return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": described}}) + b"\n"


def status(stream: str, what: str) -> bytes:
    described = {"stream_descriptor": {"name": stream}, "status": what}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": described}}) + b"\n"


def trace_error(message: str, failure_type: str = "config_error") -> bytes:
    error = {"message": message, "failure_type": failure_type}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "ERROR", "error": error}}) + b"\n"


@dataclass
class Warehouse:
    """A database to load into, with what the loader handed on."""

    url: str
    states: list[dict[str, Any]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    jobs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def target(self, stream: str = "items", **more: Any) -> StreamTarget:
        settings: dict[str, Any] = {
            "namespace": "tenant_acme",
            "table": f"shop_{stream}",
            "json_schema": SCHEMA,
            "sync_mode": "full_refresh_overwrite",
        }
        return StreamTarget(stream=stream, **{**settings, **more})

    def deduped(self, stream: str = "items", **more: Any) -> StreamTarget:
        settings: dict[str, Any] = {"primary_key": [["id"]], "cursor": ["updated"]}
        return self.target(stream, **{"sync_mode": "incremental_deduped_history", **settings, **more})

    def load(
        self, targets: StreamTarget | list[StreamTarget], messages: Iterable[bytes], **more: Any
    ) -> dict[str, StreamOutcome]:
        loader = self.loader(targets, **more)
        return {name: outcome for (_, name), outcome in loader.load(messages).items()}

    def loader(self, targets: StreamTarget | list[StreamTarget], **more: Any) -> Loader:
        return Loader(
            self.url,
            targets if isinstance(targets, list) else [targets],
            on_log=lambda level, text: self.logs.append((level, text)),
            **{"sync_id": next(self.jobs), "on_state": self.states.append, **more},
        )

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def rows(self, table: str = "shop_items", columns: str = "id, name, updated") -> list[tuple[Any, ...]]:
        return sorted(self.query(f"select {columns} from tenant_acme.{table}"), key=repr)

    def count(self, table: str) -> int:
        with psycopg.connect(self.url) as connection:
            query = sql.SQL("select count(*) from {}").format(sql.Identifier("tenant_acme", table))
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def temporary_tables(self) -> list[str]:
        return [name for (name,) in self.query("select tablename from pg_tables where schemaname = 'airbyte_internal'")]


@pytest.fixture
def warehouse(database: str) -> Warehouse:
    return Warehouse(database)


@pytest.fixture
def emptied_warehouse(module_database: str) -> Iterator[Warehouse]:
    """A warehouse in a database that a file's tests share."""
    yield Warehouse(module_database)
    Warehouse(module_database).query("drop schema if exists tenant_acme, tenant_other cascade")


@pytest.fixture(scope="session")
def messages() -> "Messages":
    return Messages(record, state, status, trace_error)


@dataclass(frozen=True)
class Messages:
    """Builders of protocol lines."""

    record: Callable[..., bytes]
    state: Callable[..., bytes]
    status: Callable[..., bytes]
    trace_error: Callable[..., bytes]

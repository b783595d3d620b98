"""Streams' rows in raw tables as Airbyte lays them out, and dbt run on a rendered set."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from analysis.modelling import ModelPlan, ModelSet

PACKAGE = Path(__file__).parents[3] / "dbt_project"


@pytest.fixture(scope="session")
def package_folder() -> Path:
    """The shared dbt package."""
    return PACKAGE


@pytest.fixture
def load_raw(database: str) -> Callable[..., None]:
    """Make the raw table of each stream of a plan in schema `sluice_raw` and load its records."""

    def load(plan: ModelPlan, records: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> None:
        with psycopg.connect(database) as connection:
            connection.execute("drop schema if exists sluice_raw, analytics cascade")
            connection.execute("create schema sluice_raw")
            for source in plan.sources:
                for stream in source.streams:
                    table = sql.Identifier("sluice_raw", stream.table)
                    types = {column.name: column.sql_type for column in stream.columns}
                    _create_table(connection, table, types)
                    _copy(connection, table, types, records.get((source.name, stream.name), ()))

    return load


def _create_table(connection: psycopg.Connection, table: sql.Identifier, types: Mapping[str, str]) -> None:
    columns = [
        sql.SQL("_airbyte_raw_id varchar not null"),
        sql.SQL("_airbyte_extracted_at timestamptz not null"),
        sql.SQL("_airbyte_meta jsonb not null"),
        sql.SQL("_airbyte_generation_id bigint"),
        *(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items()),
    ]
    connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))


def _copy(
    connection: psycopg.Connection,
    table: sql.Identifier,
    types: Mapping[str, str],
    records: Sequence[Mapping[str, Any]],
) -> None:
    # COPY takes no parameters, so that a percent sign in a name is no placeholder.
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy:
        for record in records:
            values = (_raw_value(record.get(name), kind) for name, kind in types.items())
            copy.write_row((uuid4().hex, datetime.now(UTC), "{}", 0, *values))


def _raw_value(value: Any, kind: str) -> Any:
    """A value as the loader writes it: what does not fit the column becomes null."""
    if value is None:
        return None
    if kind == "jsonb":
        return json.dumps(value)
    if kind == "varchar":
        return value if isinstance(value, str) else json.dumps(value)
    wanted = {"bigint": int, "numeric": (int, float), "boolean": bool}.get(kind, str)
    if not isinstance(value, wanted):
        return None
    return value if kind in {"bigint", "numeric", "boolean", "time"} else _time(value)


def _time(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


@pytest.fixture
def run_dbt(database: str, tmp_path: Path) -> Callable[..., tuple[list[dict[str, Any]], dict[str, str]]]:
    """Mount a set beside the shared package and run a dbt command on it: the results, and the compiled SQL by model."""

    def run(model_set: ModelSet, *command: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
        mounted = model_set.write(tmp_path / "sets", PACKAGE)
        arguments = [*command, "--project-dir", str(mounted), "--profiles-dir", str(_profile(tmp_path, database))]
        finished = subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), "--no-version-check", *arguments],
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]
        results = json.loads((mounted / "target" / "run_results.json").read_text())["results"]
        manifest = json.loads((mounted / "target" / "manifest.json").read_text())
        return results, {node["name"]: node.get("compiled_code", "") for node in manifest["nodes"].values()}

    return run


def _profile(folder: Path, database: str) -> Path:
    url = urlsplit(database)
    target = {
        "type": "postgres",
        "host": url.hostname,
        "port": url.port,
        "user": url.username,
        "password": url.password or "",
        "dbname": url.path.lstrip("/"),
        "schema": "analytics",
        "threads": 2,
    }
    profile = {"sluice": {"target": "test", "outputs": {"test": target}}}
    (folder / "profiles.yml").write_text(json.dumps(profile))
    return folder

"""Builds of two tenants from one manifest, and what a build that cannot succeed says."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from analysis.errors import PermanentError, RetryableError
from analysis.mapping.vocabulary import CANONICAL_ENTITIES, load_vocabulary
from orchestration.resources import prepared_sets
from orchestration.resources.dbt_runner import BuildTarget, PreparedSet, count_staging, prepare_set, run_build
from orchestration.settings import PROJECT_ROOT

EXAMPLE_SET = PROJECT_ROOT / "tests" / "dbt_project" / "example_set"
PASSWORD = "hidden-word"
SOURCES = ("crm", "shop")


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parsed")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> PreparedSet:
    directory = tmp_path_factory.mktemp("sets") / "example"
    shutil.copytree(EXAMPLE_SET, directory)
    (directory / "dbt_packages").mkdir()
    (directory / "dbt_packages" / "sluice").symlink_to(PROJECT_ROOT / "dbt_project")
    return prepare_set(directory, parsed)


@pytest.fixture(scope="module")
def warehouse(postgres: Any) -> Iterator[str]:
    name = f"runner_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield make_conninfo(postgres.admin_url, dbname=name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        for (role,) in admin.execute("select rolname from pg_roles where rolname like 'runner\\_%'").fetchall():
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
def tenant(warehouse: str) -> Any:
    """Makes a tenant with one customer of each source, of that name, and with its own builder."""

    def make(name: str) -> BuildTarget:
        login, raw, build = f"runner_{name}_builder", f"tenant_{name}", f"tenant_{name}_analytics__build"
        with psycopg.connect(warehouse) as admin:
            role = sql.Identifier(login)
            admin.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(PASSWORD)))
            for schema in (raw, build):
                admin.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
                admin.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), role))
            admin.execute(sql.SQL("grant create on schema {} to {}").format(sql.Identifier(build), role))
            _make_raw_tables(admin, raw, name)
            admin.execute(sql.SQL("grant select on all tables in schema {} to {}").format(sql.Identifier(raw), role))
        parts = conninfo_to_dict(warehouse)
        url = f"postgresql://{login}:{PASSWORD}@{parts['host']}:{parts['port']}/{parts['dbname']}"
        return BuildTarget(url, raw, build)

    return make


def _make_raw_tables(admin: psycopg.Connection, raw: str, name: str) -> None:
    for source in SOURCES:
        for entity in CANONICAL_ENTITIES:
            columns = ", ".join(f'"{field.name}" {field.sql_type}' for field in load_vocabulary()[entity].fields)
            admin.execute(
                sql.SQL("create table {} (_airbyte_extracted_at timestamptz default now(), " + columns + ")").format(
                    sql.Identifier(raw, f"{source}_{entity}")
                )
            )
        admin.execute(
            sql.SQL("insert into {} (id, full_name, email) values ('1', {}, {})").format(
                sql.Identifier(raw, f"{source}_customer"), sql.Literal(name), sql.Literal(f"{source}@{name}.example")
            )
        )


def read(warehouse: str, schema: str, statement: str) -> list[Any]:
    with psycopg.connect(warehouse) as connection:
        return connection.execute(sql.SQL(statement).format(sql.Identifier(schema))).fetchall()


def test_two_tenants_of_one_manifest_land_in_their_own_schemas(
    prepared: PreparedSet, warehouse: str, tenant: Any, tmp_path: Path
):
    targets = {name: tenant(name) for name in ("one", "two")}
    for name, target in targets.items():
        outcome = run_build(prepared, target, log_dir=tmp_path / name)
        assert outcome.ok, outcome.failed
        assert {result.status for result in outcome.results} == {"success", "pass"}
        rows = {result.name: result.rows for result in outcome.results if result.resource_type == "model"}
        assert len(rows) == 13
        assert (rows["canonical_customer"], rows["unified_customers"], rows["revenue_analytics"]) == (2, 2, 0)
        assert count_staging(outcome.compiled, target) == {
            f"stg_{source}__{entity}": int(entity == "customer") for source in SOURCES for entity in CANONICAL_ENTITIES
        }
    for name, target in targets.items():
        found = read(warehouse, target.build_schema, "select distinct full_name from {}.unified_customers")
        assert found == [(name,)]
        owners = read(warehouse, target.build_schema, "select count(*) from {}.canonical_customer")
        assert owners == [(2,)]


def test_a_failed_test_is_data_and_what_follows_is_skipped(
    prepared: PreparedSet, warehouse: str, tenant: Any, tmp_path: Path
):
    target = tenant("doubled")
    with psycopg.connect(warehouse) as admin:
        admin.execute("insert into tenant_doubled.crm_ticket (id) values ('7'), ('7')")
    outcome = run_build(prepared, target, log_dir=tmp_path)
    assert not outcome.ok
    (failed,) = outcome.failed
    assert (failed.resource_type, failed.status, failed.failures) == ("test", "fail", 1)
    assert failed.name.startswith("unique_combination_canonical_ticket")
    statuses = {result.name: result.status for result in outcome.results}
    assert statuses["dashboard_summary"] == statuses["unified_customers"] == "skipped"
    assert statuses["revenue_analytics"] == "success"


def test_a_model_that_cannot_be_built_names_its_reason(
    prepared: PreparedSet, warehouse: str, tenant: Any, tmp_path: Path
):
    target = tenant("torn")
    with psycopg.connect(warehouse) as admin:
        admin.execute("drop table tenant_torn.shop_product")
    outcome = run_build(prepared, target, log_dir=tmp_path)
    (failed,) = outcome.failed
    assert not outcome.ok
    assert (failed.name, failed.status) == ("canonical_product", "error")
    assert '"tenant_torn.shop_product" does not exist' in failed.message


def test_a_builder_cannot_read_another_tenants_raw_tables(prepared: PreparedSet, tenant: Any, tmp_path: Path):
    mine, other = tenant("mine"), tenant("other")
    outcome = run_build(prepared, replace(mine, raw_schema=other.raw_schema), log_dir=tmp_path)
    assert not outcome.ok
    assert outcome.failed
    assert all("permission denied for schema tenant_other" in result.message for result in outcome.failed)


def test_nothing_private_is_left_behind(prepared: PreparedSet, tenant: Any, tmp_path: Path):
    private, logs = tmp_path / "private", tmp_path / "logs"
    private.mkdir()
    before = tempfile.tempdir, dict(os.environ)
    tempfile.tempdir = str(private)
    try:
        outcome = run_build(prepared, tenant("tidy"), log_dir=logs)
    finally:
        tempfile.tempdir = before[0]
    assert outcome.ok
    assert not list(private.iterdir())
    assert dict(os.environ) == before[1]
    assert "canonical_customer" in (logs / "dbt.log").read_text("utf-8")
    assert all(PASSWORD not in path.read_text("utf-8") for path in logs.iterdir())
    assert not (prepared.directory / "target").exists()
    assert not (prepared.directory / "logs").exists()


def test_an_unreachable_database_is_retryable(prepared: PreparedSet, tmp_path: Path):
    target = BuildTarget(f"postgresql://someone:{PASSWORD}@127.0.0.1:1/warehouse", "raw", "build")
    with pytest.raises(RetryableError, match="cannot be reached") as caught:
        run_build(prepared, target, log_dir=tmp_path)
    assert PASSWORD not in str(caught.value)


def test_a_refused_login_is_permanent(prepared: PreparedSet, tenant: Any, tmp_path: Path):
    target = tenant("locked")
    with pytest.raises(PermanentError, match="cannot log in") as caught:
        run_build(prepared, replace(target, url=target.url.replace(PASSWORD, "wrong-word")), log_dir=tmp_path)
    assert "wrong-word" not in str(caught.value)


def slow_down(warehouse: str, schema: str) -> None:
    """Makes one raw table a view that takes a minute to read."""
    with psycopg.connect(warehouse) as admin:
        table, moved = sql.Identifier(schema, "crm_ticket"), sql.Identifier("moved")
        admin.execute(sql.SQL("alter table {} rename to {}").format(table, moved))
        admin.execute(
            sql.SQL("create view {} as select moved.* from {} as moved, (select pg_sleep(60) offset 0) as slow").format(
                table, sql.Identifier(schema, "moved")
            )
        )
        admin.execute(sql.SQL("grant select on {} to public").format(table))


def test_a_connection_lost_during_the_build_is_retryable(
    prepared: PreparedSet, warehouse: str, tenant: Any, tmp_path: Path
):
    target = tenant("cut")
    slow_down(warehouse, target.raw_schema)

    def cut() -> None:
        with psycopg.connect(warehouse, autocommit=True) as admin:
            for _ in range(200):
                cut = admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where usename = 'runner_cut_builder' and wait_event = 'PgSleep'"
                ).fetchall()
                if cut:
                    return
                time.sleep(0.05)

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(RetryableError, match="connection was lost"):
        run_build(prepared, target, log_dir=tmp_path)
    thread.join()


def test_a_statement_that_takes_too_long_is_ended(prepared: PreparedSet, warehouse: str, tenant: Any, tmp_path: Path):
    target = tenant("slow")
    slow_down(warehouse, target.raw_schema)
    outcome = run_build(prepared, target, log_dir=tmp_path, statement_seconds=1)
    (failed,) = outcome.failed
    assert (failed.name, outcome.ok) == ("canonical_ticket", False)
    assert "statement timeout" in failed.message


def test_builds_of_two_threads_wait_for_each_other(prepared: PreparedSet, tenant: Any, tmp_path: Path):
    targets = [tenant("left"), tenant("right")]
    outcomes: dict[str, bool] = {}

    def build(target: BuildTarget) -> None:
        outcomes[target.raw_schema] = run_build(prepared, target, log_dir=tmp_path / target.raw_schema).ok

    threads = [threading.Thread(target=build, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"tenant_left": True, "tenant_right": True}


def test_a_set_is_parsed_once_and_read_from_disk_by_the_next_process(prepared: PreparedSet, parsed: Path):
    (kept,) = parsed.iterdir()
    written = kept.stat().st_mtime_ns
    assert prepare_set(prepared.directory, parsed) is prepared
    prepared_sets._kept.clear()
    again = prepare_set(prepared.directory, parsed)
    assert again is not prepared
    assert again.key == prepared.key
    assert set(again.manifest.nodes) == set(prepared.manifest.nodes)
    assert [path.stat().st_mtime_ns for path in parsed.iterdir()] == [written]


NEXT_PROCESS = """
import sys
from pathlib import Path
from orchestration.resources.dbt_runner import BuildTarget, prepare_set, run_build
directory, parsed, url, raw, build, logs = sys.argv[1:]
prepared = prepare_set(Path(directory), Path(parsed))
print(run_build(prepared, BuildTarget(url, raw, build), log_dir=Path(logs)).ok)
"""


def test_the_next_process_builds_from_the_manifest_on_disk(
    prepared: PreparedSet, parsed: Path, warehouse: str, tenant: Any, tmp_path: Path
):
    target = tenant("reread")
    written = [path.stat().st_mtime_ns for path in parsed.iterdir()]
    arguments = [prepared.directory, parsed, target.url, target.raw_schema, target.build_schema, tmp_path / "logs"]
    command = [sys.executable, "-c", NEXT_PROCESS, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert [path.stat().st_mtime_ns for path in parsed.iterdir()] == written
    assert read(warehouse, target.build_schema, "select count(*) from {}.unified_customers") == [(2,)]


def test_a_changed_set_is_parsed_again(prepared: PreparedSet, tmp_path: Path):
    changed = tmp_path / "example"
    shutil.copytree(prepared.directory, changed, symlinks=True)
    union = changed / "models" / "intermediate" / "int_ticket__union.sql"
    union.write_text(union.read_text("utf-8") + "\n", "utf-8")
    assert prepare_set(changed, tmp_path / "parsed").key != prepared.key


def test_a_set_that_dbt_cannot_parse_is_refused(prepared: PreparedSet, tmp_path: Path):
    broken = tmp_path / "example"
    shutil.copytree(prepared.directory, broken, symlinks=True)
    (broken / "models" / "intermediate" / "int_ticket__union.sql").write_text("select {{ nothing", "utf-8")
    with pytest.raises(PermanentError, match="dbt cannot parse the model set"):
        prepare_set(broken, tmp_path / "parsed")


def test_a_folder_without_a_project_is_refused(tmp_path: Path):
    with pytest.raises(PermanentError, match=r"no dbt_project\.yml"):
        prepare_set(tmp_path, tmp_path / "parsed")

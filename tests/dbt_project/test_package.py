"""The package under plain dbt: its unit tests, its catalogue queries, and what its tests catch."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from analysis.errors import PermanentError
from orchestration.resources.declared_history import declared_history
from orchestration.resources.invocation import invoke
from orchestration.resources.retargeting import BuildTarget, copy_manifest
from orchestration.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt_project" / "models"
BRANCHING = ("marts", "intermediate")


@pytest.fixture(scope="module")
def plain(warehouse: str, prepared: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[BuildTarget, Any, Path]:
    """The set built by dbt alone, unit tests and all, with the placeholders' schema as its source."""
    target = BuildTarget(warehouse, "sluice_raw", "plain_build")
    log_dir = tmp_path_factory.mktemp("plain")
    with psycopg.connect(warehouse) as connection:
        connection.execute("create schema sluice_raw")
        tables = connection.execute("select tablename from pg_tables where schemaname = 'tenant_acme'").fetchall()
        for (table,) in tables:
            connection.execute(
                sql.SQL("create table {} as table {}").format(
                    sql.Identifier("sluice_raw", table), sql.Identifier("tenant_acme", table)
                )
            )
        # `_` is a wildcard of dbt's own catalogue query: this is another tenant's, one character apart.
        connection.execute("create schema plainxbuild")
        connection.execute("create table plainxbuild.unified_customers (customer_key text)")
    result = invoke(["build"], prepared.directory, target, log_dir=log_dir, threads=2, log_level="debug")
    return target, result, log_dir


@pytest.fixture(autouse=True)
def _filled(built: Any):
    assert built.outcome.ok, built.outcome.failed


def test_every_unit_test_passes(plain: Any):
    _, result, _ = plain
    assert result.success, [(run.node.name, run.message) for run in result.result.results if run.status == "fail"]
    run = {r.node.name for r in result.result.results if r.node.resource_type == "unit_test"}
    declared = [
        test["name"]
        for path in MODELS.rglob("*__unit_tests.yml")
        for test in yaml.safe_load(path.read_text("utf-8"))["unit_tests"]
    ]
    assert run == set(declared)


def test_every_model_that_branches_has_a_unit_test():
    declared = {
        test["model"]
        for path in MODELS.rglob("*__unit_tests.yml")
        for test in yaml.safe_load(path.read_text("utf-8"))["unit_tests"]
    }
    assert declared == {path.stem for folder in BRANCHING for path in (MODELS / folder).glob("*.sql")}


def test_a_retargeted_build_gives_what_plain_dbt_gives(plain: Any, built: Any, warehouse: str):
    target, _, _ = plain
    models = sorted(path.stem for path in MODELS.rglob("*.sql"))
    assert len(models) == 13
    with psycopg.connect(warehouse) as connection:
        for model in models:
            ours, theirs = (
                connection.execute(
                    sql.SQL("select row::text from {} as row order by 1").format(sql.Identifier(schema, model))
                ).fetchall()
                for schema in (built.target.build_schema, target.build_schema)
            )
            assert ours == theirs, model


def test_dbt_reads_the_catalogue_of_one_schema_only(plain: Any):
    _, _, log_dir = plain
    log = (log_dir / "dbt.log").read_text("utf-8")
    assert "referenced_schema.nspname = 'plain_build'" in log
    assert "relation_schema.nspname = 'plain_build'" in log
    assert "ilike" not in log
    assert "plainxbuild" not in log


def test_a_builder_needs_no_right_on_the_database(built: Any, warehouse: str):
    with psycopg.connect(built.target.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("create schema elsewhere")


def test_every_mart_declares_its_history_by_the_key_that_its_tests_hold_unique(prepared: Any):
    marts = yaml.safe_load((MODELS / "marts" / "_marts__models.yml").read_text("utf-8"))["models"]
    unique = {
        mart["name"]: tuple(test["unique_combination"]["arguments"]["columns"])
        for mart in marts
        for test in mart["data_tests"]
        if isinstance(test, dict)
    }
    declared = declared_history(prepared.manifest)
    assert {name: spec.key for name, spec in declared.items()} == unique
    assert {name for name, spec in declared.items() if spec.kind == "versions"} == {"unified_customers"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"materialized": "view"}, "Only a table"),
        ({"meta": {"history": {"key": ["customer"], "as": "versions"}}}, "does not have"),
        ({"meta": {"history": "yes"}}, "declares its history as"),
    ],
    ids=["view", "unknown column", "no declaration"],
)
def test_a_history_that_cannot_be_kept_is_refused_before_anything_is_built(prepared: Any, change: Any, words: str):
    manifest = copy_manifest(prepared.manifest)
    for name, value in change.items():
        setattr(manifest.nodes["model.sluice.unified_customers"].config, name, value)
    with pytest.raises(PermanentError, match=words):
        declared_history(manifest)

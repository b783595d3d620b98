"""A manifest of placeholders becomes one tenant's, or nothing runs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import PermanentError
from orchestration.resources.dbt_runner import build_manifest, prepare_set
from orchestration.resources.prepared_sets import PreparedSet
from orchestration.resources.retargeting import BuildTarget, assert_inside, relation_name, retarget
from orchestration.settings import PROJECT_ROOT

EXAMPLE_SET = PROJECT_ROOT / "tests" / "dbt_project" / "example_set"
# Nothing listens there: whoever runs SQL on it gets a RetryableError.
UNREACHABLE = "postgresql://tenant_acme_builder:hidden-word@127.0.0.1:1/warehouse"
ACME = BuildTarget(UNREACHABLE, "tenant_acme", "tenant_acme_analytics__build")
MODEL = "model.sluice.unified_customers"
TEST = "test.sluice.unique_combination_unified_customers_customer_key."


def write_set(directory: Path) -> Path:
    shutil.copytree(EXAMPLE_SET, directory)
    (directory / "dbt_packages").mkdir()
    (directory / "dbt_packages" / "sluice").symlink_to(PROJECT_ROOT / "dbt_project")
    return directory


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    return prepare_set(write_set(tmp_path_factory.mktemp("sets") / "example"), tmp_path_factory.mktemp("parsed"))


def test_every_node_and_source_is_the_tenants(prepared: PreparedSet):
    moved = retarget(prepared.manifest, ACME)
    models = [node for node in moved.nodes.values() if node.resource_type == "model"]
    assert len(models) == 34
    for node in moved.nodes.values():
        assert (node.database, node.schema) == ("warehouse", "tenant_acme_analytics__build")
    assert moved.nodes[MODEL].relation_name == '"warehouse"."tenant_acme_analytics__build"."unified_customers"'
    for source in moved.sources.values():
        assert source.relation_name == f'"warehouse"."tenant_acme"."{source.identifier}"'
    assert {test.schema for test in moved.unit_tests.values()} == {"tenant_acme_analytics__build"}


def test_the_kept_manifest_keeps_its_placeholders(prepared: PreparedSet):
    retarget(prepared.manifest, ACME)
    assert {source.schema for source in prepared.manifest.sources.values()} == {"sluice_raw"}
    assert {node.schema for node in prepared.manifest.nodes.values()} == {"sluice_build"}


def test_the_url_of_a_target_does_not_show():
    assert "hidden-word" not in repr(ACME)


def set_attribute(collection: str, prefix: str, attribute: str, value: str) -> Callable[[Any], None]:
    def change(manifest: Any) -> None:
        nodes = getattr(manifest, collection)
        setattr(nodes[next(key for key in nodes if key.startswith(prefix))], attribute, value)

    return change


OTHER = '"warehouse"."tenant_other"."crm_customer"'
WRONGLY_MOVED = {
    "model schema": set_attribute("nodes", MODEL, "schema", "tenant_other_analytics__build"),
    "model database": set_attribute("nodes", MODEL, "database", "another"),
    "model relation": set_attribute("nodes", MODEL, "relation_name", '"warehouse"."x"."unified_customers"'),
    "model alias": set_attribute("nodes", MODEL, "alias", "elsewhere"),
    "ephemeral schema": set_attribute("nodes", "model.sluice_set.stg_crm__customer", "schema", "tenant_other"),
    "test schema": set_attribute("nodes", TEST, "schema", "dbt_test__audit"),
    "test relation": set_attribute("nodes", TEST, "relation_name", OTHER),
    "source schema": set_attribute("sources", "source.sluice_set.crm", "schema", "tenant_other"),
    "source relation": set_attribute("sources", "source.sluice_set.crm", "relation_name", OTHER),
    "source identifier": set_attribute("sources", "source.sluice_set.crm", "identifier", "other_table"),
    "unit test schema": set_attribute("unit_tests", "unit_test.sluice", "schema", "tenant_other"),
}


@pytest.mark.parametrize("change", WRONGLY_MOVED.values(), ids=WRONGLY_MOVED)
def test_a_manifest_that_points_elsewhere_is_refused_before_any_sql(
    prepared: PreparedSet, tmp_path: Path, change: Callable[[Any], None]
):
    moved = retarget(prepared.manifest, ACME)
    change(moved)
    with pytest.raises(PermanentError, match="points outside its tenant, nothing was run"):
        build_manifest(moved, prepared.directory, ACME, log_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_tenants_manifest_is_refused(prepared: PreparedSet):
    other = BuildTarget(UNREACHABLE, "tenant_other", "tenant_other_analytics__build")
    with pytest.raises(PermanentError, match="outside its tenant"):
        assert_inside(retarget(prepared.manifest, ACME), other)


def test_a_source_that_names_a_schema_of_its_own_is_refused(tmp_path: Path):
    directory = write_set(tmp_path / "set")
    sources = directory / "models" / "staging" / "crm" / "_crm__sources.yml"
    sources.write_text(sources.read_text("utf-8").replace("sluice_raw", "tenant_other"), "utf-8")
    with pytest.raises(PermanentError, match="not the placeholder"):
        retarget(prepare_set(directory, tmp_path / "parsed").manifest, ACME)


@pytest.mark.parametrize("part", ['a"b', "", "a\0b"], ids=["quote", "empty", "nul"])
def test_a_name_that_dbt_cannot_quote_is_refused(part: str):
    with pytest.raises(PermanentError, match="cannot quote"):
        relation_name("warehouse", part)


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("models/own/grows.sql", "{{ config(materialized='incremental') }} select 1 as one", "incremental"),
        ("models/own/hooked.sql", "{{ config(materialized='table', pre_hook='select 1') }} select 1 as one", "a hook"),
        ("seeds/planted.csv", "one\n1\n", "a seed"),
    ],
    ids=["incremental", "hook", "seed"],
)
def test_what_a_release_may_not_hold_is_refused(tmp_path: Path, path: str, text: str, named: str):
    directory = write_set(tmp_path / "set")
    (directory / path).parent.mkdir(exist_ok=True)
    (directory / path).write_text(text, "utf-8")
    with pytest.raises(PermanentError, match=named):
        prepare_set(directory, tmp_path / "parsed")


def test_a_run_hook_of_the_project_is_refused(tmp_path: Path):
    directory = write_set(tmp_path / "set")
    with (directory / "dbt_project.yml").open("a", encoding="utf-8") as file:
        file.write('on-run-start: "drop schema public"\n')
    with pytest.raises(PermanentError, match="operation"):
        prepare_set(directory, tmp_path / "parsed")

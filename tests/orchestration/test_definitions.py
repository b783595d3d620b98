import json
import os
import subprocess
import sys

import dagster as dg
import pytest

from orchestration.assets.tables import rows_table
from orchestration.definitions import defs
from orchestration.partitions import tenants

STEPS = ["sample/streams", "analysis/profile", "analysis/mappings", "analysis/model_plan", "analysis/proof"]
STEPS += [
    "analysis/review",
    "raw/streams",
    "raw/drift",
    "analytics/models",
    "analytics/release",
    "insights/daily_report",
]
MARTS = ["unified_customers", "revenue_analytics", "developer_activity", "dashboard_summary"]
CHECKS = {
    "sample/streams": {"streams_have_records"},
    "analysis/profile": {"streams_have_keys"},
    "analysis/mappings": {"streams_feed_marts"},
    "analysis/proof": {"plan_fits_the_sample", "models_are_safe", "builds_on_the_sample"},
    "analysis/review": {"approved"},
    "raw/streams": {"records_conserved"},
    "raw/drift": {"fits_plan", "nothing_new"},
    "analytics/models": {"tests", "rows_conserved"},
    **{f"analytics/{mart}": {"tests"} for mart in MARTS},
    "analytics/release": {"fresh", "history"},
    "insights/daily_report": {"numbers_are_facts", "data_is_current"},
}
"""The plan itself has none: its gates are the proof's."""
KINDS = {
    "sample": {"airbyte", "postgres"},
    "analysis/proof": {"dbt", "postgres"},
    "analysis": {"python"},
    "raw/streams": {"airbyte", "postgres"},
    "raw/drift": {"postgres"},
    "analytics/release": {"postgres"},
    "analytics": {"dbt", "postgres"},
    "insights": {"python", "postgres"},
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What a fresh process knows after loading the definitions with nothing running and no secret set."""
    folder = tmp_path_factory.mktemp("offline")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    code = (
        "import json, sys, orchestration.definitions as d;"
        "keys = [key.to_user_string() for key in d.defs.resolve_all_asset_keys()];"
        "print(json.dumps({'assets': keys, 'modules': list(sys.modules)}))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment | {"SLUICE_HOME": str(folder / "never started")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir()), "loading wrote something"
    return json.loads(done.stdout)


def test_definitions_load_offline_with_nothing_running_and_no_secret_set(loaded):
    assert sorted(loaded["assets"]) == sorted([*STEPS, *(f"analytics/{mart}" for mart in MARTS)])


def test_loading_leaves_the_heavy_libraries_alone(loaded):
    assert {"pandas", "airbyte_api", "airbyte_cdk", "dagster_airbyte"}.isdisjoint(loaded["modules"])


def test_every_asset_is_partitioned_by_tenant_and_grouped_by_its_layer():
    graph = defs.resolve_asset_graph()
    keys = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert set(keys) == {*STEPS, *(f"analytics/{mart}" for mart in MARTS)}
    for name, node in keys.items():
        assert node.partitions_def == tenants, name
        assert node.group_name == name.split("/")[0], name


def test_every_asset_says_what_it_is_why_and_where_to_look_and_of_which_kind_it_is():
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        name, node = key.to_user_string(), graph.get(key)
        what, why, where = str(node.description).split("\n\n")
        assert what.endswith(".") and len(what) > 30, name
        assert why.startswith("Why: ") and where.startswith("Where to look: "), name
        assert node.kinds == KINDS.get(name, KINDS.get(name.split("/")[0])), name


def test_the_gates_and_what_is_worth_knowing_are_checks_told_for_each_tenant_apart():
    graph = defs.resolve_asset_graph()
    found = {}
    for key in graph.asset_check_keys:
        check = graph.get_check_spec(key)
        assert check.partitions_def == tenants and len(str(check.description)) > 60, key
        found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert found == CHECKS


def test_whatever_starts_runs_says_why_and_where_to_look():
    repository = defs.get_repository_def()
    told = {each.name: str(each.description) for each in (*repository.get_all_jobs(), *repository.schedule_defs)} | {
        each.name: str(each.description) for each in repository.sensor_defs
    }
    named = {name: text for name, text in told.items() if not name.startswith("__")}
    assert len(named) == 10
    assert [name for name, text in named.items() if len(text) < 100 or not text.endswith(".")] == []


@pytest.mark.parametrize("job", ["onboard_tenant", "model_tenant", "refresh_tenant", "build_tenant"])
def test_runs_carry_their_tenant_and_a_name_from_the_moment_they_are_queued(job):
    tags = defs.resolve_job_def(job).get_tags_for_partition_key("acme", selected_asset_keys=None)
    assert tags["sluice/tenant"] == "acme"
    assert tags["sluice/run"] == f"{job.removesuffix('_tenant')} acme"


def test_a_refresh_leaves_the_plan_alone_and_an_onboarding_does_everything():
    def selected(job: str) -> set[str]:
        return {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.selected_asset_keys}

    refreshed = selected("refresh_tenant")
    assert refreshed == {
        name for name in selected("onboard_tenant") if name.split("/")[0] in ("raw", "analytics", "insights")
    }
    assert selected("build_tenant") == refreshed - {"raw/streams"}
    assert selected("model_tenant") == set(STEPS[:6])
    assert selected("onboard_tenant") == refreshed | set(STEPS[:6])


def test_marts_depend_on_the_models_before_them_and_the_release_on_all():
    graph = defs.resolve_asset_graph()
    release = graph.get(dg.AssetKey(["analytics", "release"]))
    assert {key.path[-1] for key in release.parent_keys} == {"models", *MARTS}
    revenue = graph.get(dg.AssetKey(["analytics", "revenue_analytics"]))
    assert {key.path[-1] for key in revenue.parent_keys} == {"models"}


@pytest.mark.parametrize(
    "value", ["<img src=x onerror=alert(1)>", "a|b", "[click](javascript:alert(1))", "`code`", "line\nbreak"]
)
def test_a_preview_shows_what_tenants_wrote_as_text(value):
    text = str(rows_table([{"note": value}]).value)
    row = text.splitlines()[2]
    assert len(text.splitlines()) == 3
    for character in "<>[]`":
        assert row.count(character) == row.count("\\" + character)
    assert row.replace("\\|", "").count("|") == 2

import json
import os
import subprocess
import sys

import dagster as dg
import pytest

from orchestration.assets.steps import rows_table
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

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


def test_definitions_load_offline_with_nothing_running_and_no_secret_set(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    code = "import orchestration.definitions as d; print(len(list(d.defs.resolve_all_asset_keys())))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment | {"SLUICE_HOME": str(tmp_path / "never started")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(STEPS) + len(MARTS)
    assert not list(tmp_path.iterdir()), "loading wrote something"


def test_loading_leaves_the_heavy_libraries_alone():
    heavy = ("pandas", "airbyte_api", "airbyte_cdk")
    code = f"import sys, orchestration.definitions; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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

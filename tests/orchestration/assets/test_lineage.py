"""One way from the sample to the report, and for each step what to do when it fails."""

from itertools import pairwise

import dagster as dg
import pytest

from orchestration.assets.failures import tell_failure
from orchestration.assets.lineage import STEPS, first_line, neighbours
from orchestration.assets.links import step_links
from orchestration.cli import app
from orchestration.definitions import defs
from orchestration.partitions import tenants
from orchestration.run_tags import FAILURE, run_tags


def test_following_the_next_step_leads_from_the_sample_to_the_report_and_back():
    way, key = [], STEPS[0].key
    while key is not None:
        way.append(key)
        before, key = neighbours(key)
        assert before == (way[-2] if way[1:] else None)
    assert [each.to_user_string() for each in (way[0], way[-1])] == ["sample/streams", "insights/daily_report"]
    graph = defs.resolve_asset_graph()
    for before, after in pairwise(way):
        assert before in graph.get(after).parent_keys, after
    marts = graph.get_all_asset_keys() - set(way)
    assert len(marts) >= 4
    for mart in marts:
        before, after = neighbours(mart)
        assert mart in graph.get(after).parent_keys and graph.get(mart).parent_keys & (marts | {before})


def test_links_stay_with_the_tenant():
    shown = {label: link.value for label, link in step_links(dg.AssetKey(["raw", "drift"]), "acme").items()}
    assert shown == {
        "previous_step": "[raw/streams of acme](/assets/raw/streams?view=partitions&partition=acme)",
        "next_step": "[analytics/models of acme](/assets/analytics/models?view=partitions&partition=acme)",
    }


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key.to_user_string())
def test_every_remedy_ends_in_a_command_that_exists(step):
    from typer.main import get_command

    told = first_line(step.key.to_user_string(), "acme", "It\nfailed.")
    assert told.startswith("It failed. To do: ") and "\n" not in told
    command = get_command(app)
    words = told.rpartition("`sluice ")[2].partition("`")[0].split()
    assert words[-1] == "acme"
    for word in words[:-1]:
        command = command.commands[word]


def test_a_step_that_nobody_described_has_no_remedy():
    assert first_line("broken", "acme", "It failed.") == "It failed."


@pytest.mark.parametrize(
    ("job", "steps", "name"),
    [
        ("onboard_tenant", None, "onboard acme"),
        ("refresh_tenant", {"raw/streams"}, "sync acme"),
        ("refresh_tenant", {"raw/drift", "analytics/models", "analytics/release"}, "build acme"),
        ("refresh_tenant", {"insights/daily_report"}, "analyse acme"),
        ("refresh_tenant", {"raw/streams", "raw/drift", "analytics/release", "insights/daily_report"}, "refresh acme"),
        ("__ASSET_JOB", {"raw/drift"}, "raw/drift acme"),
        ("__ASSET_JOB", {"raw/drift", "raw/streams"}, "2 steps of acme"),
    ],
    ids=["a whole job", "sync", "build", "analyse", "all that the UI chose", "one asset", "some assets"],
)
def test_a_run_is_called_by_what_it_does_for_whom(job, steps, name):
    assert run_tags(job, steps, "acme") == {"sluice/tenant": "acme", "sluice/run": name}


def test_a_failure_is_told_by_the_run_and_by_the_asset_with_what_the_tenant_wrote_as_text():
    @dg.asset(key=["raw", "drift"], partitions_def=tenants)
    def drift(context: dg.AssetExecutionContext) -> None:
        tell_failure(context, "raw/drift", "Column [x](javascript:y) is missing.")

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(tenants.name, ["acme"])
        done = dg.materialize([drift], partition_key="acme", instance=instance)
        (observed,) = instance.fetch_observations(dg.AssetKey(["raw", "drift"]), limit=5).records
        tag = instance.get_run_by_id(done.run_id).tags[FAILURE]
    remedy = "To do: `sluice tenant resume acme`, then `sluice onboard acme`."
    assert tag == f"raw/drift: Column [x](javascript:y) is missing. {remedy}"
    assert observed.asset_observation.partition == "acme"
    assert observed.asset_observation.metadata["failure"].value == rf"Column \[x\](javascript:y) is missing. {remedy}"


def test_steps_are_found_again_by_the_names_of_their_ops():
    for step in STEPS:
        assert defs.resolve_assets_def(step.key).op.name == "__".join(step.key.path)

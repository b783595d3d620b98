"""What checks say: a gate that refuses tells the tenant's check before the step fails; a warning names and advises."""

import dagster as dg
import pytest

from analysis.errors import PermanentError
from orchestration.assets import judgements
from orchestration.assets.approval import GATES, judge_verdict
from orchestration.assets.checks import gate
from orchestration.gates.proof import Verdict
from orchestration.partitions import tenants

SECRET = "[x](javascript:y)"


def test_a_gate_that_refuses_fails_the_check_of_this_tenant_with_why_and_what_to_do():
    @dg.asset(key=["raw", "drift"], partitions_def=tenants, check_specs=[judgements.FITS_PLAN])
    def drift(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with gate(context, judgements.FITS_PLAN, {"breaking": 1}):
            raise PermanentError(f"Column {SECRET} is missing.")

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(tenants.name, ["acme", "globex"])
        done = dg.materialize([drift], partition_key="acme", instance=instance, raise_on_error=False)
        key = judgements.FITS_PLAN.key
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    told = latest.event.dagster_event.event_specific_data
    assert (done.success, told.passed, told.partition) == (False, False, "acme")
    assert told.severity == dg.AssetCheckSeverity.ERROR and told.metadata["breaking"].value == 1
    assert told.description.startswith(r"Column \[x\](javascript:y) is missing. To do: `sluice tenant resume acme`")


@pytest.mark.parametrize("name", GATES)
def test_a_verdict_is_the_check_of_its_gate_with_all_its_problems(name):
    good = judge_verdict(Verdict(name, summary={"nodes": 12}), "acme")
    assert (good.passed, good.description, good.metadata["nodes"].value) == (True, "nodes 12", 12)
    bad = judge_verdict(Verdict(name, ("stg_a: no key", "stg_b: no type", SECRET)), "acme")
    assert (bad.passed, bad.check_name) == (False, good.check_name)
    assert bad.description.startswith("stg_a: no key And 2 more. To do: ".replace("_", r"\_"))
    assert bad.description.endswith("`sluice onboard acme`.")
    assert len(str(bad.metadata["problems"].value).splitlines()) == 5 and SECRET not in bad.metadata["problems"].value


@pytest.mark.parametrize(
    ("warned", "fine", "named"),
    [
        (judgements.judge_emptiness(["shop_a", "shop_b"], 5), judgements.judge_emptiness([], 5), r"shop\_a, shop\_b"),
        (judgements.judge_keys(["shop.a"], 5), judgements.judge_keys([], 5), "shop.a"),
        (judgements.judge_mappings(5, []), judgements.judge_mappings(5, ["order"]), "5 streams"),
        (judgements.judge_additions(["shop_a.note"], "acme"), judgements.judge_additions([], "acme"), "note"),
        (judgements.judge_currency(3), judgements.judge_currency(2), "3 days"),
        (judgements.judge_currency(None), judgements.judge_currency(0), "no data"),
    ],
    ids=["empty streams", "no keys", "nothing mapped", "new columns", "old data", "no data"],
)
def test_a_warning_names_what_it_is_about_and_what_to_do_and_stops_nothing(warned, fine, named):
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert named in warned.description and "To do: " in warned.description
    assert fine.passed and fine.description and "To do: " not in fine.description


def test_many_names_are_counted_not_listed():
    told = judgements.judge_emptiness([f"shop.s{number}" for number in range(40)], 50).description
    assert "40 of 50" in told and "shop.s4 and 35 more" in told

"""From real records to published analytics and back, through the command line alone."""

import json
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import errors

# The first test waits for all three tenants; a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)

REAL = ("stripe", "github")
ONE_AFTER_ANOTHER = [
    "sample/streams",
    "analysis/profile",
    "analysis/mappings",
    "analysis/model_plan",
    "analysis/proof",
    "analysis/review",
    "raw/streams",
    "raw/drift",
    "analytics/models",
    "analytics/release",
    "insights/daily_report",
]
KEPT = {"", "_history", "_analytics"}
GROWN_UNTIL, GROWN_DAYS = ("2026-06-29", "2026-06-30"), 15
GROWN = {
    "canonical_customer": (("stripe", "customers"), ("shopify", "customers")),
    "canonical_payment": (("stripe", "charges"),),
    "canonical_order": (("shopify", "orders"),),
    "canonical_product": (("stripe", "products"), ("shopify", "products")),
    "canonical_repository": (("github", "repositories"),),
    "canonical_pull_request": (("github", "pull_requests"),),
}
"""The streams of the sandbox that feed each entity."""


def sources(shared, *connectors):
    return {
        name: f"file:path={shared / 'records' / name},catalog={shared / 'catalogs' / f'{name}.json'}"
        for name in connectors
    }


def rows(stack, tenant, query):
    with psycopg.connect(stack.reader_url(tenant)) as reader:
        return reader.execute(query).fetchall()


def release_of(stack, tenant):
    """What a reader sees of the products now."""
    return rows(stack, tenant, "select _source_record_id, name, price, _source from canonical_product order by 1")


def onboard_real(stack, shared):
    stack.add("real", **sources(shared, *REAL))
    stack.sluice("onboard", "real")


def onboard_twice_and_go_back(stack, shared):
    """The products as readers saw them at each release and after the way back, with the releases then."""
    stack.add("shop", **sources(shared, "shopify"))
    seen = []
    for command in ("onboard", "onboard", "rollback"):
        stack.sluice(command, "shop")
        listed = {each["release"]: each["status"] for each in stack.json("releases", "shop")}
        seen.append((stack.published("shop"), release_of(stack, "shop"), listed))
    return seen


def grow(stack, generate, table_of, folder):
    """A tenant whose files grow by a day after it was onboarded: what it had before, and the report of that day."""
    before, after = GROWN_UNTIL
    found = generate(folder, before, GROWN_DAYS)
    customers = folder / "stripe" / "customers.jsonl"
    customers.write_text(customers.read_text() + customers.read_text().splitlines()[0] + "\n")
    stack.add("grown", **found)
    stack.sluice("onboard", "grown")
    loads = table_of(last_metadata(stack, "grown", ["raw", "streams"])["conservation"]["md_str"])
    first = {
        "payments": rows(stack, "grown", "select count(*) from canonical_payment")[0][0],
        "customers": rows(stack, "grown", "select count(*) from canonical_customer where _source = 'stripe'")[0][0],
        "lines": len(customers.read_text().splitlines()),
        "loads": [row for row in loads if row["table"] == "stripe_customers"],
    }
    generate(folder, after, GROWN_DAYS + 1)
    stack.sluice("sync", "grown")
    stack.sluice("build", "grown")
    return first, stack.json("analyse", "grown")


@pytest.fixture(scope="module")
def journeys(stack, shared, generate, table_of, tmp_path_factory):
    """Three tenants on their ways at once."""
    with ThreadPoolExecutor(3) as pool:
        folder = tmp_path_factory.mktemp("grown")
        grown = pool.submit(grow, stack, generate, table_of, folder)
        real = pool.submit(onboard_real, stack, shared)
        shop = pool.submit(onboard_twice_and_go_back, stack, shared)
        return {"real": real.result(), "shop": shop.result(), "grown": grown.result(), "folder": folder}


def metadata_by_asset(stack, tenant):
    """Metadata of the newest materialisation of each of a tenant's assets, by label: what Dagster shows of a run."""
    query = """
        select asset_key, event from event_logs
        where dagster_event_type = 'ASSET_MATERIALIZATION' and partition = %s order by id
    """
    found = {}
    for asset, event in stack.dagster(query, tenant):
        entries = json.loads(event)["dagster_event"]["event_specific_data"]["materialization"]["metadata_entries"]
        found["/".join(json.loads(asset))] = {entry["label"]: entry["entry_data"] for entry in entries}
    return found


def last_metadata(stack, tenant, asset):
    return metadata_by_asset(stack, tenant)["/".join(asset)]


def declared_keys(shared, connector):
    catalog = json.loads((shared / "catalogs" / f"{connector}.json").read_text())
    return {stream["name"]: stream.get("source_defined_primary_key") or [] for stream in catalog["streams"]}


def key_of(record, paths):
    """The record's declared key, or None where a part of it is missing."""
    parts = []
    for path in paths:
        value = record
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        parts.append(value)
    return tuple(map(json.dumps, parts)) if parts and None not in parts else None


def distinct(records, paths):
    """Rows that the declared key leaves of the records; those without a whole key stay, each."""
    keys = [key_of(record, paths) for record in records]
    return len(set(keys) - {None}) + keys.count(None)


def test_every_record_of_every_stream_is_accounted_for(stack, shared, journeys, lines, table_of):
    emitted = dict(
        stack.control(
            "select connection_name, jsonb_object_agg(stream, records_synced order by sync_id)"
            " from analytics.airbyte_sync_history where tenant_id = 'real' group by connection_name"
        )
    )
    loads = table_of(last_metadata(stack, "real", ["raw", "streams"])["conservation"]["md_str"])
    loaded = {row["table"]: row for row in loads}
    staging = table_of(last_metadata(stack, "real", ["analytics", "models"])["conservation"]["md_str"])
    staged = {row["stream"]: row for row in staging}
    checked = 0
    for source in REAL:
        keys = declared_keys(shared, source)
        for file in sorted((shared / "records" / source).glob("*.jsonl")):
            name, table = f"{source}.{file.stem}", f"{source}_{file.stem}"
            records = lines(file)
            assert emitted[source][file.stem] == len(records), name
            raw = stack.control(f'select count(*) from tenant_real."{table}"')[0][0]
            assert raw + int(loaded[table]["duplicates"]) == len(records), name
            assert int(staged[name]["raw_rows"]) == raw, name
            assert int(staged[name]["staged_rows"]) + int(staged[name]["duplicates"]) == raw, name
            assert int(staged[name]["staged_rows"]) == distinct(records, keys[file.stem]), name
            checked += 1
    assert checked == len(loaded) == len(staged)


def test_a_stream_is_published_whole_in_its_own_model_or_in_an_entity(stack, shared, journeys, lines):
    counts = stack.control("select counts from sluice.releases where tenant_id = 'real' and status = 'published'")[0][0]
    for source in REAL:
        keys = declared_keys(shared, source)
        for file in (shared / "records" / source).glob("*.jsonl"):
            if f"{source}__{file.stem}" in counts:
                assert counts[f"{source}__{file.stem}"] == distinct(lines(file), keys[file.stem]), file.name
    for entity, (source, stream) in {
        "customer": ("stripe", "customers"),
        "payment": ("stripe", "charges"),
        "repository": ("github", "repositories"),
        "pull_request": ("github", "pull_requests"),
    }.items():
        keys = {str(record["id"]) for record in lines(shared / "records" / source / f"{stream}.jsonl")}
        found = rows(stack, "real", f"select _source, _source_record_id, id from canonical_{entity}")
        assert sorted(found) == sorted((source, key, key) for key in keys), entity


def test_payments_are_worth_what_the_records_say(stack, shared, journeys, lines):
    charges = {charge["id"]: charge for charge in lines(shared / "records" / "stripe" / "charges.jsonl")}
    minor = {"jpy": 0, "krw": 0, "vnd": 0, "clp": 0}
    wanted = {
        key: (charge["currency"], Decimal(charge["amount"]).scaleb(-minor.get(charge["currency"], 2)))
        for key, charge in charges.items()
    }
    found = rows(stack, "real", "select id, currency, amount from canonical_payment")
    assert {key: (currency.lower(), amount) for key, currency, amount in found} == wanted
    totals = defaultdict(Decimal)
    for currency, amount in wanted.values():
        totals[currency] += amount
    summed = rows(stack, "real", "select lower(currency), sum(amount) from canonical_payment group by 1")
    assert dict(summed) == dict(totals)


def test_customers_keep_their_names_and_addresses(stack, shared, journeys, lines):
    customers = lines(shared / "records" / "stripe" / "customers.jsonl")
    wanted = {each["id"]: (each["email"].strip().lower(), each["name"]) for each in customers}
    found = rows(stack, "real", "select id, email, full_name from canonical_customer")
    assert {key: (email, name) for key, email, name in found} == wanted


def test_a_reader_reads_what_is_published_and_nothing_else(stack, journeys):
    with psycopg.connect(stack.reader_url("real"), autocommit=True) as reader:
        relations = reader.execute("select tablename from pg_tables where schemaname = 'tenant_real_analytics'")
        names = [name for (name,) in relations]
        assert len(names) > 20
        for name in names:
            reader.execute(f'select count(*) from tenant_real_analytics."{name}"')
        for forbidden in (
            "tenant_real.stripe_charges",
            "tenant_shop_analytics.canonical_product",
            "tenant_grown.stripe_charges",
            "sluice.tenants",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(f"select * from {forbidden}")
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("create table tenant_real_analytics.mine (id int)")


def test_samples_and_scratch_are_gone_after_each_run(stack, journeys):
    assert stack.schemas("real") == KEPT
    assert stack.schemas("shop") == {*KEPT, "_analytics__r2"}
    assert stack.schemas("grown") == {*KEPT, "_analytics__r1"}
    for tenant, names in (
        ("real", ["github", "stripe"]),
        ("shop", ["shopify"]),
        ("grown", sorted((*REAL, "shopify"))),
    ):
        assert stack.connections(tenant) == names
    assert stack.control("select count(*) from pg_class where relnamespace = 'airbyte_internal'::regnamespace") == [
        (0,)
    ]


@pytest.mark.parametrize("tenant", ["real", "shop", "grown"])
def test_a_report_exists_and_its_facts_can_be_found_again_by_their_sql(stack, journeys, tenant):
    today = datetime.now(UTC).date()
    reports = stack.control("select day, release, markdown from sluice.reports where tenant_id = %s", tenant)
    assert [(day, bool(text.strip())) for day, _, text in reports] == [(today, True)]
    facts = [fact for (fact,) in stack.control("select fact from sluice.facts where tenant_id = %s", tenant)]
    assert len(facts) >= 5
    with psycopg.connect(stack.reader_url(tenant)) as reader:
        for fact in facts:
            found = reader.execute(fact["sql"])
            column = [each.name for each in found.description].index("value")
            values = [row[column] for row in found]
            wanted = None if fact["value"] is None else Decimal(str(fact["value"]))
            assert [None if value is None else Decimal(value) for value in values] == [wanted], fact["id"]


def test_products_of_a_shop_alone_are_published_with_their_titles(stack, shared, journeys, lines):
    wanted = {str(each["id"]): each["title"] for each in lines(shared / "records" / "shopify" / "products.jsonl")}
    found = release_of(stack, "shop")
    assert [(key, name) for key, name, *_ in found] == sorted(wanted.items())


def test_tenants_see_their_own_fleet_rows_only(stack, journeys):
    for mart in ("unified_customers", "revenue_analytics", "developer_activity", "dashboard_summary"):
        everyone = dict(
            stack.control(
                f"select tenant_id, count(*) from analytics.{mart} join analytics.current_release"
                " using (tenant_id, release) group by 1"
            )
        )
        for tenant in ("real", "shop", "grown"):
            own = rows(stack, tenant, f"select count(*) from tenant_{tenant}_analytics.{mart}")[0][0]
            assert everyone.get(tenant, 0) == own, (mart, tenant)
            seen = rows(stack, tenant, f"select distinct tenant_id from analytics.{mart}")
            assert seen == ([(tenant,)] if own else []), (mart, tenant)


def test_a_second_onboarding_publishes_the_same_rows_and_rollback_brings_the_first_release_back(journeys):
    (first, before, _), (second, again, _), (back, after, listed) = journeys["shop"]
    assert (first, second, back) == (1, 2, 1)
    assert before == again == after != []
    assert listed == {1: "published", 2: "rolled_back"}


def test_files_that_grew_by_a_day_are_published_after_sync_and_build(stack, journeys, lines):
    (first, _), folder = journeys["grown"], journeys["folder"]
    for model, streams in GROWN.items():
        found = set(rows(stack, "grown", f"select _source, _source_record_id from {model}"))
        for source, stream in streams:
            keys = {str(each["id"]) for each in lines(folder / source / f"{stream}.jsonl")}
            assert {key for name, key in found if name == source} == keys, (model, source)
        assert {name for name, _ in found} == {source for source, _ in streams}, model
    assert first["payments"] < len(lines(folder / "stripe" / "charges.jsonl"))
    assert stack.published("grown") == 2


def test_a_record_that_comes_twice_is_one_row_and_counted(journeys):
    first, _ = journeys["grown"]
    (row,) = first["loads"]
    assert int(row["records"]) == first["lines"] == first["customers"] + 1
    assert (int(row["rows"]), int(row["duplicates"])) == (first["customers"], 1)


def test_the_report_of_a_grown_tenant_is_about_its_newest_release(stack, journeys):
    _, report = journeys["grown"]
    kept = stack.control("select report, release from sluice.reports where tenant_id = 'grown'")
    assert [(report, 2)] == kept


def leads_somewhere(entry, assets):
    """Whether a link's page answers, its file is there, its asset exists; None for what is no link."""
    if "url" in entry:
        return httpx.get(entry["url"]).status_code == 200
    if "path" in entry:
        return Path(entry["path"]).exists()
    step = re.fullmatch(
        r"\[(\S+) of (\S+)\]\(/assets/(\S+)\?view=partitions&partition=(\S+)\)", entry.get("md_str", "")
    )
    return step.group(1) == step.group(3) in assets and step.group(2) == step.group(4) == "real" if step else None


def test_every_materialisation_tells_rows_or_counts_seconds_a_table_and_where_to_look(stack, journeys, table_of):
    found = metadata_by_asset(stack, "real")
    assert {name.split("/")[0] for name in found} == {"sample", "analysis", "raw", "analytics", "insights"}
    assert len(found) == 15
    for name, metadata in found.items():
        assert metadata["seconds"]["value"] >= 0, name
        assert [label for label, entry in metadata.items() if isinstance(entry.get("value"), int)], name
        tables = [entry["md_str"] for entry in metadata.values() if entry.get("md_str", "").startswith("|")]
        assert tables and all(map(table_of, tables)), name
        links = {label: leads_somewhere(entry, found) for label, entry in metadata.items()}
        assert [label for label, leads in links.items() if leads], (name, metadata)
        assert [label for label, leads in links.items() if leads is False] == [], name
        before, after = links.get("previous_step"), links.get("next_step")
        assert before or name == "sample/streams", name
        assert after or name == "insights/daily_report", name
    for name in ("sample/streams", "raw/streams"):
        sizes = table_of(found[name]["tables"]["md_str"])
        for label, column in (("dagster/row_count", "rows"), ("bytes", "bytes")):
            assert found[name][label]["value"] == sum(int(row[column]) for row in sizes) > 0, (name, label)


def test_charts_and_timings_are_of_the_tenants_own_numbers(stack, journeys, table_of):
    found = metadata_by_asset(stack, "grown")
    revenue = found["analytics/revenue_analytics"]["chart"]["md_str"]
    assert "](data:image/svg+xml," in revenue and len(revenue) < 1000
    currency, last, most = re.search(r"revenue in (\w+) by day, \S+ to (\S+), at most ([\d,]+)$", revenue).groups()
    by_day = rows(
        stack,
        "grown",
        "select revenue_date::text, gross_amount from revenue_analytics"
        f" where currency = '{currency}' and gross_amount > 0 order by 1",
    )
    assert last == by_day[-1][0]
    assert int(most.replace(",", "")) == round(max(amount for _, amount in by_day))
    timings = table_of(metadata_by_asset(stack, "real")["insights/daily_report"]["timings"]["md_str"])
    assert [row["step"] for row in timings] == ONE_AFTER_ANOTHER
    assert max(timings, key=lambda row: float(row["seconds"]))["bar"] == "█" * 12


def test_every_gate_passed_and_says_what_it_found_and_what_did_not_pass_is_a_warning(stack, journeys):
    query = """
        select distinct on (asset_key, check_name) check_name, execution_status, evaluation_event
        from asset_check_executions where partition = 'real' order by asset_key, check_name, id desc
    """
    found = [
        (name, status, json.loads(event)["dagster_event"]["event_specific_data"])
        for name, status, event in stack.dagster(query)
    ]
    assert len(found) == 20
    assert [name for name, _, told in found if not told["description"] and name not in ("fresh", "history")] == []
    warnings = {name: told for name, status, told in found if status != "SUCCEEDED"}
    assert "data_is_current" in warnings  # the records are years old
    assert set(warnings) <= {"data_is_current", "streams_have_records", "streams_have_keys", "streams_feed_marts"}
    for name, told in warnings.items():
        assert told["severity"]["__enum__"] == "AssetCheckSeverity.WARN" and "To do: " in told["description"], name


def test_runs_are_tagged_with_their_tenant_and_called_by_what_they_do(stack, journeys):
    query = """
        select job.value, name.value, place.value from run_tags tenant
        join run_tags name on name.run_id = tenant.run_id and name.key = 'sluice/run'
        join run_tags place on place.run_id = tenant.run_id and place.key = '.dagster/repository'
        join run_tags job on job.run_id = tenant.run_id and job.key = 'dagster/partition'
        where tenant.key = 'sluice/tenant' and tenant.value = 'grown' order by tenant.run_id
    """
    names = ["onboard grown", "sync grown", "build grown", "analyse grown"]
    assert sorted(stack.dagster(query)) == sorted(("grown", name, "__repository__@sluice") for name in names)


def test_nobody_reads_a_customers_name_or_address_in_what_dagster_keeps(stack, journeys, lines):
    folder = journeys["folder"]
    kept = "".join(event for (event,) in stack.dagster("select event from event_logs where partition = 'grown'"))
    assert "unified_customers" in kept
    for customer in lines(folder / "stripe" / "customers.jsonl"):
        assert customer["email"].lower() not in kept.lower()
        assert customer["name"] not in kept


def test_every_reading_command_prints_json(stack, journeys):
    tenants = {each["tenant"]: (each["status"], each["release"]) for each in stack.json("tenant", "list")}
    assert tenants.items() >= {"real": ("active", 1), "shop": ("active", 1), "grown": ("active", 2)}.items()
    status = stack.json("status")
    assert {each["state"] for each in status["components"]} == {"running", "down"}
    stale = {each["tenant"]: each["reason"] for each in status["stale"]}
    assert stale["shop"].startswith("Rolled back from release 2 by ") and "real" not in stale
    assert {each["ok"] for each in stack.json("doctor")} == {"ok"}
    shown = stack.json("tenant", "show", "real")
    assert (shown["incidents"], len(shown["sources"])) == ([], 2)

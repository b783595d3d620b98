"""What is refused is refused in one sentence that names the thing; nothing is left behind and the tenant runs again."""

import json
import shutil
import socket
from contextlib import closing

import psycopg
import pytest

from orchestration.stack.endpoints import load_endpoints

CATALOG = {
    "streams": [
        {
            "name": "orders",
            "json_schema": {
                "type": "object",
                "properties": {
                    "id": {"type": ["null", "integer"]},
                    "total": {"type": ["null", "integer"]},
                    "placed_at": {"type": ["null", "string"], "format": "date-time"},
                },
            },
            "supported_sync_modes": ["full_refresh"],
            "source_defined_primary_key": [["id"]],
        }
    ]
}
BROKEN = '{"id": 99, "total":'


def order(number, total=5):
    return {"id": number, "total": total, "placed_at": f"2026-01-{number % 28 + 1:02d}T00:00:00Z"}


def write(folder, records, end=""):
    """Orders as a file with its catalog; the source that reads them."""
    folder.mkdir(exist_ok=True)
    (folder / "orders.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + end)
    (folder / "catalog.json").write_text(json.dumps(CATALOG))
    return f"file:path={folder / 'orders.jsonl'},catalog={folder / 'catalog.json'}"


def is_unknown(stack, tenant):
    """Whether nothing of a tenant is anywhere."""
    remembered = stack.control("select 1 from sluice.tenants where tenant_id = %s", tenant)
    logins = stack.control("select 1 from pg_roles where rolname ~ %s", f"^tenant_{tenant}(_|$)")
    return not (remembered or logins or stack.schemas(tenant) or stack.connections(tenant))


@pytest.fixture(scope="module")
def tiny(stack, tmp_path_factory):
    """A tenant of three orders, added and not onboarded."""
    stack.add("tiny", shop=write(tmp_path_factory.mktemp("tiny") / "orders", map(order, range(3))))
    return "tiny"


@pytest.fixture
def dead_port():
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["tenant", "add", "Bad-Id", "--source", "shop=file:path=/data"], "Bad-Id"),
        (["tenant", "add", "acme", "--source", "nonsense"], "nonsense"),
        (["onboard", "nobody"], "nobody"),
    ],
    ids=["tenant id outside the rule", "malformed source", "unknown tenant"],
)
def test_what_cannot_be_is_refused_by_name(stack, words, names):
    ended = stack.attempt(*words)
    assert names in ended.sentence
    assert is_unknown(stack, "acme")


def test_a_traceback_is_printed_on_request(stack):
    ended = stack.attempt("onboard", "nobody", "--debug")
    assert ended.code == 2
    assert "Traceback" in ended.err
    assert ended.err.count("error: ") == 1


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("shop=oracle:host=db.internal", ["oracle"]),
        ("shop=file:path=/nowhere/orders.jsonl", ["/nowhere/orders.jsonl"]),
        ("shop=file:path={broken}", ["{broken}", "2"]),
    ],
    ids=["unknown source type", "missing file", "line that is not JSON"],
)
def test_a_source_that_cannot_be_read_leaves_no_tenant(stack, tmp_path, source, named):
    broken = tmp_path / "orders.jsonl"
    broken.write_text(json.dumps(order(1)) + "\n" + BROKEN + "\n" + json.dumps(order(2)) + "\n")
    sentence = stack.attempt("tenant", "add", "acme", "--source", source.format(broken=broken)).sentence
    for each in named:
        assert each.format(broken=broken) in sentence
    assert is_unknown(stack, "acme")


def test_without_a_stack_every_command_says_how_to_start_one(stack, tmp_path):
    for words in (["tenant", "list"], ["onboard", "acme"]):
        ended = stack.attempt(*words, SLUICE_HOME=str(tmp_path / "home"))
        assert "sluice up" in ended.sentence
        assert not (tmp_path / "home").exists()


def test_a_database_that_does_not_answer_is_named(stack, tmp_path, dead_port):
    url = f"postgresql://sluice_control:secret-word@127.0.0.1:{dead_port}/sluice"
    endpoints = load_endpoints(stack.home).model_copy(update={"control_url": url})
    endpoints.save(tmp_path)
    shutil.copy(stack.home / "secret.key", tmp_path / "secret.key")
    for words in (["tenant", "list"], ["onboard", "acme"]):
        sentence = stack.attempt(*words, SLUICE_HOME=str(tmp_path)).sentence
        assert str(dead_port) in sentence, (words, sentence)
        assert "database did not answer" in sentence
        assert "secret-word" not in sentence


def test_a_start_without_its_database_names_it_and_leaves_nothing_running(stack, tmp_path, dead_port):
    url = f"postgresql://sluice_control:secret-word@127.0.0.1:{dead_port}/sluice"
    ended = stack.attempt("up", "--no-ui", SLUICE_HOME=str(tmp_path / "home"), SLUICE_DATABASE_URL=url)
    assert str(dead_port) in ended.sentence
    assert "secret-word" not in ended.err
    assert not (tmp_path / "home" / "endpoints.json").exists()


def test_a_port_in_use_is_named_with_its_variable(stack, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        ended = stack.attempt("up", "--no-ui", SLUICE_HOME=str(tmp_path / "home"), SLUICE_POSTGRES_PORT=port)
    assert port in ended.sentence
    assert "SLUICE_POSTGRES_PORT" in ended.sentence
    assert not (tmp_path / "home" / "endpoints.json").exists()


def test_of_two_runs_at_once_the_second_is_refused_and_the_first_goes_on(stack, tiny, wait_until):
    first = stack.start("onboard", tiny)
    try:
        holds = "select 1 from pg_stat_activity where application_name = 'sluice run tiny'"
        wait_until(lambda: first.poll() is not None or stack.control(holds), pause=0.2)
        second = stack.attempt("onboard", tiny)
    finally:
        ended = stack.end(first)
    assert "tiny" in second.sentence
    assert "run in progress" in second.sentence
    assert (ended.code, stack.published(tiny), stack.leftovers(tiny)) == (0, 1, [])


def test_a_paused_tenant_is_told_why_it_does_not_run(stack, tiny):
    stack.sluice("tenant", "pause", tiny, "--reason", "their bill")
    before = stack.published(tiny)
    sentence = stack.attempt("onboard", tiny).sentence
    assert "tiny is paused" in sentence
    assert "their bill" in sentence
    assert (stack.published(tiny), stack.leftovers(tiny)) == (before, [])


@pytest.mark.slow
def test_a_record_that_contradicts_its_schema_is_loaded_as_null_and_the_run_goes_on(stack, tmp_path):
    records = [order(1), {"id": 2, "total": "a lot", "placed_at": "some day"}, order(3)]
    stack.add("contrary", shop=write(tmp_path / "orders", records))
    stack.sluice("onboard", "contrary")
    raw = stack.control("select id, total, placed_at, _airbyte_meta -> 'changes' from tenant_contrary.shop_orders")
    changed = next(row for row in raw if row[0] == 2)
    assert changed[1:3] == (None, None)
    assert sorted(each["field"] for each in changed[3]) == ["placed_at", "total"]
    assert {each["change"] for each in changed[3]} == {"NULLED"}
    assert [row[3] for row in raw if row[0] != 2] == [[], []]
    with psycopg.connect(stack.reader_url("contrary")) as reader:
        query = "select id, total_amount from canonical_order order by 1"
        assert reader.execute(query).fetchall() == [("1", 5), ("2", None), ("3", 5)]


def last_fresh_check(stack, tenant):
    """What the check `fresh` of a tenant's release last said in Dagster."""
    query = """
        select execution_status from asset_check_executions
        where check_name = 'fresh' and partition = %s order by id desc limit 1
    """
    return stack.dagster(query, tenant)[0][0]


def told_failures(stack, tenant):
    """The first lines of a tenant's failed runs, and what their assets say of them, in the order of the runs."""
    tags = "select failure.value from run_tags failure join run_tags tenant using (run_id)"
    tags += " where failure.key = 'sluice/failure' and tenant.key = 'sluice/tenant' and tenant.value = %s"
    query = "select asset_key, event from event_logs where dagster_event_type = 'ASSET_OBSERVATION' and partition = %s"
    observed = {}
    for asset, event in stack.dagster(f"{query} order by id", tenant):
        (entry,) = json.loads(event)["dagster_event"]["event_specific_data"]["asset_observation"]["metadata_entries"]
        observed["/".join(json.loads(asset))] = entry["entry_data"]["md_str"]
    return [value for (value,) in stack.dagster(tags, tenant)], observed


@pytest.mark.slow
def test_a_source_that_breaks_half_way_spoils_nothing_and_runs_again_when_mended(stack, tmp_path, checksums):
    folder, size = tmp_path / "orders", 60_000
    source = write(folder, map(order, range(10)))
    stack.add("halfway", shop=source)
    stack.sluice("onboard", "halfway")
    before = checksums("halfway")
    write(folder, map(order, range(size)), end=BROKEN + "\n")
    for command in ("onboard", "sync"):
        sentence = stack.attempt(command, "halfway").sentence
        assert str(folder / "orders.jsonl") in sentence, command
        assert str(size + 1) in sentence, command
        assert (stack.published("halfway"), checksums("halfway"), stack.leftovers("halfway")) == (1, before, [])
        assert stack.control("select count(*) from tenant_halfway.shop_orders") == [(10,)]
    internal = "select count(*) from pg_class where relnamespace = 'airbyte_internal'::regnamespace"
    assert stack.control(internal) == [(0,)]
    assert stack.json("tenant", "show", "halfway")["incidents"]
    (stale,) = [each for each in stack.json("status")["stale"] if each["tenant"] == "halfway"]
    assert stale["release"] == 1 and str(folder / "orders.jsonl") in stale["reason"]
    assert [each["stale"] for each in stack.json("releases", "halfway")] == [stale["reason"]]
    assert last_fresh_check(stack, "halfway") == "FAILED"
    tags, observed = told_failures(stack, "halfway")
    assert set(observed) == {"raw/streams"} and len(tags) == 2  # the sample ends before the broken line
    for told in (*tags, f"raw/streams: {observed['raw/streams']}"):
        assert told.startswith("raw/streams: ") and str(size + 1) in told
        assert "`sluice sync halfway`" in told.partition("To do: ")[2]
    write(folder, map(order, range(size)))
    stack.sluice("onboard", "halfway")
    assert stack.published("halfway") > 1
    with psycopg.connect(stack.reader_url("halfway")) as reader:
        assert reader.execute("select count(*), count(distinct id) from canonical_order").fetchall() == [(size, size)]
    assert (stack.leftovers("halfway"), stack.json("tenant", "show", "halfway")["incidents"]) == ([], [])
    assert "halfway" not in [each["tenant"] for each in stack.json("status")["stale"]]
    assert last_fresh_check(stack, "halfway") == "SUCCEEDED"


@pytest.mark.slow
def test_a_malformed_line_in_a_catalogued_file_stops_the_first_onboarding_and_names_its_place(stack, tmp_path):
    folder = tmp_path / "orders"
    stack.add("broken", shop=write(folder, map(order, range(3)), end=BROKEN + "\n"))
    sentence = stack.attempt("onboard", "broken").sentence
    assert str(folder / "orders.jsonl") in sentence
    assert "line=4" in sentence or "line 4" in sentence
    assert (stack.published("broken"), stack.leftovers("broken"), stack.schemas("broken")) == (
        None,
        [],
        {"", "_history"},
    )
    write(folder, map(order, range(3)))
    stack.sluice("onboard", "broken")
    assert stack.published("broken") is not None

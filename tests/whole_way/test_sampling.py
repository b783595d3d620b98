"""A tenant on an Airbyte that bounds no samples, whose run is killed while it samples: nothing is left of it."""

import json
import os

import pytest

pytestmark = pytest.mark.slow

TENANT = "stranded"
AGED = {"SLUICE_SAMPLE_SECONDS": "1"}
"""What is a second old is left behind, for a command that reads it so."""


@pytest.fixture
def stack(make_stack, tmp_path):
    """A stack whose Airbyte has no endpoint for samples."""
    with make_stack(tmp_path) as made:
        made.environment["AIRBYTE_SERVER_SAMPLES_ENABLED"] = "false"
        made.sluice("up", "--no-ui")
        yield made


@pytest.fixture
def orders(tmp_path):
    """The path of a stream and its source."""
    catalog = tmp_path / "catalog.json"
    properties = {"id": {"type": "integer"}, "created": {"type": "string", "format": "date-time"}}
    catalog.write_text(json.dumps({"streams": [{"name": "orders", "json_schema": {"properties": properties}}]}))
    path = tmp_path / "orders.jsonl"
    write(path, 1)
    return path, f"file:path={path},catalog={catalog},start_date=2020-01-01"


def write(path, count):
    path.write_text("".join(f'{{"id": {n}, "created": "2026-01-01T00:00:00Z"}}\n' for n in range(count)))


def block(path):
    """From now on the stream is a pipe that gives nothing."""
    path.unlink()
    os.mkfifo(path)


def kill_in_sample(stack, wait_until, look=lambda: None):
    run = stack.start("onboard", TENANT)
    wait_until(lambda: run.poll() is not None or len(stack.connections(TENANT)) == 2)
    assert run.poll() is None, stack.end(run)
    look()
    run.kill()
    run.communicate()


def test_a_sample_of_a_killed_run_is_named_by_doctor_and_removed_by_it_or_by_the_next_run(stack, orders, wait_until):
    path, source = orders
    stack.add(TENANT, shop=source)
    block(path)
    seen = []
    kill_in_sample(stack, wait_until, lambda: seen.append(told(stack, "--repair")))
    assert "No sample outlived its run." in seen[0], "a run in progress keeps what it has"
    left = stack.leftovers(TENANT)
    assert [each for each in left if each.startswith("sluice sample tenant_stranded_sample ")] == left[1:] != []
    wait_until(lambda: f"left of its sample: schema tenant_{TENANT}_sample, {left[1]}, {left[2]}." in told(stack))
    assert "Removed what a killed run of stranded left" in told(stack, "--repair")
    assert (stack.leftovers(TENANT), "No sample outlived its run." in told(stack)) == ([], True)

    kill_in_sample(stack, wait_until)
    path.unlink()
    write(path, 30)
    stack.sluice("onboard", TENANT)
    assert (stack.leftovers(TENANT), stack.published(TENANT)) == ([], 1)
    assert stack.connections(TENANT) == ["shop"]


def told(stack, *options):
    found = json.loads(stack.attempt("doctor", *options, "--json", **AGED).out)
    return " ".join(each["finding"] for each in found)

"""A tenant that goes in the middle of its run goes wholly, and leaves a receipt."""

import json
import signal

import psycopg
import pytest
from psycopg import sql

from orchestration.stack.endpoints import load_endpoints

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TENANT = "leaver"
RECORDS = 60_000
"""Enough for the sync to be met at work."""
SYNCING = """
select 1 from airbyte.jobs join airbyte.connections using (connection_id) join airbyte.workspaces using (workspace_id)
where workspaces.name = %s and jobs.status = 'running' and jobs.budget is null
"""
TABLES = """
select table_schema, table_name from information_schema.tables
where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
"""


def mentions(url, word):
    """Every table of a database that has the word in one of its rows, or in its schema's name."""
    with psycopg.connect(url) as connection:
        found = set()
        for schema, table in connection.execute(TABLES).fetchall():
            query = sql.SQL("select 1 from {} as own where own::text like %s limit 1")
            place = sql.Identifier(schema, table)
            if word in schema or connection.execute(query.format(place), [f"%{word}%"]).fetchone():
                found.add(f"{schema}.{table}")
        return found


def places(stack):
    """Everything in both databases and in the home's files, but the services' own logs, that names the tenant."""
    endpoints = load_endpoints(stack.home)
    files = [path for path in stack.home.rglob("*") if "postgres" not in path.relative_to(stack.home).parts]
    named = {path.name for path in files if TENANT in path.name}
    telling = {path.name for path in files if path.is_file() and TENANT.encode() in path.read_bytes()}
    return (
        mentions(endpoints.control_url, TENANT) | mentions(endpoints.dagster_url, TENANT),
        named | {name for name in telling if name not in ("postgres.log", "airbyte.log")},
    )


def test_a_tenant_is_erased_from_the_middle_of_its_sync_though_the_removal_is_killed(stack, tmp_path, wait_until):
    visits = [{"id": number, "page": f"/{number % 97}"} for number in range(RECORDS)]
    (tmp_path / "visits.jsonl").write_text("".join(json.dumps(each) + "\n" for each in visits))
    stack.add(TENANT, web=f"file:path={tmp_path / 'visits.jsonl'}")
    run = stack.start("onboard", TENANT)
    wait_until(lambda: run.poll() is not None or stack.control(SYNCING, f"tenant_{TENANT}"))
    assert run.poll() is None, stack.end(run)
    tables, files = places(stack)
    assert {"sluice.model_plans", "airbyte.jobs"} & tables and "runs" in str(tables) and files

    killed = stack.start("tenant", "remove", TENANT, "--yes")
    wait_until(lambda: stack.control("select from sluice.tenants where tenant_id = %s and status = 'removing'", TENANT))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert "being removed" in stack.attempt("tenant", "add", TENANT, "--source", f"web=file:path={tmp_path}").sentence

    receipt = json.loads(stack.sluice("tenant", "remove", TENANT, "--erase", "--yes", "--json"))
    assert stack.end(run).code != 0
    assert places(stack) == ({"sluice.audit_log"}, set())
    assert (stack.schemas(TENANT), stack.connections(TENANT)) == (set(), [])
    assert stack.control("select rolname from pg_roles where rolname like %s", f"tenant_{TENANT}%") == []
    assert receipt["records"]["tenants"] == receipt["places"]["dagster runs"] == 1
    assert json.loads(stack.sluice("tenant", "remove", TENANT, "--erase", "--json")) == receipt

    exported = [json.loads(line) for line in stack.sluice("audit", "export", "--tenant", TENANT).splitlines()]
    assert [row["action"] for row in exported[:-1]][-3:] == ["tenant.remove", "tenant.removed", "tenant.erased"]
    stack.sluice("audit", "export", "--output", str(tmp_path / "log.jsonl"))
    assert "there already" in stack.attempt("audit", "export", "--output", str(tmp_path / "log.jsonl")).sentence
    stack.sluice("audit", "export", "--output", str(tmp_path / "log.jsonl"), "--force")
    assert stack.json("audit", "verify", "--against", str(tmp_path / "log.jsonl"))["bad"] is None
    assert exported[-1]["head"]["hash"] in stack.sluice("audit", "verify", "--head", exported[-1]["head"]["hash"])
    assert "first_bad_row" in stack.attempt("audit", "verify", "--head", "0123").sentence

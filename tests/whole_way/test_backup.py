"""A stack in use is backed up, restored into a home that never was, and goes on there."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

pytestmark = pytest.mark.slow
TENANT = "kept_safe"
TEXT = sql.SQL("select t::text from {} as t")


@pytest.fixture
def second(make_stack: Any) -> Iterator[Any]:
    """A home beside the stack's, not started; stopped and gone afterwards."""
    with make_stack(Path(tempfile.mkdtemp(prefix="sluice-second-"))) as made:
        yield made


def _digests(stack: Any) -> dict[str, tuple[int, str]]:
    """Rows and a digest of every relation of every tenant's lasting schemas, over every column."""
    found = {}
    relations = stack.control(
        "select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname ~ '^tenant_' and relkind in ('r', 'v')"
        " and nspname !~ '_sample$|__scratch$|__build$' order by 1, 2"
    )
    for schema, name in relations:
        rows = sorted(row for (row,) in stack.control(TEXT.format(sql.Identifier(schema, name))))
        found[f"{schema}.{name}"] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def test_a_backup_becomes_a_stack_that_goes_on(stack: Any, second: Any, generate: Any, tmp_path: Path) -> None:
    sources = generate(tmp_path, "2026-03-01", 10, tools=("shopify",))
    stack.add(TENANT, **sources)
    stack.sluice("onboard", TENANT)
    before = _digests(stack)
    assert before[f"tenant_{TENANT}_analytics.unified_customers"][0] > 0
    backups = tmp_path / "backups"
    backups.mkdir()
    whole = stack.json("backup", str(backups))
    assert whole["tenants"].count(TENANT) == 1
    key = str(stack.home / "secret.key")

    second.sluice("restore", whole["file"], "--key-file", key)
    assert _digests(second) == before
    assert second.published(TENANT) == stack.published(TENANT) == 1
    assert second.connections(TENANT) == ["shopify"]
    password = psycopg.conninfo.conninfo_to_dict(stack.reader_url(TENANT))["password"]
    assert psycopg.conninfo.conninfo_to_dict(second.reader_url(TENANT))["password"] == password
    findings = {each["finding"]: each["ok"] for each in second.json("doctor")}
    assert [finding for finding, ok in findings.items() if ok != "ok"] == []

    refused = second.attempt("restore", whole["file"], "--key-file", key)
    assert "The home has tenants" in refused.sentence
    with psycopg.connect(second.reader_url(TENANT)) as reader:
        customers = reader.execute("select count(*) from unified_customers").fetchone()
    second.sluice("onboard", TENANT)
    assert second.published(TENANT) == 2
    with psycopg.connect(second.reader_url(TENANT)) as reader:
        assert reader.execute("select count(*) from unified_customers").fetchone() == customers
    second.sluice("rollback", TENANT)
    assert second.published(TENANT) == 1

    one = second.json("backup", str(backups), "--tenant", TENANT)
    now = _digests(second)
    second.sluice("tenant", "remove", TENANT, "--yes")
    assert second.connections(TENANT) == []
    second.sluice("restore", str(backups), "--tenant", TENANT)
    assert one["tenants"] == [TENANT]
    assert _digests(second) == now
    second.sluice("sync", TENANT)

"""What survives releases: written once by key from each, caught up after a crash, and never lost."""

import multiprocessing
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import dagster as dg
import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError
from analysis.store.runs import open_incidents
from orchestration.assets import transformation
from orchestration.partitions import tenants
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.history import writing as history
from orchestration.tenancy.history.spec import parse_spec
from orchestration.tenancy.publishing import releases, sealing

ROWS = {"key": ["day", "currency"], "as": "rows"}
VERSIONS = {"key": ["id"], "as": "versions"}
DECLARED = {"revenue": ROWS, "people": VERSIONS}


def revenue(*rows):
    return values("day date, currency text, amount numeric", rows)


def people(*rows):
    return values("id text, name text, extra jsonb", rows)


def values(columns, rows):
    """A query of these rows, each cell as text and cast to its column's type."""
    names = [column.split()[0] for column in columns.split(", ")]
    casts = ", ".join("::".join(column.split()) for column in columns.split(", "))
    cells = [", ".join("null" if cell is None else f"$v${cell}$v$" for cell in row) for row in rows]
    listed = ", ".join(f"({row})" for row in cells) or f"({', '.join('null' for _ in names)})"
    return f"select {casts} from (values {listed}) as v ({', '.join(names)}) where {bool(rows)}"


@pytest.fixture
def build(tenant):
    """Build a release that holds these tables and declares history; publish it, and write its history on demand."""

    def build(tables, declared=DECLARED, *, write=True):
        with_braces = {name: query.replace("{", "{{").replace("}", "}}") for name, query in tables.items()}
        number = tenant.build(with_braces)
        specs = {name: parse_spec(name, spec) for name, spec in declared.items()}
        history.declare_history(tenant.engine, str(tenant), number, specs)
        sealing.seal_build(tenant.engine, str(tenant), number)
        releases.publish(tenant.engine, str(tenant), number)
        return history.write_history(tenant.engine, str(tenant)) if write else number

    return build


@pytest.fixture
def read(tenant):
    """Rows of a history table, as the tenant's builder reads them."""

    def read(table, columns="*", order="1, 2, 3"):
        query = f'select {columns} from {tenant.names.history}."{table}" order by {order}'
        with tenant.builder.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    return read


@pytest.fixture
def published_at(tenant):
    """When each release was first published."""
    query = text("select number, first_published_at from sluice.releases where tenant_id = :tenant")

    def published_at():
        with tenant.engine.connect() as connection:
            return dict(connection.execute(query, {"tenant": str(tenant)}).tuples().all())

    return published_at


A = ("2026-01-01", "EUR", "10.00")
B = ("2026-01-02", "EUR", "20.00")
LATE_B = ("2026-01-02", "EUR", "25.50")
ADA, BOB = ("a", "Ada", '{"n": 1}'), ("b", None, "{}")


def test_history_follows_late_rows_deletions_and_returns_over_releases(build, read, published_at):
    kept = "day::text, amount::text, first_release, changed_release, changed_at, is_current, absent_since, last_release"
    versions = "id, name, extra ->> 'n', first_release, last_release, valid_from, valid_to"
    assert build({"revenue": revenue(A, B), "people": people(ADA, BOB)}) == {"people": 2, "revenue": 2}
    assert build({"revenue": revenue(LATE_B), "people": people(("a", "Ada", '{"n": 2}'))}) == {
        "people": 3,
        "revenue": 2,
    }
    at = published_at()
    assert read("revenue", kept) == [
        ("2026-01-01", "10.00", 1, 1, at[1], False, at[2], 1),
        ("2026-01-02", "25.50", 1, 2, at[2], True, None, None),
    ]
    assert read("people", versions, "1, 4") == [
        ("a", "Ada", "1", 1, 1, at[1], at[2]),
        ("a", "Ada", "2", 2, None, at[2], None),
        ("b", None, None, 1, 1, at[1], at[2]),
    ]
    # Nothing changed: numbers are compared as numbers, and nothing is written.
    same = {"revenue": revenue(("2026-01-02", "EUR", "25.5")), "people": people(("a", "Ada", '{"n": 2.0}'))}
    assert build(same) == {"people": 0, "revenue": 0}
    # What returns goes on, unchanged or not; what is gone stays as it was.
    assert build({"revenue": revenue(A), "people": people(BOB)}) == {"people": 2, "revenue": 2}
    at = published_at()
    assert read("revenue", kept) == [
        ("2026-01-01", "10.00", 1, 1, at[1], True, None, None),
        ("2026-01-02", "25.50", 1, 2, at[2], False, at[4], 3),
    ]
    assert read("people", versions, "1, 4")[1:] == [
        ("a", "Ada", "2", 2, 3, at[2], at[4]),
        ("b", None, None, 1, 1, at[1], at[2]),
        ("b", None, None, 4, None, at[4], None),
    ]
    # A release without rows ends every row and deletes none.
    assert build({"revenue": revenue(), "people": people()}) == {"people": 1, "revenue": 1}
    assert read("revenue", "is_current", "day") == [(False,), (False,)]
    assert [valid_to is None for (valid_to,) in read("people", "valid_to", "id")] == [False] * 4


def test_writing_twice_and_rolling_back_write_nothing_and_the_next_release_goes_on(tenant, build, read):
    where = "xmin::text, *"
    build({"revenue": revenue(A), "people": people(ADA)})
    build({"revenue": revenue(B), "people": people(BOB)})
    before = read("revenue", where), read("people", where)
    assert history.write_history(tenant.engine, str(tenant)) == {"people": 0, "revenue": 0}
    releases.rollback(tenant.engine, str(tenant))
    assert history.write_history(tenant.engine, str(tenant)) == {"people": 0, "revenue": 0}
    assert (read("revenue", where), read("people", where)) == before
    assert build({"revenue": revenue(A), "people": people(BOB)}) == {"people": 0, "revenue": 2}
    assert read("revenue", "day::text, is_current", "1") == [("2026-01-01", True), ("2026-01-02", False)]


def test_releases_whose_history_was_not_written_are_caught_up_in_their_order(tenant, build, read, published_at):
    build({"people": people(("a", "one", None))}, {"people": VERSIONS}, write=False)
    build({"people": people(("a", "two", None))}, {"people": VERSIONS}, write=False)
    releases.rollback(tenant.engine, str(tenant))
    releases.rollback(tenant.engine, str(tenant), 2)
    assert build({"people": people(("a", "three", None))}, {"people": VERSIONS}) == {"people": 5}
    at = published_at()
    assert read("people", "name, first_release, last_release, valid_from, valid_to", "2") == [
        ("one", 1, 1, at[1], at[2]),
        ("two", 2, 2, at[2], at[3]),
        ("three", 3, None, at[3], None),
    ]


def test_a_write_that_is_killed_half_way_wrote_nothing_and_the_next_writes_all(tenant, build, read, as_admin):
    build({"people": people(ADA, BOB)}, {"people": VERSIONS})
    build({"people": people(("a", "Ada L", "{}"), BOB)}, {"people": VERSIONS}, write=False)
    before = read("people", "xmin::text, *")
    with tenant.engine.connect() as rival:
        # The old version is closed by then; opening the new one waits for this row.
        taken = f"insert into {tenant.names.history}.people values ('a', null, null, 2, 2, now(), now())"
        rival.execute(text(taken))
        fork = multiprocessing.get_context("fork")
        write = fork.Process(target=history.write_history, args=(tenant.engine, str(tenant)))
        write.start()
        wait_until(lambda: as_admin("select 1 from pg_stat_activity where wait_event = 'transactionid'"))
        os.kill(write.pid, signal.SIGKILL)
        write.join()
    # Its session ends when the server next looks: until then the mark is locked.
    assert history.write_history(tenant.engine, str(tenant)) == {"people": 2}
    assert before != read("people", "xmin::text, *") and len(read("people")) == 3


def test_a_rollback_need_not_wait_for_history_which_reads_what_moved_again(tenant, build, read, as_admin):
    build({"people": people(ADA)}, {"people": VERSIONS})
    build({"people": people(("a", "Ada L", "{}"))}, {"people": VERSIONS}, write=False)
    with ThreadPoolExecutor(1) as pool:
        with tenant.engine.connect() as rival:
            taken = f"insert into {tenant.names.history}.people values ('a', null, null, 2, 2, now(), now())"
            rival.execute(text(taken))
            writing = pool.submit(history.write_history, tenant.engine, str(tenant))
            wait_until(lambda: as_admin("select 1 from pg_stat_activity where wait_event = 'transactionid'"))
            assert releases.rollback(tenant.engine, str(tenant)).number == 1
            assert not writing.done()
        assert writing.result() == {"people": 2}
    assert read("people", "name, first_release, last_release", "2") == [("Ada", 1, 1), ("Ada L", 2, None)]


def wait_until(found):
    deadline = time.monotonic() + 10
    while not found():
        assert time.monotonic() < deadline, "It never came to that."
        time.sleep(0.01)


HOSTILE = ['a"b', "'); drop schema sluice cascade; --", "%s %(x)s", "{schema}", "select", "é" * 31, "kept", "fresh"]


def test_names_and_types_of_every_sort_are_kept_as_they_are(build, read):
    names = [*HOSTILE, *(f"c{number}" for number in range(30))]
    kinds = ["char(9)", "varchar(9)", "json", "text[]", "timestamptz", "numeric(9,2)", "json[]", "float8"]
    kinds += ["jsonb"] * 30
    cells = ["'a'", "'b'", "'{}'", "array['x', null]", "'epoch'", "1.50", "array['{}']", "'nan'"]

    def table(last):
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        filled = [*cells, *["'[1]'"] * 29, f"'{last}'"]
        columns = [f"({c})::{k} as {n}" for c, k, n in zip(filled, kinds, quoted, strict=True)]
        return f'select 1 as "I d", {", ".join(columns)}'.replace("%", "%%")

    declared = {'we"ird': {"key": ["I d"], "as": "versions"}}
    assert build({'we""ird': table("1")}, declared) == {'we"ird': 1}
    assert build({'we""ird': table("1")}, declared) == {'we"ird': 0}
    assert build({'we""ird': table("2")}, declared) == {'we"ird': 2}
    assert [row[-5:-4] for row in read('we""ird', order="first_release")] == [(1,), (2,)]


FAULTY = {
    "a_view": ("", ["id"], "no such table"),
    "double": ("select 'secret' as id from generate_series(1, 2)", ["id"], "not unique"),
    "empty_key": ("select null::text as id", ["id"], "null or not unique"),
    "of_another_type": ("select '1 x'::tsvector as words, 1 as id", ["id"], "cast the column"),
    "own_names": ("select 1 as id, 1 as valid_to", ["id"], "keeps for itself"),
    "renamed": ("select 1 as id", ["uid"], "does not have"),
    "too_long": (
        "select string_agg(md5(n::text), '') as id from generate_series(1, 300) as n",
        ["id"],
        "refused to write",
    ),
}


def test_what_cannot_be_kept_is_told_in_a_sentence_and_hinders_no_other_table(tenant, build, read):
    tables = {name: query for name, (query, _, _) in FAULTY.items() if query}
    declared = {name: {"key": key, "as": "versions"} for name, (_, key, _) in FAULTY.items()}
    with pytest.raises(PermanentError, match="the release stays published") as caught:
        build(tables | {"people": people(ADA)}, declared | {"people": VERSIONS})
    told = dict(re.findall(r"(?:published\.|;) (\w+): (.*?)(?=; \w+: |$)", caught.value.sentence))
    for name, (_, _, words) in FAULTY.items():
        assert words in told[name], name
    assert "secret" not in str(caught.value)
    assert len(read("people")) == 1
    # Mended, or declared no more: the next release's history is whole again.
    mended = {"double": "select 'secret' as id", "people": people(ADA)}
    assert build(mended, {"double": VERSIONS, "people": VERSIONS})["double"] == 1


def test_a_view_and_another_owners_table_are_never_read(tenant, build, read):
    number = tenant.build({"t": "select 1 as id"})
    with tenant.builder.begin() as connection:
        connection.exec_driver_sql(f"create view {tenant.names.build}.v as select 1 as id")
    spec = {"v": parse_spec("v", VERSIONS)}
    history.declare_history(tenant.engine, str(tenant), number, spec)
    sealing.seal_build(tenant.engine, str(tenant))
    releases.publish(tenant.engine, str(tenant))
    with pytest.raises(PermanentError, match="sealed tables only"):
        history.write_history(tenant.engine, str(tenant))


def test_another_key_or_kind_needs_a_person_and_the_old_table_stays(tenant, build, read):
    build({"people": people(ADA, BOB)}, {"people": VERSIONS})
    for other in ({"key": ["id", "name"], "as": "versions"}, {"key": ["id"], "as": "rows"}):
        with pytest.raises(PermanentError, match="rename its old table"):
            build({"people": people(ADA)}, {"people": other})
    assert len(read("people")) == 2
    with tenant.engine.begin() as connection:
        connection.execute(text(f"alter table {tenant.names.history}.people rename to people_until_3"))
    build({"people": people(ADA)}, {"people": {"key": ["id"], "as": "rows"}})
    assert read("people", "id, is_current", "1") == [("a", True)] and len(read("people_until_3")) == 2


def test_the_release_asset_publishes_and_tells_of_a_history_that_it_could_not_write(tenant, warehouse_url):
    none = dict.fromkeys(("airbyte_client_id", "airbyte_client_secret", "loader_login", "loader_password"), "")
    endpoints = Endpoints(control_url=warehouse_url, dagster_url="", airbyte_url="", **none)
    resources = {"warehouse": Warehouse(Settings(), lambda: endpoints), "tenant_run": TenantRun(tenant.names.tenant)}
    told = []
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(tenants.name, [str(tenant)])
        for query in ("select 1 as id from generate_series(1, 2)", "select 1 as id"):
            number = tenant.build({"people": query})
            specs = {"people": parse_spec("people", VERSIONS)}
            history.declare_history(tenant.engine, str(tenant), number, specs)
            done = dg.materialize(
                [transformation.release], partition_key=str(tenant), instance=instance, resources=resources
            )
            checks = {each.check_name: each for each in done.get_asset_check_evaluations()}
            with tenant.engine.connect() as store:
                steps = [incident.step for incident in open_incidents(store, str(tenant))]
            told.append((tenant.seen(), checks["fresh"].passed, checks["history"].passed, steps))
            description = checks["history"].description
            assert description is None or "not unique" in description
    assert told == [(1, True, False, ["history"]), (2, True, True, [])]


def test_a_tenants_own_logins_read_its_history_and_nobody_writes_it(tenant, other, build):
    build({"people": people(ADA)}, {"people": VERSIONS})
    table = f"{tenant.names.history}.people"
    for login in (other.builder, other.reader):
        with pytest.raises(exc.ProgrammingError, match="permission denied"), login.connect() as connection:
            connection.execute(text(f"select from {table}"))
    changes = (f"delete from {table}", f"update {table} set id = 'b'", f"drop table {table}")
    for login, statement in product((tenant.builder, tenant.reader), changes):
        with login.connect() as connection:
            assert connection.execute(text(f"select id from {table}")).scalar_one() == "a"
            with pytest.raises(exc.ProgrammingError, match=r"permission denied|owner"):
                connection.execute(text(statement))


BROKEN = [None, {}, {"key": []}, {"key": [], "as": "rows"}, {"key": "id", "as": "rows"}]
BROKEN += [{"key": ["id"], "as": "snapshots"}, {"key": ["id", "id"], "as": "rows"}]
BROKEN += [{"key": ["id"], "as": "rows", "keep": 3}]


@pytest.mark.parametrize("declared", BROKEN, ids=str)
def test_a_declaration_that_is_none_is_refused_with_its_model(declared):
    with pytest.raises(PermanentError, match="model='people'"):
        parse_spec("people", declared)

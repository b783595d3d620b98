"""Readers of every kind notice a swap by newer rows alone; each notes what a reader must never get."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg
import pytest
from sqlalchemy import create_engine, text

from orchestration.tenancy.publishing import builds, releases, sealing

ORDERS, LINES = 400, 7
MODELS = {
    "own_orders": f"select {{n}} as release from generate_series(1, {ORDERS})",
    "own_lines": f"select {{n}} as release from generate_series(1, {LINES})",
}
MART = """
select date '2026-03-01' as summary_date, {n}::bigint as customer_count, 0::bigint as new_customer_count,
    0::bigint as payment_count, 0::bigint as order_count, '{{}}'::jsonb as revenue_by_currency,
    0::bigint as pull_requests_opened, 0::bigint as pull_requests_merged, 0::bigint as tickets_opened,
    0::bigint as tickets_closed
"""
VIEW = """
select o.release, l.release as line_release from {schema}.own_orders as o cross join {schema}.own_lines as l
"""
PAUSE = 0.005
HOLD_SECONDS = 1.5

ONE = (
    ("select min(release), max(release), count(*) from own_orders", ORDERS),
    ("select min(release), max(release), count(*) from own_lines", LINES),
    ("select customer_count, customer_count, 1 from dashboard_summary", 1),
    ("select min(release), max(release), count(*) from analytics.dashboard_summary", 1),
    ("select release, customer_count, 1 from analytics.dashboard_summary", 1),
    ("select min(release), max(line_release), count(*) from own_both", ORDERS * LINES),
)
"""Statements over one relation: lowest release, highest release, rows."""
JOIN = """
select min(o.release), max(o.release), min(l.release), max(l.release), count(*)
from own_orders as o cross join own_lines as l
"""


@dataclass
class Tally:
    """What one reader met."""

    kind: str
    statements: int = 0
    errors: list[str] = field(default_factory=list)

    def judge(self, what: str, low: int, high: int, rows: int, wanted: int) -> None:
        """Count an answer; one of two releases, or of other rows than a release has, is an error."""
        self.statements += 1
        if low != high or rows != wanted:
            self.errors.append(f"{what}: {low} to {high}, {rows} rows")


def read_simply(connection, tally):
    for query, rows in ONE:
        tally.judge(query, *connection.execute(query).fetchone(), rows)


def read_joined(connection, tally):
    low, high, line_low, line_high, rows = connection.execute(JOIN).fetchone()
    tally.judge(JOIN, low, high, rows, ORDERS * LINES)
    tally.judge(JOIN, line_low, line_high, rows, ORDERS * LINES)


def read_by_cursor(connection, tally):
    with connection.transaction(), connection.cursor(name="slow") as cursor:
        cursor.execute("select release from own_orders")
        found = []
        while rows := cursor.fetchmany(ORDERS // 5):
            found += rows
            time.sleep(PAUSE)
        tally.judge("cursor", *min(found), *max(found), len(found), ORDERS)


def read_by_long_cursor(connection, tally):
    with connection.transaction(), connection.cursor(name="long") as cursor:
        cursor.execute("select release from own_orders")
        found = cursor.fetchmany(3)
        time.sleep(HOLD_SECONDS)
        found += cursor.fetchall()
        tally.judge("long cursor", *min(found), *max(found), len(found), ORDERS)


def read_in_a_transaction(connection, tally):
    with connection.transaction():
        read_simply(connection, tally)


def read_the_fleet_in_one_snapshot(connection, tally):
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        (pointer,) = connection.execute("select release from analytics.freshness").fetchone()
        time.sleep(PAUSE)
        (mart,) = connection.execute("select release from analytics.dashboard_summary").fetchone()
        tally.judge("fleet", pointer, mart, 1, 1)


def read_anew(connection, tally):
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as fresh:
        read_simply(fresh, tally)


KINDS = (
    ("simple", None, read_simply),
    ("prepared", 0, read_simply),
    ("prepared later", 5, read_simply),
    ("join", None, read_joined),
    ("prepared join", 0, read_joined),
    ("cursor", 0, read_by_cursor),
    ("long cursor", None, read_by_long_cursor),
    ("transaction", 0, read_in_a_transaction),
    ("fleet snapshot", 0, read_the_fleet_in_one_snapshot),
    ("new connections", None, read_anew),
)


def read_until(url, ended, kind, threshold, step, tally):
    """Read without end; an error is noted, and reading goes on."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=threshold) as connection:
        while not ended.is_set():
            try:
                step(connection, tally)
            except (psycopg.Error, TypeError, ValueError) as error:
                tally.errors.append(f"{kind}: {error!r}")
                if connection.closed:
                    return
            time.sleep(PAUSE)


def run_readers(url, ended, pipe):
    """One thread for each kind of reader; what they met goes through the pipe."""
    tallies = [Tally(kind) for kind, _, _ in KINDS]
    threads = [
        threading.Thread(target=read_until, args=(url, ended, *each, tally))
        for each, tally in zip(KINDS, tallies, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(tallies)


@contextmanager
def reading(url: str) -> Iterator[list[Tally]]:
    """Readers of every kind read all the while; their tallies are there afterwards."""
    fork = multiprocessing.get_context("fork")
    ended, (here, there), tallies = fork.Event(), fork.Pipe(), []
    process = fork.Process(target=run_readers, args=(url, ended, there))
    process.start()
    try:
        yield tallies
    finally:
        ended.set()
        if here.poll(60):
            tallies.extend(here.recv())
        process.join(10)
        process.kill()


@pytest.fixture
def quick(tenant):
    """The tenant over a pool, as swaps in quick succession need it."""
    return replace(tenant, engine=create_engine(tenant.engine.url, pool_size=3))


@pytest.fixture
def publish(quick):
    """Build three relations and a mart that carry their release's number, and publish them."""
    builder = create_engine(quick.builder.url, pool_size=1)

    def publish():
        number = builds.open_build(quick.engine, str(quick)).number
        with builder.begin() as connection:
            for name, query in {**MODELS, "dashboard_summary": MART}.items():
                connection.execute(text(f"create table {quick.names.build}.{name} as {query.format(n=number)}"))
            view = VIEW.format(schema=quick.names.build)
            connection.execute(text(f"create view {quick.names.build}.own_both as {view}"))
        sealing.seal_build(quick.engine, str(quick))
        return releases.publish(quick.engine, str(quick)).number

    yield publish
    builder.dispose()


def reader_url(tenant):
    return tenant.reader.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("swaps", "rollbacks"), [(4, 2), pytest.param(200, 50, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_readers_see_no_error_and_no_mixture_through_swaps_and_rollbacks(
    quick, publish, swaps, rollbacks, monkeypatch, record_property
):
    monkeypatch.setattr(releases, "_DROP_LOCK_MS", 50)  # a held release is met often here: do not wait long for it
    publish()
    publish()
    with reading(reader_url(quick)) as tallies:
        for swap in range(swaps):
            publish()
            if swap % (swaps // rollbacks) == 0:
                releases.rollback(quick.engine, str(quick))
            releases.drop_old_releases(quick.engine, str(quick))
    assert len(tallies) == len(KINDS)
    met = {tally.kind: tally.statements for tally in tallies}
    record_property("statements", met)
    assert [error for tally in tallies for error in tally.errors] == []
    assert min(met.values()) >= (20 if swaps > 100 else 1)
    # What a long cursor held was dropped by a later round, or is now.
    releases.drop_old_releases(quick.engine, str(quick))
    kept = [name for name in quick.schemas() if "__r" in name]
    assert len(kept) == releases.KEPT_RELEASES


@pytest.mark.slow
def test_the_readers_would_notice_a_swap_in_two_transactions(quick, publish):
    publish()
    schema, aside = quick.names.analytics, f"{quick.names.analytics}__aside"
    with reading(reader_url(quick)) as tallies:
        time.sleep(0.3)
        for now, then in ((schema, aside), (aside, schema)):
            with quick.engine.begin() as connection:
                connection.execute(text(f"alter schema {now} rename to {then}"))
            time.sleep(0.3)
    blind = [tally.kind for tally in tallies if not tally.errors]
    assert set(blind) <= {"long cursor", "fleet snapshot"}

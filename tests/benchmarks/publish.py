"""How long seal, swap and rollback take, and what readers see, side by side with building in place.

    .venv/bin/python tests/benchmarks/publish.py --relations 30 --rows 1000000 --json

Runs on a cluster of its own, durable as a stack's is, in a temporary folder.
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from cryptography.fernet import Fernet
from throwaway import cluster, machine

from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.tenancy import registry
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.walls import credentials

NAMES = TenantNames(TenantId("bench"))
IN_PLACE = "in_place"
MART = """
select md5(n::text) as customer_key, 'someone' || n || '@example.com' as email, 'Some One' as full_name,
    'Example Ltd' as company_name, 'NL' as country, 'shop' as sources, 1::bigint as source_count,
    now() as first_seen_at, now() as last_seen_at, 3::bigint as payment_count, 3::bigint as order_count,
    0::bigint as open_ticket_count, '{{"EUR": 12.5}}'::jsonb as lifetime_value, true as is_paying
from generate_series(1, {rows}) as n
"""


@dataclass
class Read:
    """What readers saw: statements, errors by their name, and how long the relations were of two generations."""

    statements: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    longest_seconds: float = 0.0


class Bench:
    """A cluster with one tenant, and the steps that are timed."""

    def __init__(self, control_url: str, relations: int, rows: int) -> None:
        self.relations, self.rows = relations, rows // relations
        self.control_url = control_url
        upgrade(self.control_url)
        self.engine, key = open_engine(self.control_url), SecretKey(Fernet.generate_key())
        registry.add_tenant(self.engine, key, NAMES.tenant, {"shop": "file"})
        with self.engine.connect() as connection:
            self.builder_url = credentials.builder_url(connection, NAMES.tenant, key)
            self.reader_url = credentials.reader_url(connection, NAMES.tenant, key)
        self.number = 0

    def fill(self, url: str, schema: str, *, again: bool = False) -> None:
        """Every relation by `create table as`, dropped before where it is built again."""
        with psycopg.connect(url, autocommit=True) as connection:
            for relation in range(self.relations):
                if again:
                    connection.execute(f"drop table {schema}.own_{relation}")
                connection.execute(
                    f"create table {schema}.own_{relation} as select n as id, {self.number} as release,"
                    f" md5(n::text) as email, now() as seen_at, n * 1.5 as amount, 'note ' || n as note"
                    f" from generate_series(1, {self.rows}) as n"
                )

    def open(self) -> None:
        self.number = builds.open_build(self.engine, NAMES.tenant).number

    def build(self) -> None:
        self.fill(self.builder_url, NAMES.build)

    def add_mart(self, rows: int) -> None:
        with psycopg.connect(self.builder_url, autocommit=True) as builder:
            builder.execute(f"create table {NAMES.build}.unified_customers as {MART.format(rows=rows)}")

    def seal(self) -> None:
        sealing.seal_build(self.engine, NAMES.tenant)

    def publish(self) -> None:
        releases.publish(self.engine, NAMES.tenant)

    def rollback(self, number: int | None = None) -> None:
        releases.rollback(self.engine, NAMES.tenant, number)

    def drop_old(self) -> None:
        releases.drop_old_releases(self.engine, NAMES.tenant)

    def open_in_place(self) -> None:
        with psycopg.connect(self.control_url, autocommit=True) as control:
            control.execute(f"create schema {IN_PLACE}")
            control.execute(f"grant usage on schema {IN_PLACE} to {NAMES.reader}")
            control.execute(f"alter default privileges in schema {IN_PLACE} grant select on tables to {NAMES.reader}")
        self.fill(self.control_url, IN_PLACE)

    @contextmanager
    def reading(self, schema: str, readers: int) -> Iterator[Read]:
        """Readers read one relation after another until the end."""
        seen, ended, lock = Read(), threading.Event(), threading.Lock()

        def read() -> None:
            with psycopg.connect(self.reader_url, autocommit=True) as reader:
                turn = 0
                while not ended.wait(0.001):
                    turn, started, error = turn + 1, time.monotonic(), None
                    try:
                        reader.execute(f"select max(release) from {schema}.own_{turn % self.relations} where id = 1")
                    except psycopg.Error as problem:
                        error = type(problem).__name__
                    with lock:
                        seen.statements += 1
                        seen.longest_seconds = max(seen.longest_seconds, time.monotonic() - started)
                        if error:
                            seen.errors[error] = seen.errors.get(error, 0) + 1

        threads = [threading.Thread(target=read) for _ in range(readers)]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            seen.longest_seconds = round(seen.longest_seconds, 3)


def timed(step: Callable[..., None], *arguments: object) -> float:
    """Seconds that a step takes."""
    started = time.monotonic()
    step(*arguments)
    return time.monotonic() - started


def measure(bench: Bench, readers: int, rounds: int, mart_rows: int) -> dict[str, object]:
    """Medians over the rounds, with readers at work all the while."""
    for _ in range(2):
        for step in (bench.open, bench.build, bench.seal, bench.publish):
            step()
    times: dict[str, list[float]] = {}

    def note(name: str, step: Callable[..., None], *arguments: object) -> None:
        times.setdefault(name, []).append(timed(step, *arguments))

    with bench.reading(NAMES.analytics, readers) as swapped:
        for _ in range(rounds):
            bench.open()
            note("build", bench.build)
            note("seal", bench.seal)
            note("swap", bench.publish)
            note("rollback", bench.rollback)
            note("roll_forward", bench.rollback, bench.number)
            note("drop_old", bench.drop_old)
    bench.open_in_place()
    with bench.reading(IN_PLACE, readers) as in_place:
        for _ in range(rounds):
            bench.number += 1
            note("in_place", lambda: bench.fill(bench.control_url, IN_PLACE, again=True))
    return {
        "relations": bench.relations,
        "rows": bench.relations * bench.rows,
        "readers": readers,
        "rounds": rounds,
        "median_seconds": {name: round(statistics.median(each), 3) for name, each in times.items()},
        "max_seconds": {name: round(max(each), 3) for name, each in times.items()},
        "readers_through_swaps": vars(swapped),
        "readers_in_place": vars(in_place),
        "mart": measure_mart(bench, mart_rows),
    }


def measure_mart(bench: Bench, rows: int) -> dict[str, object]:
    """The seal of a mart of this size, which copies it to the fleet, and a rollback while that goes on."""
    bench.open()
    bench.add_mart(rows)
    sealing_thread = threading.Thread(target=bench.seal)
    started = time.monotonic()
    sealing_thread.start()
    time.sleep(1.0)
    rollback, was_at_it = timed(bench.rollback), sealing_thread.is_alive()
    sealing_thread.join()
    seal = time.monotonic() - started
    return {
        "rows": rows,
        "seal_seconds": round(seal, 3),
        "rollback_meanwhile_seconds": round(rollback, 3),
        "seal_was_at_it": was_at_it,
        "swap_seconds": round(timed(bench.publish), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relations", type=int, default=30)
    parser.add_argument("--rows", type=int, default=1_000_000, help="in all relations together")
    parser.add_argument("--mart-rows", type=int, default=1_000_000)
    parser.add_argument("--readers", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with cluster() as (control_url, _):
        bench = Bench(control_url, options.relations, options.rows)
        found = measure(bench, options.readers, options.rounds, options.mart_rows)
    found["machine"] = machine()
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()

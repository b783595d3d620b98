"""How long one more tenant and a login take among thousands of tenants: `python tests/benchmarks/tenant_roles.py`."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from cryptography.fernet import Fernet
from sqlalchemy import Engine
from throwaway import cluster

from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from analysis.store.tenants import insert_tenant, set_status
from orchestration.tenancy import registry
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.schemas import create_schemas
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import fetch, transaction
from orchestration.tenancy.walls import credentials
from orchestration.tenancy.walls.platform import prepare_platform
from orchestration.tenancy.walls.repairs import find_faults
from orchestration.tenancy.walls.roles import create_roles

LEVELS = (0, 1_000, 10_000)
REPEATS = 15
BATCH = 50
# What a session does first: resolve names and see what it may read.
FIRST_LOOK = "select count(*) from pg_catalog.pg_class where pg_catalog.has_table_privilege(oid, 'select')"


class Cost(NamedTuple):
    """Milliseconds that a client waits, and that the server works: a busy machine lengthens the first alone."""

    wall: float
    server: float | None

    def __str__(self) -> str:
        return f"{self.wall}" if self.server is None else f"{self.wall} ({self.server})"


def main() -> None:
    """Fill an embedded cluster step by step and measure at each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tenants", type=int, default=LEVELS[-1], help="how many tenants at most")
    arguments.add_argument("--json", action="store_true", help="print one JSON object per number of tenants")
    chosen = arguments.parse_args()
    levels = sorted({level for level in LEVELS if level < chosen.tenants} | {chosen.tenants})
    with control_plane() as (engine, key):
        rows: list[dict[str, Any]] = []
        there = 0
        for level in levels:
            fill(engine, range(there, level))
            there = level
            rows.append({"tenants": level, **measure(engine, key)})
            print(json.dumps(rows[-1]) if chosen.json else shown(rows[-1], is_first=len(rows) == 1), flush=True)


@contextmanager
def control_plane() -> Iterator[tuple[Engine, SecretKey]]:
    """An embedded cluster with an empty control plane, gone afterwards."""
    with cluster(durable=False) as (control_url, _):
        upgrade(control_url)
        engine = open_engine(control_url)
        prepare_platform(engine)
        yield engine, SecretKey(Fernet.generate_key())


def fill(engine: Engine, numbers: range) -> None:
    """Tenants as `sluice tenant add` makes them, without passwords, many in a transaction."""
    for start in range(numbers.start, numbers.stop, BATCH):
        with transaction(engine) as connection:
            for number in range(start, min(start + BATCH, numbers.stop)):
                names = TenantNames(TenantId(f"filler{number}"))
                insert_tenant(connection, names.tenant)
                set_status(connection, names.tenant, "active")
                create_roles(connection, names)
                create_schemas(connection, names)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")


def measure(engine: Engine, key: SecretKey, made: "count[int]" = count()) -> dict[str, Cost]:
    """What one more tenant costs, its roles and schemas alone, a login of each kind, and a look at all walls."""
    tenants = [f"measured{next(made)}" for _ in range(REPEATS)]
    adding = cost(lambda number: registry.add_tenant(engine, key, tenants[number]))
    bare = [TenantNames(TenantId(f"bare{next(made)}")) for _ in range(REPEATS)]
    with transaction(engine) as session:
        ((pid,),) = fetch(session, "select pg_backend_pid()")

        def add_roles(number: int) -> float:
            before = server_milliseconds(pid)
            create_roles(session, bare[number])
            create_schemas(session, bare[number])
            return server_milliseconds(pid) - before

        roles = cost(add_roles)
    with engine.connect() as connection:
        builder = credentials.builder_url(connection, tenants[0], key)
        reader = credentials.reader_url(connection, tenants[0], key)
    control = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return {
        "tenant_add": adding,
        "roles_and_schemas": roles,
        "login_control": cost(lambda _: log_in(control)),
        "login_builder": cost(lambda _: log_in(builder)),
        "login_reader": cost(lambda _: log_in(reader)),
        "doctor": cost(lambda _: find_faults(engine), repeats=1),
    }


def log_in(url: str) -> float:
    """A new session and its first look at the catalogue; returns the server's work for all of it."""
    with psycopg.connect(url) as session:
        session.execute(FIRST_LOOK.encode())
        return server_milliseconds(session.info.backend_pid)


def server_milliseconds(pid: int) -> float:
    """How long one of the server's processes has been on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def cost(step: Callable[[int], object], repeats: int = REPEATS) -> Cost:
    """Medians over several runs of a step, which may return the server's own work."""
    walls, servers = [], []
    for number in range(repeats):
        started = time.perf_counter()
        server = step(number)
        walls.append((time.perf_counter() - started) * 1000)
        servers.append(server if isinstance(server, float) else None)
    work = [server for server in servers if server is not None]
    return Cost(round(statistics.median(walls), 1), round(statistics.median(work), 1) if work else None)


def shown(row: dict[str, Any], *, is_first: bool) -> str:
    """A row of the table, under its head where it is the first: waiting (the server's work)."""
    head = "".join(f"{name:>20}" for name in row) + "\n" if is_first else ""
    return head + "".join(f"{value!s:>20}" for value in row.values())


if __name__ == "__main__":
    main()

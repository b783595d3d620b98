import functools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from sqlalchemy import Engine, text

from analysis.store import tenants
from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.stack import bootstrap
from orchestration.tenancy import registry, removal
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.walls import credentials

NUMBERS = count(1)
MARTS = {
    "dashboard_summary": """select date '2026-03-01' as summary_date, {n}::bigint as customer_count,
        0::bigint as new_customer_count, 0::bigint as payment_count, 0::bigint as order_count,
        '{{}}'::jsonb as revenue_by_currency, 0::bigint as pull_requests_opened, 0::bigint as pull_requests_merged,
        0::bigint as tickets_opened, 0::bigint as tickets_closed, 'own' as extra_column"""
}


@dataclass(frozen=True)
class Tenant:
    """A tenant under test, and what it is done with."""

    engine: Engine
    key: SecretKey
    names: TenantNames
    loader: Engine

    def __str__(self) -> str:
        return str(self.names.tenant)

    @property
    def builder(self) -> Engine:
        with self.engine.connect() as connection:
            return open_engine(credentials.builder_url(connection, str(self), self.key))

    @property
    def reader(self) -> Engine:
        with self.engine.connect() as connection:
            return open_engine(credentials.reader_url(connection, str(self), self.key))

    def load(self, schema: str, table: str, rows: int = 3) -> None:
        """Put a table where Airbyte would."""
        with self.loader.begin() as connection:
            connection.execute(text(f'create table "{schema}"."{table}" as select generate_series(1, {rows}) as id'))

    def build(self, models: dict[str, str] | None = None, marts: dict[str, str] = MARTS) -> int:
        """Open a build and fill it as the builder: `n` in a mart's text is the release's number."""
        number = builds.open_build(self.engine, str(self)).number
        with self.builder.begin() as connection:
            for name, query in {**marts, **(models or {})}.items():
                place = f'"{self.names.build}"."{name}"'
                connection.exec_driver_sql(f"create table {place} as {query.format(n=number)}")
        builds.finish_build(self.engine, str(self), number)
        return number

    def publish(self, models: dict[str, str] | None = None) -> int:
        """Build, seal and publish."""
        self.build(models)
        sealing.seal_build(self.engine, str(self))
        return releases.publish(self.engine, str(self)).number

    def seen(self) -> int:
        """The number of the release that the reader sees, which the fleet must agree on."""
        with self.reader.connect() as connection:
            own = connection.execute(text("select customer_count from dashboard_summary")).scalar_one()
            fleet = text("select release, customer_count from analytics.dashboard_summary")
            assert connection.execute(fleet).all() == [(own, own)]
            return own

    def schemas(self) -> set[str]:
        return set(removal.tenant_schemas(self.engine, str(self)))


@pytest.fixture(scope="session")
def warehouse_url(postgres) -> Iterator[str]:
    """One migrated database for all tests of this folder."""
    name = sql.Identifier("test_tenancy")
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        template, owner = sql.Identifier("sluice_test_template"), sql.Identifier(bootstrap.CONTROL)
        admin.execute(sql.SQL("create database {} template {} owner {}").format(name, template, owner))
        url = bootstrap.with_database(postgres.control_url, "test_tenancy")
        bootstrap.prepare_warehouse(url)
        upgrade(url)
        yield url
        admin.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture(scope="session")
def engine(warehouse_url) -> Engine:
    return open_engine(warehouse_url)


@pytest.fixture(scope="session")
def loader(postgres) -> Engine:
    return open_engine(postgres.url(bootstrap.LOADER, "test_tenancy"))


@pytest.fixture(scope="session")
def key() -> SecretKey:
    return SecretKey(Fernet.generate_key())


@pytest.fixture
def name(engine) -> Iterator[str]:
    """An id that no test had before; whatever the test made of it is removed."""
    tenant = f"t{next(NUMBERS)}"
    yield tenant
    remove_if_known(engine, tenant)


@pytest.fixture(scope="session")
def new_tenant_of(key, loader):
    """Add a tenant to a database for as long as a `with` lasts."""

    @contextmanager
    def add(engine: Engine, name: str) -> Iterator[Tenant]:
        registry.add_tenant(engine, key, name, {"stripe": "file"})
        try:
            yield Tenant(engine, key, TenantNames(TenantId(name)), loader)
        finally:
            remove_if_known(engine, name)

    return add


@pytest.fixture(scope="session")
def new_tenant(engine, new_tenant_of):
    """Add a tenant for as long as a `with` lasts."""
    return functools.partial(new_tenant_of, engine)


@pytest.fixture
def add_tenant(engine, key, loader) -> Iterator[Callable[[str], Tenant]]:
    """Add tenants that are removed after the test."""
    added: list[str] = []

    def add(tenant: str) -> Tenant:
        registry.add_tenant(engine, key, tenant, {"stripe": "file"})
        added.append(tenant)
        return Tenant(engine, key, TenantNames(TenantId(tenant)), loader)

    yield add
    for tenant in added:
        remove_if_known(engine, tenant)


@pytest.fixture
def tenant(add_tenant) -> Tenant:
    return add_tenant(f"t{next(NUMBERS)}")


@pytest.fixture
def other(add_tenant) -> Tenant:
    return add_tenant(f"t{next(NUMBERS)}")


@pytest.fixture
def kill_while_it_waits(postgres):
    """Run a step in a process of its own, hold it up at a table, and kill it there with SIGKILL."""

    def kill(step: Callable[[], object], table: str) -> None:
        with holding(postgres.admin_url, table):
            process = multiprocessing.get_context("fork").Process(target=step)
            process.start()
            wait_until_blocked(postgres.admin_url)
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert process.exitcode == -signal.SIGKILL

    return kill


@pytest.fixture
def as_admin(postgres) -> Callable[[str], list]:
    """Run a statement as the superuser."""

    def run(statement: str) -> list:
        url = bootstrap.with_database(postgres.admin_url, "test_tenancy")
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def without_watching(as_admin) -> Iterator[None]:
    """The control role is no more than CREATEROLE makes it, as on a server whose superuser we are not."""
    rights = "pg_read_all_stats, pg_signal_backend"
    as_admin(f"revoke {rights} from {bootstrap.CONTROL} cascade")
    yield
    as_admin(f"grant {rights} to {bootstrap.CONTROL} with admin true, inherit true")


@pytest.fixture
def holding_mart(postgres):
    """Hold up whoever writes to a fleet mart; what is yielded waits until somebody does."""

    @contextmanager
    def hold() -> Iterator[Callable[[], None]]:
        with holding(postgres.admin_url, "analytics.dashboard_summary"):
            yield lambda: wait_until_blocked(postgres.admin_url)

    return hold


def remove_if_known(engine: Engine, tenant: str) -> None:
    with engine.connect() as connection:
        known = tenants.find_tenant(connection, tenant)
    if known is not None:
        removal.remove_tenant(engine, tenant)


@contextmanager
def holding(admin_url: str, table: str) -> Iterator[None]:
    with psycopg.connect(bootstrap.with_database(admin_url, "test_tenancy")) as connection:
        connection.execute(f"lock table {table} in share mode")
        yield


def wait_until_blocked(admin_url: str) -> None:
    query = "select 1 from pg_stat_activity where datname = 'test_tenancy' and wait_event_type = 'Lock'"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        deadline = time.monotonic() + 10
        while not connection.execute(query).fetchall():
            assert time.monotonic() < deadline, "The step never came to the table."
            time.sleep(0.01)

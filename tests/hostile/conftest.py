"""Two whole tenants, the attacker `alpha` and the victim `beta`, and what shows that an attack could hit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql

from analysis.errors import SluiceError
from analysis.store import fleet
from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.stack import bootstrap
from orchestration.tenancy import registry, schemas
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.removal import remove_tenant
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.walls import credentials

DATABASE = "test_hostile"
REFUSAL = r"permission denied|must be owner|must have|must be superuser|must be able to|is not allowed|not available"


@dataclass
class Login:
    """One role's way into the database: a session that is opened when it is needed and again when it was cut."""

    url: str = field(repr=False)
    _session: psycopg.Connection[Any] | None = field(default=None, repr=False)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A session of its own, in autocommit mode; the caller closes it."""
        return psycopg.connect(self.url, autocommit=True, **options)

    @property
    def session(self) -> psycopg.Connection[Any]:
        """The shared session, working: one that was cut is replaced."""
        try:
            if self._session is not None and self._session.execute("select 1"):
                return self._session
        except psycopg.Error:
            pass
        self._session = self.connect()
        return self._session

    def run(self, *statements: str) -> list[Any]:
        """The rows of the last statement, and everything undone again."""
        rows: list[Any] = []
        with self.session.transaction(force_rollback=True):
            for statement in statements:
                with self.session.cursor() as cursor:
                    if statement.startswith("copy") and "stdout" in statement:
                        with cursor.copy(statement.encode()) as copy:
                            rows = list(copy.rows())
                        continue
                    cursor.execute(statement.encode())
                    rows = cursor.fetchall() if cursor.description else []
        return rows

    def alone(self, statement: str) -> None:
        """Execute outside of a transaction."""
        self.session.execute(statement.encode())

    def keep(self, *statements: str) -> None:
        """Execute and commit, in one transaction."""
        with self.session.transaction():
            for statement in statements:
                self.session.execute(statement.encode())

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


@dataclass(frozen=True)
class Side:
    """A tenant with data in every room; `secret` is in every value of it, `names` says where."""

    engine: Engine
    key: SecretKey
    loader: Login
    names: TenantNames
    secret: str

    def __str__(self) -> str:
        return str(self.names.tenant)

    @cached_property
    def builder(self) -> Login:
        with self.engine.connect() as connection:
            return Login(credentials.builder_url(connection, str(self), self.key))

    @cached_property
    def reader(self) -> Login:
        with self.engine.connect() as connection:
            return Login(credentials.reader_url(connection, str(self), self.key))

    def login(self, kind: str) -> Login:
        return self.builder if kind == "builder" else self.reader

    @property
    def rooms(self) -> dict[str, tuple[str, str]]:
        """Room → a table in it that holds the secret, and the side's login that may read it ('' for nobody)."""
        names = self.names
        return {
            "raw": (f"{names.raw}.shop_orders", "builder"),
            "sample": (f"{names.sample}.shop_orders", "builder"),
            "scratch": (f"{names.scratch}.own_orders", "builder"),
            "history": (f"{names.history}.kept", "builder"),
            "build": (f"{names.build}.own_orders", "builder"),
            "analytics": (f"{names.analytics}.own_orders", "reader"),
            "kept_release": (f"{names.release(1)}.own_orders", ""),
        }

    def mart(self, table: Any) -> str:
        """A query of one row that fits a fleet table, every text in it the secret."""
        columns = []
        for column in table.columns:
            kind = column.type.compile(dialect=postgresql.dialect())
            values = {"TEXT": f"'{self.secret}'", "DATE": "current_date", "JSONB": f"'\"{self.secret}\"'"}
            columns.append(f"{values.get(kind, 'null')}::{kind} as {column.name}")
        return "select " + ", ".join(columns[2:])

    def open_build(self) -> None:
        """A build that holds every mart and one model of the tenant's own."""
        builds.open_build(self.engine, str(self))
        made = {"own_orders": f"select 1 as id, '{self.secret}'::text as email"}
        made |= {table.name: self.mart(table) for table in fleet.MARTS}
        self.builder.keep(*(f"create table {self.names.build}.{name} as {query}" for name, query in made.items()))
        self.builder.keep(f"alter table {self.names.build}.own_orders add primary key (id)")

    def publish(self) -> None:
        sealing.seal_build(self.engine, str(self))
        releases.publish(self.engine, str(self))

    def furnish(self) -> None:
        """Data in every room: two releases, a build, a sample, a proof, history and the journals."""
        rows = f"as select n as id, '{self.secret}'::text as email from generate_series(1, 3) as n"
        schemas.open_sample(self.engine, str(self))
        for schema in (self.names.raw, self.names.sample):
            self.loader.keep(f"create table {schema}.shop_orders {rows}")
        for _ in range(2):
            self.open_build()
            self.publish()
        schemas.open_scratch(self.engine, str(self))
        self.open_build()
        self.builder.keep(f"create table {self.names.scratch}.own_orders {rows}")
        with self.engine.begin() as control:
            control.exec_driver_sql(f"create table {self.names.history}.kept {rows}")
            control.exec_driver_sql(
                "insert into analytics.airbyte_sync_history (tenant_id, connection_id, connection_name, job_id, status)"
                f" values ('{self}', 'c1', '{self.secret}', '1', 'succeeded')"
            )
            control.exec_driver_sql(
                "insert into analytics.ai_workflow_analysis (tenant_id, release, analysis_date, insights)"
                f" values ('{self}', 2, current_date, '[\"{self.secret}\"]')"
            )


@dataclass(frozen=True)
class World:
    """The attacker, the victim, and those above both."""

    engine: Engine
    key: SecretKey
    control: Login
    admin: Login
    loader: Login
    attacker: Side
    victim: Side


@dataclass
class Attack:
    """What a test tries and what shows that the try could have hit; a test with only one of the two fails."""

    tries: int = 0
    controls: int = 0

    def verify(self) -> None:
        """Something was tried, and something else shows that the try could have hit."""
        assert self.tries, "The test attacked nothing."
        assert self.controls, "The test has no positive control: nothing shows that it would notice."

    def refused(self, login: Login, *statements: str, why: str = REFUSAL) -> str:
        """The last statement is refused for a reason that matches; returns the error's text."""
        self.tries += 1
        with pytest.raises(psycopg.Error, match=why) as caught:
            login.run(*statements)
        return str(caught.value)

    def raises(self, act: Callable[[], object], why: str) -> str:
        """Our own code refuses it with a sentence that matches; returns the error's text."""
        self.tries += 1
        with pytest.raises(SluiceError, match=why) as caught:
            act()
        return str(caught.value)

    def nothing(self, found: object, secret: str) -> None:
        """What the attacker got does not hold the secret."""
        self.tries += 1
        assert secret not in str(found)

    def harmless(self, did: Callable[[], object] | bool) -> None:
        """The attacker was let do it, and what is asked of the others' side still holds."""
        self.tries += 1
        assert did() if callable(did) else did

    def control(self, login: Login, *statements: str) -> list[Any]:
        """The same where it is allowed: it works, or the attack's refusal would prove nothing."""
        rows = login.run(*statements)
        self.controls += 1
        return rows

    def shown(self, found: object, secret: str) -> None:
        """The control sees what the attacker must not."""
        assert secret in str(found)
        self.controls += 1

    def witnessed(self, fact: bool) -> None:
        """Something else that shows that the test would notice."""
        assert fact
        self.controls += 1


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Iterator[Attack]:
    made = Attack()
    yield made
    if not request.node.stash.get(FAILED, False):  # else it stopped half-way and has said why
        made.verify()


@pytest.fixture(scope="session")
def world(postgres) -> Iterator[World]:
    name = sql.Identifier(DATABASE)
    url = bootstrap.with_database(postgres.control_url, DATABASE)
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        template, owner = sql.Identifier("sluice_test_template"), sql.Identifier(bootstrap.CONTROL)
        admin.execute(sql.SQL("create database {} template {} owner {}").format(name, template, owner))
        bootstrap.prepare_warehouse(url)
        upgrade(url)
        engine, key = open_engine(url), SecretKey(Fernet.generate_key())
        loader = Login(postgres.url(bootstrap.LOADER, DATABASE))
        sides = []
        for tenant in ("alpha", "beta"):
            registry.add_tenant(engine, key, tenant, {"shop": "file"})
            sides.append(Side(engine, key, loader, TenantNames(TenantId(tenant)), f"{tenant}-secret"))
            sides[-1].furnish()
        loader.keep("create table airbyte_internal.moving as select 'beta-secret' as email")
        Login(postgres.url(bootstrap.AIRBYTE, DATABASE)).keep("create table airbyte.actor as select 'beta-secret' as x")
        top = Login(bootstrap.with_database(postgres.admin_url, DATABASE))
        yield World(engine, key, Login(url), top, loader, *sides)
        engine.dispose()
        admin.execute(sql.SQL("drop database {} with (force)").format(name))
        for names in (TenantNames(TenantId(tenant)) for tenant in ("alpha", "beta", "sigma")):
            for role in (names.builder, names.reader):  # roles are the cluster's, which other folders' tests share
                admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


@pytest.fixture
def attacker(world) -> Side:
    return world.attacker


@pytest.fixture
def victim(world) -> Side:
    return world.victim


@pytest.fixture(scope="session")
def planter(world) -> Side:
    registry.add_tenant(world.engine, world.key, "sigma", {"shop": "file"})
    return Side(world.engine, world.key, world.loader, TenantNames(TenantId("sigma")), "sigma-secret")


@pytest.fixture
def rooms(world, planter) -> Side:
    """A third tenant whose builder has an empty scratch and a new build at once: the most that it ever has."""
    schemas.open_scratch(world.engine, str(planter))
    planter.open_build()
    return planter


@pytest.fixture
def fresh(world) -> Iterator[Callable[[str], Side]]:
    """Further tenants, for attacks that leave traces; gone after the test."""
    added: list[Side] = []

    def add(tenant: str) -> Side:
        registry.add_tenant(world.engine, world.key, tenant, {"shop": "file"})
        added.append(Side(world.engine, world.key, world.loader, TenantNames(TenantId(tenant)), f"{tenant}-secret"))
        return added[-1]

    yield add
    for side in added:
        remove_tenant(world.engine, str(side))

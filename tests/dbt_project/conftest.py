"""One build of the example set for the whole room: dbt is slow, so every test reads the same release."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from analysis.mapping.vocabulary import CANONICAL_ENTITIES, load_vocabulary
from orchestration.resources.dbt_runner import BuildOutcome, BuildTarget, PreparedSet, prepare_set, run_build
from orchestration.settings import PROJECT_ROOT

Records = dict[str, list[dict[str, Any]]]
SOURCES = ("crm", "shop")
PASSWORD = "builder's p@ss/word"
START = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Built:
    """A finished build, and how to read it."""

    outcome: BuildOutcome
    target: BuildTarget
    log_dir: Path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    """The example set with the shared package linked into it, parsed."""
    directory = tmp_path_factory.mktemp("sets") / "example"
    shutil.copytree(Path(__file__).parent / "example_set", directory)
    (directory / "dbt_packages").mkdir()
    (directory / "dbt_packages" / "sluice").symlink_to(PROJECT_ROOT / "dbt_project")
    return prepare_set(directory, tmp_path_factory.mktemp("parsed"))


@pytest.fixture(scope="session")
def warehouse(postgres: Any) -> Iterator[str]:
    """A database of the room's own, as its superuser."""
    name = f"marts_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield psycopg.conninfo.make_conninfo(postgres.admin_url, dbname=name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def builder(warehouse: str) -> Iterator[str]:
    """The URL of a login that may create nothing in the database but in the schemas it is given."""
    name = f"builder_{uuid4().hex[:8]}"
    with psycopg.connect(warehouse, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(PASSWORD)))
        parts = conninfo_to_dict(warehouse)
        yield f"postgresql://{name}:builder%27s%20p%40ss%2Fword@{parts['host']}:{parts['port']}/{parts['dbname']}"
        admin.execute(sql.SQL("drop owned by {} cascade").format(sql.Identifier(name)))
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def target(warehouse: str, builder: str, records: Records) -> BuildTarget:
    """A tenant with its raw tables filled and an empty build schema."""
    made = BuildTarget(builder, "tenant_acme", "tenant_acme_analytics__build")
    login = sql.Identifier(str(conninfo_to_dict(builder)["user"]))
    with psycopg.connect(warehouse) as connection:
        make_schemas(connection, made, login)
        for table, rows in records.items():
            fill(connection, made.raw_schema, table, rows)
    return made


def make_schemas(connection: psycopg.Connection, target: BuildTarget, login: sql.Identifier) -> None:
    raw, build = sql.Identifier(target.raw_schema), sql.Identifier(target.build_schema)
    connection.execute(sql.SQL("create schema {}").format(raw))
    connection.execute(sql.SQL("create schema {}").format(build))
    for source in SOURCES:
        for entity in CANONICAL_ENTITIES:
            columns = [
                sql.SQL("{} " + field.sql_type).format(sql.Identifier(field.name))
                for field in load_vocabulary()[entity].fields
            ]
            connection.execute(
                sql.SQL("create table {}.{} (_airbyte_extracted_at timestamptz default now(), {})").format(
                    raw, sql.Identifier(f"{source}_{entity}"), sql.SQL(", ").join(columns)
                )
            )
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(raw, login))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(raw, login))
    connection.execute(sql.SQL("grant usage, create on schema {} to {}").format(build, login))


def fill(connection: psycopg.Connection, schema: str, table: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(schema, table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
            ),
            row,
        )


@pytest.fixture(scope="session")
def built(prepared: PreparedSet, target: BuildTarget, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example set, built for the tenant from the re-targeted manifest."""
    log_dir = tmp_path_factory.mktemp("logs")
    return Built(run_build(prepared, target, log_dir=log_dir), target, log_dir)


@pytest.fixture(scope="session")
def records() -> Records:
    """A month of two tools that share customers; the shop takes orders and lists no payments."""
    dice = random.Random(7)

    def moment() -> datetime:
        return START + timedelta(minutes=dice.randrange(30 * 24 * 60))

    customers = {source: _customers(dice, source, moment) for source in SOURCES}
    pull_requests = [_pull_request(dice, number, moment()) for number in range(80)]
    return {
        "crm_customer": customers["crm"],
        "shop_customer": customers["shop"],
        "crm_payment": [_payment(dice, number, moment()) for number in range(200)],
        "crm_order": [_order(dice, "crm", number, moment()) for number in range(20)],
        "shop_order": [_order(dice, "shop", number, moment()) for number in range(120)],
        "crm_repository": [{"id": str(number), "full_name": f"acme/{number}"} for number in range(3)],
        "crm_pull_request": pull_requests,
        "crm_ticket": [_ticket(dice, number, moment()) for number in range(60)],
    }


def _customers(dice: random.Random, source: str, moment: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{source}_{number}",
            "email": dice.choice([f"Person{number}@Example.com", f" person{number}@example.com", None, "redacted"]),
            "full_name": f"Person {number} of {source}",
            "created_at": moment(),
        }
        for number in range(40)
    ]


def _payment(dice: random.Random, number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"pay_{number}",
        "customer_id": dice.choice([f"crm_{dice.randrange(45)}", None]),
        "amount": dice.choice([None, *[dice.randrange(100, 99_999) / 100 for _ in range(9)]]),
        "currency": dice.choice(["usd", "USD", "eur", None]),
        "status": dice.choice(["succeeded", "Succeeded", "refunded", "failed", "pending", None]),
        "created_at": dice.choice([None, *[at] * 9]),
    }


def _order(dice: random.Random, source: str, number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"{source}_order_{number}",
        "customer_id": dice.choice([f"{source}_{dice.randrange(45)}", None]),
        "customer_email": dice.choice([f"person{dice.randrange(50)}@example.com", None]),
        "order_status": dice.choice(["open", "cancelled", None]),
        "payment_status": dice.choice(["paid", "pending", "refunded", None]),
        "currency": dice.choice(["usd", "eur"]),
        "total_amount": dice.randrange(100, 99_999) / 100,
        "ordered_at": at,
    }


def _pull_request(dice: random.Random, number: int, at: datetime) -> dict[str, Any]:
    merged = at + timedelta(minutes=dice.randrange(5, 9000)) if dice.random() < 0.6 else None
    closed = merged or (at + timedelta(hours=5) if dice.random() < 0.3 else None)
    return {
        "id": f"pr_{number}",
        "repository_id": dice.choice(["0", "1", "acme/2", "acme/elsewhere"]),
        "author_login": dice.choice(["ada", "bob", "cy"]),
        "created_at": at,
        "merged_at": merged,
        "closed_at": closed,
    }


def _ticket(dice: random.Random, number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"ticket_{number}",
        "creator_id": dice.choice([f"crm_{dice.randrange(40)}", "person3@example.com", None]),
        "status": dice.choice(["open", "solved", None]),
        "created_at": at,
        "completed_at": dice.choice([None, at + timedelta(days=1)]),
    }

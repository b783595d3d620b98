"""Marts made with pandas from the sandbox's records, in a real PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date

import pandas as pd
import pytest
from airbyte_sandbox import TOOLS, World
from airbyte_sandbox.words import COUNTRIES
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, make_url

from analysis.insights import Fact, collect_facts
from analysis.store.connect import open_engine

SCHEMA = "tenant_acme_analytics"
LAST_DAY = date(2026, 6, 30)
COLUMNS = {
    "unified_customers": """customer_key text, email text, full_name text, company_name text, country text,
        sources text, source_count bigint, first_seen_at timestamptz, last_seen_at timestamptz, payment_count bigint,
        order_count bigint, open_ticket_count bigint, lifetime_value jsonb, is_paying boolean""",
    "revenue_analytics": """revenue_date date, currency text, gross_amount numeric, payment_count bigint,
        failed_payment_count bigint, order_count bigint, paying_customer_count bigint, new_customer_count bigint,
        returning_customer_count bigint, average_amount numeric""",
    "developer_activity": """activity_date date, repository text, pull_requests_opened bigint,
        pull_requests_merged bigint, pull_requests_closed bigint, contributor_count bigint,
        median_hours_to_merge numeric""",
    "dashboard_summary": """summary_date date, customer_count bigint, new_customer_count bigint, payment_count bigint,
        order_count bigint, revenue_by_currency jsonb, pull_requests_opened bigint, pull_requests_merged bigint,
        tickets_opened bigint, tickets_closed bigint""",
}
Marts = Mapping[str, pd.DataFrame]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to an empty database."""
    with open_engine(database).connect() as opened:
        yield opened


@pytest.fixture
def load(connection: Connection) -> Callable[[Marts], str]:
    """Create the four marts in the empty database, those not given empty; returns the schema's name."""
    return lambda marts: _load(connection, marts)


@pytest.fixture(scope="session")
def published(postgres, marts: Marts) -> Iterator[Connection]:
    """A connection, for reading only, to a database with the sandbox's marts."""
    url = make_url(postgres.control_url).set(database="insights")
    with open_engine(postgres.admin_url).execution_options(isolation_level="AUTOCOMMIT").connect() as admin:
        admin.exec_driver_sql(f"create database insights owner {url.username}")
        with open_engine(url.render_as_string(hide_password=False)).connect() as opened:
            _load(opened, marts)
            yield opened
        admin.exec_driver_sql("drop database insights with (force)")


@pytest.fixture(scope="session")
def facts(published: Connection) -> tuple[Fact, ...]:
    """The facts of the sandbox's last day."""
    return collect_facts(published, SCHEMA, LAST_DAY, release=3)


def _load(connection: Connection, marts: Marts) -> str:
    connection.exec_driver_sql(f"create schema {SCHEMA}")
    cursor = connection.connection.cursor()
    for name, columns in COLUMNS.items():
        cursor.execute(f"create table {SCHEMA}.{name} ({columns})")
        if name in marts:
            frame = marts[name]
            with cursor.copy(f"copy {SCHEMA}.{name} ({', '.join(frame.columns)}) from stdin") as copy:
                for row in frame.itertuples(index=False):
                    copy.write_row([_value(value) for value in row])
    connection.commit()
    return SCHEMA


@pytest.fixture(scope="session")
def world() -> World:
    return World(seed=7, customers=200, start=date(2026, 3, 3), end=LAST_DAY)


@pytest.fixture(scope="session")
def marts(world: World) -> Marts:
    payments, shop, code = (TOOLS[name].records(world) for name in ("stripe", "shopify", "github"))
    charges = _charges(payments["charges"])
    orders = pd.DataFrame(shop["orders"])
    orders["day"] = pd.to_datetime(orders["created_at"]).dt.date
    people = _people(payments["customers"], charges)
    revenue, activity = _revenue(charges), _activity(code["pull_requests"])
    return {
        "unified_customers": people,
        "revenue_analytics": revenue,
        "developer_activity": activity,
        "dashboard_summary": _summary(people, revenue, orders, activity),
    }


def _charges(records: list[dict]) -> pd.DataFrame:
    charges = pd.DataFrame(records)
    charges["at"] = pd.to_datetime(charges["created"], unit="s", utc=True)
    charges["day"] = charges["at"].dt.date
    minor_units = {country.currency: country.minor_units for country in COUNTRIES}
    charges["units"] = charges["amount"] / charges["currency"].map(minor_units)
    charges["currency"] = charges["currency"].str.upper()
    return charges


def _people(records: list[dict], charges: pd.DataFrame) -> pd.DataFrame:
    paid = charges[charges["paid"]]
    spent = paid.groupby(["customer", "currency"])["units"].sum().round(2)
    seen = charges.groupby("customer")["at"].max()
    people = pd.DataFrame(records)
    created = pd.to_datetime(people["created"], unit="s", utc=True)
    values = [
        {currency: spent[(key, currency)]} if (key, currency) in spent else {}
        for key, currency in zip(people["id"], people["currency"].str.upper(), strict=True)
    ]
    return pd.DataFrame(
        {
            "customer_key": people["id"],
            "email": people["email"].str.lower(),
            "country": people["address"].str["country"],
            "sources": "stripe",
            "source_count": 1,
            "first_seen_at": created,
            "last_seen_at": people["id"].map(seen).fillna(created),
            "payment_count": 0,
            "order_count": 0,
            "open_ticket_count": 0,
            "lifetime_value": values,
            "is_paying": [bool(value) for value in values],
        }
    )


def _revenue(charges: pd.DataFrame) -> pd.DataFrame:
    first = charges[charges["paid"]].groupby("customer")["day"].min()
    rows = []
    for (day, currency), found in charges.groupby(["day", "currency"]):
        paid = found[found["paid"]]
        payers = set(paid["customer"])
        rows.append(
            {
                "revenue_date": day,
                "currency": currency,
                "gross_amount": round(paid["units"].sum(), 2),
                "payment_count": len(paid),
                "failed_payment_count": len(found) - len(paid),
                "order_count": 0,
                "paying_customer_count": len(payers),
                "new_customer_count": sum(first[payer] == day for payer in payers),
                "returning_customer_count": sum(first[payer] < day for payer in payers),
                "average_amount": round(paid["units"].mean(), 6) if len(paid) else None,
            }
        )
    return pd.DataFrame(rows)


def _activity(records: list[dict]) -> pd.DataFrame:
    found = pd.DataFrame(records)
    for column in ("created_at", "merged_at", "closed_at"):
        found[column] = pd.to_datetime(found[column])
    found["hours"] = (found["merged_at"] - found["created_at"]).dt.total_seconds() / 3600
    counted = {
        "pull_requests_opened": found.groupby([found["created_at"].dt.date, "repository"]).size(),
        "pull_requests_merged": found.groupby([found["merged_at"].dt.date, "repository"]).size(),
        "pull_requests_closed": found.groupby([found["closed_at"].dt.date, "repository"]).size(),
    }
    activity = pd.DataFrame(counted).fillna(0).astype(int)
    activity["contributor_count"] = 1
    activity["median_hours_to_merge"] = (
        found.groupby([found["merged_at"].dt.date, "repository"])["hours"].median().round(4)
    )
    return activity.rename_axis(["activity_date", "repository"]).reset_index()


def _summary(people: pd.DataFrame, revenue: pd.DataFrame, orders: pd.DataFrame, activity: pd.DataFrame) -> pd.DataFrame:
    summary = pd.DataFrame(
        {
            "new_customer_count": people.groupby(people["first_seen_at"].dt.date).size(),
            "payment_count": revenue.groupby("revenue_date")["payment_count"].sum(),
            "order_count": orders.groupby("day").size(),
            "pull_requests_opened": activity.groupby("activity_date")["pull_requests_opened"].sum(),
            "pull_requests_merged": activity.groupby("activity_date")["pull_requests_merged"].sum(),
        }
    )
    summary = summary.fillna(0).astype(int).sort_index()
    summary["customer_count"] = summary["new_customer_count"].cumsum()
    summary["revenue_by_currency"] = [{} for _ in range(len(summary))]
    summary["tickets_opened"] = summary["tickets_closed"] = 0
    return summary.rename_axis("summary_date").reset_index()


def _value(value: object) -> object:
    if isinstance(value, dict):
        return Jsonb(value)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime().astimezone(UTC)
    return None if pd.isna(value) else value

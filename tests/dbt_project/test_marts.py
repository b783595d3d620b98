"""The marts against the same figures worked out from the records by pandas."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import psycopg
import pytest
from psycopg import sql

SUCCEEDED = {"succeeded", "paid", "refunded", None}


@pytest.fixture(scope="module")
def read(built: Any) -> Iterator[Any]:
    assert built.outcome.ok, built.outcome.failed
    with psycopg.connect(built.target.url, options="-c timezone=UTC", row_factory=psycopg.rows.dict_row) as connection:

        def rows(table: str) -> list[dict[str, Any]]:
            name = sql.Identifier(built.target.build_schema, table)
            return connection.execute(sql.SQL("select * from {} order by 1, 2").format(name)).fetchall()

        yield rows


def email(value: str | None) -> str | None:
    return value.strip().lower() if value and "@" in value else None


@pytest.fixture(scope="module")
def known(records: Any) -> dict[tuple[str, str], str]:
    """Who a source's customer is, by the customers' records, then by the orders'."""
    found: dict[tuple[str, str], str | None] = {}
    for source in ("crm", "shop"):
        rows = [(row["id"], row["email"]) for row in records[f"{source}_customer"]]
        rows += sorted(
            (r["customer_id"], r["customer_email"] or "~") for r in records[f"{source}_order"] if r["customer_id"]
        )
        rows += [(row["customer_id"], None) for row in records.get(f"{source}_payment", []) if row["customer_id"]]
        for customer, address in rows:
            found[source, customer] = found.get((source, customer)) or email(address)
    return {key: address or ":".join(key) for key, address in found.items()}


@pytest.fixture(scope="module")
def events(records: Any, known: Any) -> pd.DataFrame:
    """Payments of the CRM and orders of both; only the shop's orders are revenue."""
    rows = [
        {
            "who": known.get(("crm", row["customer_id"])),
            "source": "crm",
            "at": row["created_at"],
            "currency": (row["currency"] or "xxx").upper(),
            "amount": row["amount"],
            "payment": (row["status"] and row["status"].lower()) in SUCCEEDED,
            "failed": row["status"] == "failed",
            "order": False,
        }
        for row in records["crm_payment"]
    ]
    for source in ("crm", "shop"):
        for row in records[f"{source}_order"]:
            is_paid = (
                row["payment_status"] in SUCCEEDED if row["payment_status"] else row["order_status"] != "cancelled"
            )
            rows.append(
                {
                    "who": known.get((source, row["customer_id"]), email(row["customer_email"])),
                    "source": source,
                    "at": row["ordered_at"],
                    "currency": row["currency"].upper(),
                    "amount": row["total_amount"],
                    "payment": False,
                    "failed": False,
                    "order": row["order_status"] != "cancelled",
                    "paid_order": source == "shop" and is_paid,
                }
            )
    frame = pd.DataFrame(rows)
    frame["revenue"] = frame["payment"] | frame["paid_order"].eq(True)
    frame["day"] = pd.to_datetime(frame["at"], utc=True).dt.date
    return frame


def test_revenue_is_that_of_the_records_to_the_cent(read: Any, events: pd.DataFrame):
    dated = events[events["day"].notna() & (events["revenue"] | events["failed"] | events["order"])]
    first = dated[dated["revenue"]].groupby("who")["day"].min()
    rows = read("revenue_analytics")
    groups = dict(list(dated.groupby(["day", "currency"])))
    assert {(row["revenue_date"], row["currency"]) for row in rows} == set(groups)
    for row in rows:
        group = groups[row["revenue_date"], row["currency"]]
        paying = set(group[group["revenue"]]["who"].dropna())
        new = {who for who in paying if first[who] == row["revenue_date"]}
        assert float(row["gross_amount"]) == pytest.approx(group[group["revenue"]]["amount"].sum(), abs=1e-6)
        assert row["payment_count"] == group["payment"].sum()
        assert row["failed_payment_count"] == group["failed"].sum()
        assert row["order_count"] == group["order"].sum()
        assert row["paying_customer_count"] == len(paying)
        assert row["new_customer_count"] == len(new)
        assert row["returning_customer_count"] == len(paying - new)
        average = group[group["revenue"]]["amount"].mean()
        assert (row["average_amount"] is None) == pd.isna(average)
        if row["average_amount"] is not None:
            assert float(row["average_amount"]) == pytest.approx(average)
    assert sum(row["gross_amount"] for row in rows) > 0


def test_a_customer_of_two_tools_is_one_row(read: Any, records: Any, known: Any, events: pd.DataFrame):
    guests = {
        email(r["customer_email"]) for s in ("crm", "shop") for r in records[f"{s}_order"] if not r["customer_id"]
    }
    people = set(known.values()) | (guests - {None})
    rows = read("unified_customers")
    assert len(rows) == len(people) == len({row["customer_key"] for row in rows})
    assert sum("," in row["sources"] for row in rows) > 5
    by_email = {row["email"]: row for row in rows if row["email"]}
    assert set(by_email) == {person for person in people if "@" in person}
    for address, row in by_email.items():
        mine = events[events["who"] == address]
        value = mine[mine["revenue"]].groupby("currency")["amount"].sum()
        assert row["payment_count"] == mine["payment"].sum()
        assert row["order_count"] == mine["order"].sum()
        assert row["is_paying"] == bool(mine["revenue"].any())
        assert {key: float(found) for key, found in row["lifetime_value"].items()} == pytest.approx(value.to_dict())


def test_open_tickets_are_counted_for_who_made_them(read: Any, records: Any, known: Any):
    people = set(known.values())
    makers = pd.Series(
        [
            known.get(("crm", row["creator_id"]), row["creator_id"])
            for row in records["crm_ticket"]
            if row["completed_at"] is None and row["status"] != "solved" and row["creator_id"]
        ]
    ).value_counts()
    expected = sorted(count for who, count in makers.items() if who in people)
    assert sorted(row["open_ticket_count"] for row in read("unified_customers") if row["open_ticket_count"]) == expected


def test_developer_activity_is_that_of_the_pull_requests(read: Any, records: Any):
    frame = pd.DataFrame(records["crm_pull_request"])
    frame["repository"] = frame["repository_id"].map(lambda name: name if "/" in name else f"acme/{name}")
    frame["closed_at"] = frame["closed_at"].fillna(frame["merged_at"])
    frame["hours"] = (frame["merged_at"] - frame["created_at"]).dt.total_seconds() / 3600
    found = {(row["activity_date"], row["repository"]): row for row in read("developer_activity")}
    seen = set()
    for moment, measure in (("created_at", "opened"), ("merged_at", "merged"), ("closed_at", "closed")):
        dated = frame[frame[moment].notna()]
        for key, group in dated.groupby([pd.to_datetime(dated[moment], utc=True).dt.date, "repository"]):
            seen.add(key)
            assert found[key][f"pull_requests_{measure}"] == len(group)
            if measure == "merged":
                assert float(found[key]["median_hours_to_merge"]) == pytest.approx(group["hours"].median(), abs=1e-4)
    assert seen == set(found)


def test_the_dashboard_adds_up_to_the_other_marts(read: Any, records: Any):
    rows = read("dashboard_summary")
    revenue = read("revenue_analytics")
    activity = read("developer_activity")
    customers = [row for row in read("unified_customers") if row["first_seen_at"]]
    tickets = records["crm_ticket"]
    assert sum(row["payment_count"] for row in rows) == sum(row["payment_count"] for row in revenue)
    assert sum(row["order_count"] for row in rows) == sum(row["order_count"] for row in revenue)
    assert (
        sum(row["pull_requests_opened"] for row in rows) == 80 == sum(row["pull_requests_opened"] for row in activity)
    )
    assert sum(row["pull_requests_merged"] for row in rows) == sum(row["pull_requests_merged"] for row in activity)
    assert sum(row["new_customer_count"] for row in rows) == rows[-1]["customer_count"] == len(customers)
    assert sum(row["tickets_opened"] for row in rows) == len(tickets)
    assert sum(row["tickets_closed"] for row in rows) == sum(row["completed_at"] is not None for row in tickets)
    for row in rows:
        gross = {r["currency"]: float(r["gross_amount"]) for r in revenue if r["revenue_date"] == row["summary_date"]}
        assert {key: float(value) for key, value in row["revenue_by_currency"].items()} == {
            currency: amount for currency, amount in gross.items() if amount
        }
        assert row["customer_count"] == sum(c["first_seen_at"].date() <= row["summary_date"] for c in customers)


def test_canonical_rows_are_the_source_records(read: Any, records: Any):
    for entity in ("customer", "order", "payment", "pull_request", "ticket"):
        expected = {(source, row["id"]) for source in ("crm", "shop") for row in records.get(f"{source}_{entity}", [])}
        rows = read(f"canonical_{entity}")
        assert {(row["_source"], row["_source_record_id"]) for row in rows} == expected
        assert len(rows) == len(expected)

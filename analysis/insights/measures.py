"""The measures of the published marts that facts are collected of."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Mart:
    """A mart with one row (or some) a day."""

    name: str
    day_column: str


SUMMARY = Mart("dashboard_summary", "summary_date")
REVENUE = Mart("revenue_analytics", "revenue_date")
DEVELOPMENT = Mart("developer_activity", "activity_date")
DAILY_MARTS = (SUMMARY, REVENUE, DEVELOPMENT)
CUSTOMERS = "unified_customers"


@dataclass(frozen=True)
class Measure:
    """One measure of a mart's day; `expression` is an aggregate over the day's rows."""

    name: str
    label: str
    mart: Mart
    expression: str
    unit: Literal["count", "money", "hours"] = "count"
    is_additive: bool = True
    """Days can be added up, and a day without rows counts as zero; otherwise it has no value."""
    per: Literal["currency", "repository"] | None = None


@dataclass(frozen=True)
class Rate:
    """One additive measure in percent of another, over 28 days."""

    name: str
    label: str
    mart: Mart
    numerator: str
    denominator: str


def _count(name: str, label: str, mart: Mart, column: str, per: Literal["currency"] | None = None) -> Measure:
    return Measure(name, label, mart, f"sum({column})::bigint", per=per)


DAILY_MEASURES = (
    _count("customers.new", "new customers", SUMMARY, "new_customer_count"),
    _count("payments.count", "payments", SUMMARY, "payment_count"),
    _count("payments.failed", "failed payments", REVENUE, "failed_payment_count"),
    _count("orders.count", "orders", SUMMARY, "order_count"),
    _count("pull_requests.opened", "opened pull requests", SUMMARY, "pull_requests_opened"),
    _count("pull_requests.merged", "merged pull requests", SUMMARY, "pull_requests_merged"),
    _count("pull_requests.closed", "closed pull requests", DEVELOPMENT, "pull_requests_closed"),
    _count("tickets.opened", "opened tickets", SUMMARY, "tickets_opened"),
    _count("tickets.closed", "closed tickets", SUMMARY, "tickets_closed"),
    Measure("revenue.gross_amount", "gross revenue", REVENUE, "sum(gross_amount)", "money", per="currency"),
    Measure(
        "revenue.average_amount", "average sale", REVENUE, "round(avg(average_amount), 4)", "money", False, "currency"
    ),
    _count("revenue.transactions", "payments and orders", REVENUE, "payment_count + order_count", "currency"),
    _count("revenue.paying_customers", "paying customers", REVENUE, "paying_customer_count", "currency"),
    _count("revenue.first_time_customers", "first-time paying customers", REVENUE, "new_customer_count", "currency"),
    _count(
        "revenue.returning_customers", "returning paying customers", REVENUE, "returning_customer_count", "currency"
    ),
    Measure(
        "pull_requests.hours_to_merge",
        "median hours to merge",
        DEVELOPMENT,
        "round(avg(median_hours_to_merge), 4)",
        "hours",
        is_additive=False,
        per="repository",
    ),
)

MERGED_BY_REPOSITORY = _count("pull_requests.merged", "merged pull requests", DEVELOPMENT, "pull_requests_merged")

# Distinct people of different days cannot be added up.
WINDOW_MEASURES = tuple(
    measure
    for measure in DAILY_MEASURES
    if measure.is_additive and measure.name not in ("revenue.paying_customers", "revenue.returning_customers")
)

RATES = (
    Rate(
        "payments.failure_rate",
        "share of payments that failed",
        REVENUE,
        "failed_payment_count",
        "failed_payment_count + payment_count",
    ),
    Rate(
        "pull_requests.merge_rate",
        "pull requests merged in percent of those opened",
        SUMMARY,
        "pull_requests_merged",
        "pull_requests_opened",
    ),
    Rate(
        "tickets.closing_rate",
        "tickets closed in percent of those opened",
        SUMMARY,
        "tickets_closed",
        "tickets_opened",
    ),
)


@dataclass(frozen=True)
class CustomerMeasure:
    """A number of the customers known by the end of a day; `expression` may use {after}, the next midnight (UTC)."""

    name: str
    label: str
    expression: str
    unit: Literal["count", "percent"] = "count"
    before: str | None = None
    """The same number 28 days before, where the mart can still tell."""


_ACTIVE = "last_seen_at >= {after} - interval '28 days'"
CUSTOMER_MEASURES = (
    CustomerMeasure(
        "customers.total",
        "customers",
        "count(*) filter (where first_seen_at is null or first_seen_at < {after})",
        before="count(*) filter (where first_seen_at is null or first_seen_at < {after} - interval '28 days')",
    ),
    CustomerMeasure("customers.paying", "paying customers", "count(*) filter (where is_paying)"),
    CustomerMeasure(
        "customers.across_tools", "customers known to several tools", "count(*) filter (where source_count > 1)"
    ),
    CustomerMeasure(
        "customers.with_open_tickets", "customers with open tickets", "count(*) filter (where open_ticket_count > 0)"
    ),
    CustomerMeasure(
        "customers.active_share",
        "share of customers seen in the last 28 days",
        f"round(100.0 * count(*) filter (where {_ACTIVE}) / nullif(count(last_seen_at), 0), 4)",
        "percent",
    ),
    CustomerMeasure(
        "customers.quiet_paying_share",
        "share of paying customers not seen in the last 28 days",
        f"round(100.0 * count(*) filter (where is_paying and not {_ACTIVE})"
        " / nullif(count(last_seen_at) filter (where is_paying), 0), 4)",
        "percent",
    ),
)

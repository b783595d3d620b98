"""The fleet tables of schema `analytics`: every tenant's marts side by side, walled by row-level security."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from analysis.store.tables import metadata

SCHEMA = "analytics"
READERS = "sluice_readers"
"""The group of all tenants' readers; its members may select, and policies decide which rows."""


def _mart(name: str, key: list[Column[Any]], *columns: Column[Any]) -> Table:
    tenant, release = Column("tenant_id", Text, primary_key=True), Column("release", BigInteger, primary_key=True)
    for column in key:
        column.primary_key = True
        column.nullable = False
    return Table(name, metadata, tenant, release, *key, *columns, schema=SCHEMA)


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger)


def _at(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


unified_customers = _mart(
    "unified_customers",
    [Column("customer_key", Text)],
    Column("email", Text),
    Column("full_name", Text),
    Column("company_name", Text),
    Column("country", Text),
    Column("sources", Text),
    _count("source_count"),
    _at("first_seen_at"),
    _at("last_seen_at"),
    _count("payment_count"),
    _count("order_count"),
    _count("open_ticket_count"),
    Column("lifetime_value", JSONB),
    Column("is_paying", Boolean),
)

revenue_analytics = _mart(
    "revenue_analytics",
    [Column("revenue_date", Date), Column("currency", Text)],
    Column("gross_amount", Numeric),
    _count("payment_count"),
    _count("failed_payment_count"),
    _count("order_count"),
    _count("paying_customer_count"),
    _count("new_customer_count"),
    _count("returning_customer_count"),
    Column("average_amount", Numeric),
)

developer_activity = _mart(
    "developer_activity",
    [Column("activity_date", Date), Column("repository", Text)],
    _count("pull_requests_opened"),
    _count("pull_requests_merged"),
    _count("pull_requests_closed"),
    _count("contributor_count"),
    Column("median_hours_to_merge", Numeric),
)

dashboard_summary = _mart(
    "dashboard_summary",
    [Column("summary_date", Date)],
    _count("customer_count"),
    _count("new_customer_count"),
    _count("payment_count"),
    _count("order_count"),
    Column("revenue_by_currency", JSONB),
    _count("pull_requests_opened"),
    _count("pull_requests_merged"),
    _count("tickets_opened"),
    _count("tickets_closed"),
)

MARTS = (unified_customers, revenue_analytics, developer_activity, dashboard_summary)

current_release = Table(
    "current_release",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("release", BigInteger, nullable=False),
    _at("published_at"),
    Column("is_stale", Boolean, nullable=False, server_default=text("false")),
    Column("stale_reason", Text),
    schema=SCHEMA,
)
"""Which release of a tenant readers see; the view `analytics.freshness` adds the newest sync."""

airbyte_sync_history = Table(
    "airbyte_sync_history",
    metadata,
    Column("sync_id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("connection_name", Text, nullable=False),
    Column("stream", Text),
    Column("job_id", Text, nullable=False),
    _count("records_synced"),
    _count("bytes_synced"),
    Column("status", Text, nullable=False),
    _at("started_at"),
    Column("last_sync_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("tenant_id", "connection_id", "job_id", "stream", postgresql_nulls_not_distinct=True),
    Index(None, "tenant_id", "last_sync_at"),
    schema=SCHEMA,
)
"""One row per stream and job; a job of no known stream has one row without, counts that nobody told are null."""

ai_workflow_analysis = Table(
    "ai_workflow_analysis",
    metadata,
    Column("analysis_id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("analysis_date", Date, nullable=False),
    Column("health_score", Numeric),
    Column("churn_risk", Numeric),
    Column("insights", JSONB, nullable=False, server_default=text("'[]'")),
    Column("recommendations", JSONB, nullable=False, server_default=text("'[]'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index(None, "tenant_id", "analysis_date"),
    schema=SCHEMA,
)

JOURNALS = (airbyte_sync_history, ai_workflow_analysis)
"""Append-only: the control role itself holds no right to update or delete here."""

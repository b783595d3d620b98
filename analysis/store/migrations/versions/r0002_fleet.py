"""The fleet tables of schema `analytics`, walled by row-level security."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


MARTS = ("unified_customers", "revenue_analytics", "developer_activity", "dashboard_summary")
JOURNALS = ("airbyte_sync_history", "ai_workflow_analysis")

# The tenant follows from the login alone: a setting could be changed by whoever is logged in.
OWN = "tenant_id = substring(current_user::text from '^tenant_(.+)_reader$')"
CURRENT = (
    "release = (select pointer.release from analytics.current_release as pointer"
    " where pointer.tenant_id = {table}.tenant_id)"
)

# Roles belong to the cluster, so another database's migration may have made this one, or be making it now.
CREATE_READERS = """
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'sluice_readers') then
        create role sluice_readers nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$
"""


def upgrade() -> None:
    """Create the schema, its tables, their grants and their policies."""
    op.execute("create schema if not exists analytics")
    create_marts()
    create_journals()
    op.execute(CREATE_READERS)
    op.execute("revoke all on schema analytics from public")
    op.execute("grant usage on schema analytics to sluice_readers")
    for table in MARTS:
        build_wall(table, f"{OWN} and {CURRENT.format(table=table)}")
    for table in ("current_release", *JOURNALS):
        build_wall(table, OWN)
    for table in JOURNALS:
        op.execute(f"revoke update, delete, truncate on analytics.{table} from current_user")


def build_wall(table: str, readable: str) -> None:
    """Readers see `readable` rows; the owner, on whom the policies are forced, works on all of them."""
    op.execute(f"alter table analytics.{table} enable row level security, force row level security")
    op.execute(f"create policy control on analytics.{table} to current_user using (true) with check (true)")
    op.execute(f"create policy reader on analytics.{table} for select to sluice_readers using ({readable})")
    op.execute(f"grant select on analytics.{table} to sluice_readers")


def create_marts() -> None:
    """The marts of all tenants, and which release of each is current."""
    op.create_table(
        "unified_customers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("customer_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("full_name", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("sources", sa.Text(), nullable=True),
        sa.Column("source_count", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_count", sa.BigInteger(), nullable=True),
        sa.Column("order_count", sa.BigInteger(), nullable=True),
        sa.Column("open_ticket_count", sa.BigInteger(), nullable=True),
        sa.Column("lifetime_value", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("is_paying", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "release", "customer_key", name=op.f("pk_unified_customers")),
        schema="analytics",
    )
    op.create_table(
        "revenue_analytics",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("revenue_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_amount", sa.Numeric(), nullable=True),
        sa.Column("payment_count", sa.BigInteger(), nullable=True),
        sa.Column("failed_payment_count", sa.BigInteger(), nullable=True),
        sa.Column("order_count", sa.BigInteger(), nullable=True),
        sa.Column("paying_customer_count", sa.BigInteger(), nullable=True),
        sa.Column("new_customer_count", sa.BigInteger(), nullable=True),
        sa.Column("returning_customer_count", sa.BigInteger(), nullable=True),
        sa.Column("average_amount", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "release", "revenue_date", "currency", name=op.f("pk_revenue_analytics")),
        schema="analytics",
    )
    op.create_table(
        "developer_activity",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("activity_date", sa.Date(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("pull_requests_opened", sa.BigInteger(), nullable=True),
        sa.Column("pull_requests_merged", sa.BigInteger(), nullable=True),
        sa.Column("pull_requests_closed", sa.BigInteger(), nullable=True),
        sa.Column("contributor_count", sa.BigInteger(), nullable=True),
        sa.Column("median_hours_to_merge", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "release", "activity_date", "repository", name=op.f("pk_developer_activity")
        ),
        schema="analytics",
    )
    op.create_table(
        "dashboard_summary",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("summary_date", sa.Date(), nullable=False),
        sa.Column("customer_count", sa.BigInteger(), nullable=True),
        sa.Column("new_customer_count", sa.BigInteger(), nullable=True),
        sa.Column("payment_count", sa.BigInteger(), nullable=True),
        sa.Column("order_count", sa.BigInteger(), nullable=True),
        sa.Column("revenue_by_currency", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("pull_requests_opened", sa.BigInteger(), nullable=True),
        sa.Column("pull_requests_merged", sa.BigInteger(), nullable=True),
        sa.Column("tickets_opened", sa.BigInteger(), nullable=True),
        sa.Column("tickets_closed", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "release", "summary_date", name=op.f("pk_dashboard_summary")),
        schema="analytics",
    )
    op.create_table(
        "current_release",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_current_release")),
        schema="analytics",
    )


def create_journals() -> None:
    """What happened, row by row."""
    op.create_table(
        "airbyte_sync_history",
        sa.Column("sync_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "rows_by_stream", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sync_id", name=op.f("pk_airbyte_sync_history")),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_airbyte_sync_history_tenant_id_finished_at"),
        "airbyte_sync_history",
        ["tenant_id", "finished_at"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "ai_workflow_analysis",
        sa.Column("analysis_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("analysis_date", sa.Date(), nullable=False),
        sa.Column("health_score", sa.Numeric(), nullable=True),
        sa.Column("churn_risk", sa.Numeric(), nullable=True),
        sa.Column("insights", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "recommendations", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("analysis_id", name=op.f("pk_ai_workflow_analysis")),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_ai_workflow_analysis_tenant_id_analysis_date"),
        "ai_workflow_analysis",
        ["tenant_id", "analysis_date"],
        unique=False,
        schema="analytics",
    )

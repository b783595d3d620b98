"""The control plane's first tables, in schema `sluice`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of schema `sluice`; the schema itself exists already."""
    create_tenants()
    create_models()
    create_runs()
    create_findings()


def create_tenants() -> None:
    """Tenants, their sources, logins and profiles."""
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="adding", nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("warehouse", sa.Text(), server_default="default", nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('adding', 'active', 'paused', 'removing')", name=op.f("ck_tenants_status")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenants")),
        schema="sluice",
    )
    op.create_table(
        "tenant_sources",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.Column("streams", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_onboarded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_tenant_sources_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_tenant_sources")),
        schema="sluice",
    )
    op.create_table(
        "tenant_credentials",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_encrypted", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["sluice.tenants.tenant_id"],
            name=op.f("fk_tenant_credentials_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "login", name=op.f("pk_tenant_credentials")),
        schema="sluice",
    )
    op.create_table(
        "stream_profiles",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "outgoing_references",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("profiled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_stream_profiles_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "source", "stream", name=op.f("pk_stream_profiles")),
        schema="sluice",
    )


def create_models() -> None:
    """Mappings, model sets, plans and what was decided about them."""
    op.create_table(
        "mapping_registry",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_mapping_registry_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "source", "stream", "path", "entity", "field", name=op.f("pk_mapping_registry")
        ),
        schema="sluice",
    )
    op.create_index(
        op.f("ix_mapping_registry_connector_stream"),
        "mapping_registry",
        ["connector", "stream"],
        unique=False,
        schema="sluice",
    )
    op.create_table(
        "model_sets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("renderer_version", sa.Text(), nullable=False),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_model_sets")),
        schema="sluice",
    )
    op.create_table(
        "model_plans",
        sa.Column("plan_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("model_set", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('proposed', 'approved', 'rejected', 'superseded')", name=op.f("ck_model_plans_status")
        ),
        sa.ForeignKeyConstraint(["model_set"], ["sluice.model_sets.name"], name=op.f("fk_model_plans_model_set")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_model_plans_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_model_plans")),
        schema="sluice",
    )
    op.create_index(
        op.f("ix_model_plans_tenant_id_plan_id"), "model_plans", ["tenant_id", "plan_id"], unique=False, schema="sluice"
    )
    op.create_table(
        "gate_verdicts",
        sa.Column("verdict_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["sluice.model_plans.plan_id"], name=op.f("fk_gate_verdicts_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("verdict_id", name=op.f("pk_gate_verdicts")),
        schema="sluice",
    )
    op.create_index(op.f("ix_gate_verdicts_plan_id"), "gate_verdicts", ["plan_id"], unique=False, schema="sluice")
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('pending', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_reviews_status")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["sluice.model_plans.plan_id"], name=op.f("fk_reviews_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reviews")),
        schema="sluice",
    )
    op.create_index(op.f("ix_reviews_plan_id"), "reviews", ["plan_id"], unique=False, schema="sluice")
    op.create_index(
        "uq_reviews_pending",
        "reviews",
        ["plan_id"],
        unique=True,
        schema="sluice",
        postgresql_where=sa.text("status = 'pending'"),
    )


def create_runs() -> None:
    """Releases and syncs."""
    op.create_table(
        "releases",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("model_set", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="building", nullable=False),
        sa.Column("is_stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stale_reason", sa.Text(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('building', 'published', 'previous', 'rolled_back', 'dropped', 'failed')",
            name=op.f("ck_releases_status"),
        ),
        sa.ForeignKeyConstraint(["model_set"], ["sluice.model_sets.name"], name=op.f("fk_releases_model_set")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["sluice.model_plans.plan_id"], name=op.f("fk_releases_plan_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_releases_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_releases")),
        schema="sluice",
    )
    op.create_index(
        "uq_releases_building",
        "releases",
        ["tenant_id"],
        unique=True,
        schema="sluice",
        postgresql_where=sa.text("status = 'building'"),
    )
    op.create_index(
        "uq_releases_published",
        "releases",
        ["tenant_id"],
        unique=True,
        schema="sluice",
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "sync_runs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_sync_runs_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "source", "job_id", name=op.f("pk_sync_runs")),
        schema="sluice",
    )


def create_findings() -> None:
    """Facts, reports and incidents."""
    op.create_table(
        "facts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("fact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_facts_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "day", "fact_id", name=op.f("pk_facts")),
        schema="sluice",
    )
    op.create_table(
        "reports",
        sa.Column("report_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_reports_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_reports")),
        sa.UniqueConstraint("tenant_id", "day", name=op.f("uq_reports_tenant_id_day")),
        schema="sluice",
    )
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_permanent", sa.Boolean(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["sluice.tenants.tenant_id"], name=op.f("fk_incidents_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
        schema="sluice",
    )
    op.create_index(
        op.f("ix_incidents_tenant_id_incident_id"),
        "incidents",
        ["tenant_id", "incident_id"],
        unique=False,
        schema="sluice",
    )

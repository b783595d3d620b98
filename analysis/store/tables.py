"""The tables of schema `sluice`: what the control plane remembers of every tenant."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

SCHEMA = "sluice"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

TENANT_STATUSES = ("adding", "active", "paused", "removing", "removed")
PLAN_STATUSES = ("proposed", "approved", "rejected", "superseded")
REVIEW_STATUSES = ("pending", "approved", "rejected", "withdrawn")
RELEASE_STATUSES = ("building", "published", "previous", "rolled_back", "dropped", "failed")


def _one_of(name: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} in ({listed})", name=name)


def _tenant(*, primary_key: bool = False) -> Column[str]:
    reference = ForeignKey(f"{SCHEMA}.tenants.tenant_id", ondelete="CASCADE")
    return Column("tenant_id", Text, reference, primary_key=primary_key, nullable=False)


def _at(name: str, *, now: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not now, server_default=func.now() if now else None)


def _json(name: str, empty: str | None = None) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'") if empty else None)


tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("status", Text, nullable=False, server_default="adding"),
    Column("workspace_id", Text),
    Column("warehouse", Text, nullable=False, server_default="default"),
    Column("paused_reason", Text),
    _at("created_at", now=True),
    _one_of("status", TENANT_STATUSES),
)

tenant_sources = Table(
    "tenant_sources",
    metadata,
    _tenant(primary_key=True),
    Column("name", Text, primary_key=True),
    Column("connector", Text, nullable=False),
    Column("source_id", Text),
    Column("connection_id", Text),
    _json("streams", "[]"),
    Column("is_onboarded", Boolean, nullable=False, server_default=text("false")),
    _at("created_at", now=True),
)

tenant_credentials = Table(
    "tenant_credentials",
    metadata,
    _tenant(primary_key=True),
    Column("login", Text, primary_key=True),
    Column("password_encrypted", Text, nullable=False),
    _at("created_at", now=True),
)

stream_profiles = Table(
    "stream_profiles",
    metadata,
    _tenant(primary_key=True),
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    _json("profile"),
    _json("outgoing_references", "[]"),
    _at("profiled_at", now=True),
)

mapping_registry = Table(
    "mapping_registry",
    metadata,
    _tenant(primary_key=True),
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("path", ARRAY(Text), primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("connector", Text, nullable=False),
    _json("mapping"),
    Column("decided_by", Text, nullable=False),
    _at("decided_at", now=True),
    Index(None, "connector", "stream"),
)

model_sets = Table(
    "model_sets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("renderer_version", Text, nullable=False),
    _json("files"),
    _at("created_at", now=True),
)

model_plans = Table(
    "model_plans",
    metadata,
    Column("plan_id", BigInteger, Identity(always=True), primary_key=True),
    _tenant(),
    Column("model_set", Text, ForeignKey(model_sets.c.name), nullable=False),
    _json("plan"),
    Column("status", Text, nullable=False, server_default="proposed"),
    _at("created_at", now=True),
    _one_of("status", PLAN_STATUSES),
    Index(None, "tenant_id", "plan_id"),
)


def _plan() -> Column[int]:
    reference = ForeignKey(model_plans.c.plan_id, ondelete="CASCADE")
    return Column("plan_id", BigInteger, reference, nullable=False, index=True)


gate_verdicts = Table(
    "gate_verdicts",
    metadata,
    Column("verdict_id", BigInteger, Identity(always=True), primary_key=True),
    _plan(),
    Column("gate", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    _json("detail", "{}"),
    _at("judged_at", now=True),
)

reviews = Table(
    "reviews",
    metadata,
    Column("review_id", BigInteger, Identity(always=True), primary_key=True),
    _plan(),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("reason", Text),
    Column("decided_by", Text),
    _at("created_at", now=True),
    _at("decided_at"),
    _one_of("status", REVIEW_STATUSES),
    Index("uq_reviews_pending", "plan_id", unique=True, postgresql_where=text("status = 'pending'")),
)

releases = Table(
    "releases",
    metadata,
    _tenant(primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("plan_id", BigInteger, ForeignKey(model_plans.c.plan_id, ondelete="SET NULL")),
    Column("model_set", Text, ForeignKey(model_sets.c.name)),
    Column("status", Text, nullable=False, server_default="building"),
    Column("is_stale", Boolean, nullable=False, server_default=text("false")),
    Column("stale_reason", Text),
    _json("counts", "{}"),
    _at("created_at", now=True),
    _at("sealed_at"),
    _at("published_at"),
    _at("retired_at"),
    _at("built_at"),
    Column("history", JSONB),
    _at("first_published_at"),
    _one_of("status", RELEASE_STATUSES),
    Index("uq_releases_published", "tenant_id", unique=True, postgresql_where=text("status = 'published'")),
    Index("uq_releases_building", "tenant_id", unique=True, postgresql_where=text("status = 'building'")),
)

history_tables = Table(
    "history_tables",
    metadata,
    _tenant(primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("last_release", BigInteger),
    _at("as_of"),
    _at("written_at"),
)
"""Which release a tenant's history table was last written from."""

sync_runs = Table(
    "sync_runs",
    metadata,
    _tenant(primary_key=True),
    Column("source", Text, primary_key=True),
    Column("job_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    _json("rows", "{}"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    _at("started_at", now=True),
    _at("finished_at"),
)

facts = Table(
    "facts",
    metadata,
    _tenant(primary_key=True),
    Column("day", Date, primary_key=True),
    Column("fact_id", Text, primary_key=True),
    Column("release", BigInteger, nullable=False),
    _json("fact"),
    _at("collected_at", now=True),
)

reports = Table(
    "reports",
    metadata,
    Column("report_id", BigInteger, Identity(always=True), primary_key=True),
    _tenant(),
    Column("day", Date, nullable=False),
    Column("release", BigInteger, nullable=False),
    _json("report"),
    Column("markdown", Text, nullable=False),
    _at("written_at", now=True),
    UniqueConstraint("tenant_id", "day"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", BigInteger, Identity(always=True), primary_key=True),
    _tenant(),
    Column("step", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    _json("keys", "{}"),
    Column("is_permanent", Boolean, nullable=False),
    _at("happened_at", now=True),
    _at("resolved_at"),
    Index(None, "tenant_id", "incident_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _at("recorded_at", now=True),
    Column("actor", Text, nullable=False),
    Column("os_user", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("run_id", Text),
    Column("tenant", Text),
    Column("action", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "tenant", "seq"),
)
"""Append-only and outliving its tenants; `detail` is JSON as it was written, since its hash must come out again."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("is_only", Boolean, CheckConstraint("is_only", name="is_only"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One row: the newest entry. Its row lock is what puts appends in order."""

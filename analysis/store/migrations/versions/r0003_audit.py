"""The audit log, to which rows are only ever added, and its head; tenants that are removed keep their records."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATUSES = ("adding", "active", "paused", "removing", "removed")


def upgrade() -> None:
    """Create both tables and take from their owner the right to change what was written."""
    create_log()
    create_head()
    op.execute("revoke update, delete, truncate on sluice.audit_log from current_user")
    op.execute("revoke delete, truncate on sluice.audit_head from current_user")
    op.execute("alter table sluice.tenants drop constraint ck_tenants_status")
    op.execute(f"alter table sluice.tenants add constraint ck_tenants_status check (status in {STATUSES})")


def create_log() -> None:
    """The rows, in the order of `seq`."""
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("os_user", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_log")),
        schema="sluice",
    )
    op.create_index(op.f("ix_audit_log_tenant_seq"), "audit_log", ["tenant", "seq"], unique=False, schema="sluice")


def create_head() -> None:
    """The newest row's number and hash, before the first row too."""
    head = op.create_table(
        "audit_head",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("is_only", name=op.f("ck_audit_head_is_only")),
        sa.PrimaryKeyConstraint("is_only", name=op.f("pk_audit_head")),
        schema="sluice",
    )
    op.bulk_insert(head, [{"is_only": True, "seq": 0, "hash": "0" * 64}])

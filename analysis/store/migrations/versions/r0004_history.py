"""History: what each release declares, when it was first published, and how far each history table has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns of `releases`, bring over what is known, and create the marks."""
    declared = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("releases", sa.Column("history", declared, nullable=True), schema="sluice")
    op.add_column(
        "releases", sa.Column("first_published_at", sa.DateTime(timezone=True), nullable=True), schema="sluice"
    )
    op.execute("update sluice.releases set first_published_at = published_at")
    op.create_table(
        "history_tables",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("last_release", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["sluice.tenants.tenant_id"],
            name=op.f("fk_history_tables_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "relation", name=op.f("pk_history_tables")),
        schema="sluice",
    )

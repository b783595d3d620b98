"""How fresh a tenant's published release is: columns of the fleet's pointer, and a view that readers select."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COPY = """
update analytics.current_release as pointer
set published_at = releases.published_at, is_stale = releases.is_stale, stale_reason = releases.stale_reason
from sluice.releases
where releases.tenant_id = pointer.tenant_id and releases.number = pointer.release
"""
# Read with the rights of whoever selects, so that the tables' policies decide which rows there are.
FRESHNESS = """
create view analytics.freshness with (security_invoker = true) as
select
    pointer.tenant_id,
    pointer.release,
    pointer.published_at,
    (
        select max(history.finished_at) from analytics.airbyte_sync_history as history
        where history.tenant_id = pointer.tenant_id and history.status = 'succeeded'
    ) as newest_sync_at,
    pointer.is_stale,
    pointer.stale_reason
from analytics.current_release as pointer
"""


def upgrade() -> None:
    """Extend the pointer, bring over what is known, create the view; and let a release say when it was whole."""
    for column in (
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stale_reason", sa.Text(), nullable=True),
    ):
        op.add_column("current_release", column, schema="analytics")
    op.add_column("releases", sa.Column("built_at", sa.DateTime(timezone=True), nullable=True), schema="sluice")
    op.execute(COPY)
    op.execute(FRESHNESS)
    op.execute("grant select on analytics.freshness to sluice_readers")

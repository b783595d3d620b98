"""The history of syncs by stream: one row per stream and job, written once however often the job is told."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The tenant follows from the login alone: a setting could be changed by whoever is logged in.
OWN = "tenant_id = substring(current_user::text from '^tenant_(.+)_reader$')"
KEEP = "create temporary table history_by_job on commit drop as select * from analytics.airbyte_sync_history"
# Bytes were counted by job: they are a stream's where it was the only one, and `sluice.sync_runs` has them all.
BRING_OVER = """
insert into analytics.airbyte_sync_history (
    tenant_id, connection_id, connection_name, stream, job_id, records_synced, bytes_synced, status, started_at,
    last_sync_at
)
select
    job.tenant_id, coalesce(job.connection_id, job.source), job.source, streams.stream, job.job_id,
    streams.records::bigint,
    case when (select count(*) from jsonb_object_keys(job.rows_by_stream)) < 2 then job.byte_count end,
    job.status, job.started_at, job.finished_at
from history_by_job as job
left join lateral
    jsonb_each_text(job.rows_by_stream) with ordinality as streams (stream, records, place) on true
order by job.sync_id, streams.place
"""
# As revision 0006 has it for the columns that were there: what ANALYZE samples would tell one tenant of another's.
UNSAMPLED = """
do $$
declare
    found record;
begin
    for found in
        select attname from pg_catalog.pg_attribute
        where attrelid = 'analytics.airbyte_sync_history'::regclass and attnum > 0 and not attisdropped
    loop
        execute format('alter table analytics.airbyte_sync_history alter column %I set statistics 0', found.attname);
    end loop;
end
$$
"""
# Read with the rights of whoever selects, so that the tables' policies decide which rows there are.
FRESHNESS = """
create view analytics.freshness with (security_invoker = true) as
select
    pointer.tenant_id,
    pointer.release,
    pointer.published_at,
    (
        select max(history.last_sync_at) from analytics.airbyte_sync_history as history
        where history.tenant_id = pointer.tenant_id and history.status = 'succeeded'
    ) as newest_sync_at,
    pointer.is_stale,
    pointer.stale_reason
from analytics.current_release as pointer
"""


def upgrade() -> None:
    """Make the table anew behind the same wall, with what the old one held, and the view that reads it."""
    op.execute(KEEP)
    op.execute("drop view analytics.freshness")
    op.drop_table("airbyte_sync_history", schema="analytics")
    create_history()
    op.execute("alter table analytics.airbyte_sync_history enable row level security, force row level security")
    op.execute("create policy control on analytics.airbyte_sync_history to current_user using (true) with check (true)")
    op.execute(f"create policy reader on analytics.airbyte_sync_history for select to sluice_readers using ({OWN})")
    op.execute("grant select on analytics.airbyte_sync_history to sluice_readers")
    op.execute("revoke update, delete, truncate on analytics.airbyte_sync_history from current_user")
    op.execute(UNSAMPLED)
    op.execute(BRING_OVER)
    op.execute(FRESHNESS)
    op.execute("grant select on analytics.freshness to sluice_readers")


def create_history() -> None:
    """The table and its index."""
    op.create_table(
        "airbyte_sync_history",
        sa.Column("sync_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("connection_name", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("records_synced", sa.BigInteger(), nullable=True),
        sa.Column("bytes_synced", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sync_id", name=op.f("pk_airbyte_sync_history")),
        sa.UniqueConstraint(
            "tenant_id",
            "connection_id",
            "job_id",
            "stream",
            name=op.f("uq_airbyte_sync_history_tenant_id_connection_id_job_id_stream"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_airbyte_sync_history_tenant_id_last_sync_at"),
        "airbyte_sync_history",
        ["tenant_id", "last_sync_at"],
        unique=False,
        schema="analytics",
    )

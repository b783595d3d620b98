"""No statistics on the fleet's columns: the planner's estimates would tell one tenant of another's values."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Row security hides rows, not what ANALYZE sampled of them: for leakproof operators such as those of text, EXPLAIN
# shows a tenant how many rows of all tenants would match. Reads go by the primary key, which needs no statistics.
FORGET = """
do $$
declare
    found record;
begin
    for found in
        select attrelid::regclass as place, relname, attname, format_type(atttypid, atttypmod) as kind
        from pg_catalog.pg_attribute join pg_catalog.pg_class on pg_class.oid = attrelid
        where relnamespace = 'analytics'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
    loop
        execute format('alter table %s alter column %I set statistics 0', found.place, found.attname);
        begin
            -- Giving a column the type that it has rewrites nothing and drops what was sampled.
            execute format('alter table %s alter column %I type %s', found.place, found.attname, found.kind);
        exception when feature_not_supported then
            -- Policies and views pin a few columns: a tenant's id, a release's number, a sync's status. Before
            -- PostgreSQL 18 what was sampled of these stays.
            if to_regprocedure('pg_catalog.pg_clear_attribute_stats(text, text, text, boolean)') is not null then
                perform pg_catalog.pg_clear_attribute_stats('analytics', found.relname, found.attname, false);
            end if;
        end;
    end loop;
end
$$
"""


def upgrade() -> None:
    """Stop sampling every column of every fleet table, and forget what was sampled."""
    op.execute(FORGET)

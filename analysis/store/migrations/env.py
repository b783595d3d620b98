"""Alembic's entry: runs inside the transaction that `analysis.store.migrate` opened."""

from alembic import context

from analysis.store import fleet, tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=fleet.current_release.metadata,
    version_table_schema=tables.SCHEMA,
    include_schemas=True,
)
context.run_migrations()

"""Bring a database's control plane to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from analysis.store.connect import open_engine
from analysis.store.tables import SCHEMA

_MIGRATIONS = Path(__file__).with_name("migrations")
# Any login may take an advisory lock; once there can be tenants, a table that they cannot touch stands for it.
_LOCK = text("""
do $$ begin
    if to_regclass('sluice.alembic_version') is null then
        perform pg_advisory_xact_lock(hashtextextended('sluice migrations', 0));
    else
        lock table sluice.alembic_version in share row exclusive mode;
    end if;
end $$
""")


def upgrade(url: str) -> None:
    """Apply what is missing, all or nothing; two at once wait for each other; nothing missing is a no-op."""
    with open_engine(url, application="sluice migrate").begin() as connection:
        connection.execute(_LOCK)
        connection.execute(text(f"create schema if not exists {SCHEMA}"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current_revision(url: str) -> str | None:
    """The revision the database is at; None where it was never migrated."""
    with open_engine(url, application="sluice migrate").connect() as connection:
        return _revision_of(connection)


def head_revision() -> str:
    """The newest revision this code knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError(f"No migrations are packaged. (path={str(_MIGRATIONS)!r})")
    return head


def knows(revision: str) -> bool:
    """Whether a database at this revision can be brought to the newest by this code."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision_of(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    return context.get_current_revision()

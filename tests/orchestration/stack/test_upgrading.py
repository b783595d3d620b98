"""An older home is brought to what this version describes, without a person."""

from typing import Any

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import text

from analysis.store import audit, audit_chain, migrate
from analysis.store.connect import open_engine
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.stack.upgrading import bring_up_to_date
from orchestration.tenancy.removal import remove_tenant
from orchestration.tenancy.walls.repairs import find_faults


def test_tenants_of_an_older_version_have_the_walls_of_this_one(postgres: Any, database: str) -> None:
    settings = Settings(home=postgres.home, database_url=SecretStr(database))
    config = Config()
    config.set_main_option("script_location", str(PROJECT_ROOT / "analysis" / "store" / "migrations"))
    control = open_engine(database)
    with control.begin() as connection:
        connection.execute(text("create schema sluice"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(text("insert into sluice.tenants (tenant_id, status) values ('elder', 'active')"))
        connection.execute(text("create schema tenant_elder"))
    told: list[str] = []
    bring_up_to_date(settings, database, told.append)
    try:
        assert migrate.current_revision(database) == migrate.head_revision()
        assert [fault.sentence for fault in find_faults(control) if fault.tenant] == []
        with control.connect() as connection:
            assert {row.action for row in audit.read_log(connection, tenant="elder")} == {"grants.repair"}
        assert audit_chain.verify_log(control).bad is None
        rows = audit_chain.verify_log(control).rows
        bring_up_to_date(settings, database, told.append)  # what is new is left as it is
        assert audit_chain.verify_log(control).rows == rows
        assert len(told) == 2
    finally:
        remove_tenant(control, "elder")

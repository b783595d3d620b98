"""Alpha's logins try to read what is beta's, or the house's, by every way of naming a relation."""

import psycopg
import pytest

from analysis.store import fleet
from orchestration.stack import bootstrap

ROOMS = ("raw", "sample", "scratch", "history", "build", "analytics", "kept_release")
LOGINS = ("builder", "reader")
FLEET = (*(table.name for table in fleet.MARTS), *(table.name for table in fleet.JOURNALS))
CONTROL_PLANE = ("tenants", "tenant_credentials", "tenant_sources", "model_plans", "model_sets", "releases", "facts")
WAYS = {
    "copy": "copy {} to stdout",
    "cursor": "declare way cursor for select * from {}",
    "prepared": "prepare way as select * from {}",
    "explained": "explain analyze select * from {}",
    "block": "do $$ begin perform * from {}; end $$",
    "query_in_text": "select * from pg_catalog.ts_stat('select to_tsvector(email) from {}')",
    "row_type": "select null::{}",
    "regclass": "select '{}'::regclass",
    "row_at": "select pg_catalog.currtid2('{}', '(0,1)')",
    "sample": "select * from {} tablesample system (100)",
    "subquery": "select (select email from {} limit 1)",
    "foreign_key": "create table {own} (id int references {})",
    "like": "create table {own} (like {})",
    "inherits": "create table {own} () inherits ({})",
    "view": "create view {own} as select * from {}",
}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("room", ROOMS)
def test_no_room_of_another_tenant_is_read(attack, world, attacker, victim, room, login):
    table, owner = victim.rooms[room]
    query = f"select * from {table}"
    attack.shown(attack.control(victim.login(owner) if owner else world.admin, query), victim.secret)
    attack.refused(attacker.login(login), query, why="permission denied for schema")


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_naming_a_table_gets_around_the_schema(attack, attacker, victim, way):
    place = f"{attacker.names.build}.way"
    attack.control(attacker.builder, WAYS[way].format(f"{attacker.names.build}.own_orders", own=place))
    attack.refused(
        attacker.builder, WAYS[way].format(victim.rooms["raw"][0], own=place), why="permission denied for schema"
    )


@pytest.mark.parametrize("table", FLEET)
def test_a_reader_sees_no_fleet_row_of_another_tenant(attack, world, attacker, victim, table):
    query = f"select * from analytics.{table}"
    attack.shown(attack.control(world.control, query), victim.secret)
    attack.shown(attack.control(attacker.reader, query), attacker.secret)
    attack.nothing(attacker.reader.run(query), victim.secret)
    attack.nothing(attacker.reader.run(f"{query} where tenant_id = '{victim}' or true"), victim.secret)


@pytest.mark.parametrize("table", (*FLEET, "current_release"))
def test_a_builder_sees_no_fleet_row_at_all(attack, world, attacker, table):
    query = f"select * from analytics.{table}"
    attack.control(world.control, query)
    attack.refused(attacker.builder, query)


def test_a_reader_sees_the_pointer_of_its_own_release_alone(attack, world, attacker):
    query = "select tenant_id from analytics.current_release order by 1"
    attack.witnessed({("alpha",), ("beta",)} <= set(attack.control(world.control, query)))
    attack.harmless(attacker.reader.run(query) == [("alpha",)])


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("table", CONTROL_PLANE)
def test_the_control_plane_is_not_read(attack, world, attacker, table, login):
    query = f"select * from sluice.{table}"
    attack.control(world.control, query)
    attack.refused(attacker.login(login), query)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("table", ["airbyte.actor", "airbyte_internal.moving"])
def test_airbytes_memory_is_not_read(attack, world, attacker, victim, table, login):
    query = f"select * from {table}"
    attack.shown(attack.control(world.admin, query), victim.secret)
    attack.refused(attacker.login(login), query)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("database", ["sluice_dagster", "sluice", "postgres", "template1"])
def test_no_other_database_is_entered(attack, world, attacker, database, login):
    url = bootstrap.with_database(attacker.login(login).url, database)
    psycopg.connect(bootstrap.with_database(world.admin.url, database)).close()
    attack.control(attacker.login(login), "select 1")
    attack.tries += 1
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)


@pytest.mark.parametrize(
    "leak",
    [
        "1 / (case when email = 'beta-secret' then 0 else 1 end) = 1",
        "case when email = 'beta-secret' then email::int = 1 else true end",
        "pg_catalog.set_config('leak.seen', email, true) is null or email <> 'beta-secret'"
        " or pg_catalog.current_setting('leak.seen')::int = 1",
    ],
    ids=["division", "cast", "setting"],
)
def test_a_leaky_condition_is_not_tried_on_another_tenants_fleet_rows(attack, world, attacker, victim, leak):
    query = f"select tenant_id from analytics.unified_customers where {leak}"
    with pytest.raises(psycopg.Error, match=r"division by zero|beta-secret"):
        world.control.run(query)
    attack.witnessed(True)
    attack.nothing(attacker.reader.run(query), str(victim))


@pytest.mark.parametrize(
    "setting",
    [
        "set row_security = off",
        "select pg_catalog.set_config('sluice.tenant', 'beta', false)",
        "set app.current_tenant = 'beta'",
        "select pg_catalog.set_config('session_authorization', 'tenant_beta_reader', false)",
        "select pg_catalog.set_config('role', 'tenant_beta_reader', false)",
        "set application_name = 'tenant_beta_reader'",
        "set role tenant_alpha_reader",
    ],
)
def test_no_setting_moves_the_wall_of_the_fleet(attack, world, attacker, victim, setting):
    query = "select tenant_id from analytics.dashboard_summary"
    attack.witnessed({(str(victim),), (str(attacker),)} <= set(world.control.run(query)))
    attack.tries += 1
    try:
        found = attacker.reader.run(setting, query)
    except psycopg.Error as error:
        assert "permission denied" in str(error) or "row-level security" in str(error)
    else:
        assert set(found) == {(str(attacker),)}


def test_a_prepared_statement_does_not_outlive_the_revoke_of_its_release(attack, world, fresh):
    side = fresh("omega")
    for _ in range(2):
        side.open_build()
        side.publish()
    old = f"select email from {side.names.analytics}.own_orders"
    with side.reader.connect() as session:
        session.execute(f"prepare held as {old}")
        attack.shown(session.execute("execute held").fetchall(), side.secret)
        release = side.names.release(1)
        attack.tries += 1
        with pytest.raises(psycopg.Error, match="permission denied for schema"):
            session.execute(f"select * from {release}.own_orders")
        side.open_build()
        side.publish()
        # The name now leads to the new release; what was prepared is planned anew and follows the name.
        attack.shown(session.execute("execute held").fetchall(), side.secret)

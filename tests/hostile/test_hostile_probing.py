"""Alpha's logins look for beta's values where they are not kept: catalogues, statistics, plans, messages, notices."""

import psycopg
import pytest

from analysis.store.migrations.versions import r0006_fleet_statistics

LOGINS = ("builder", "reader")
PROBE = "beta-secret"


@pytest.fixture
def busy_victim(victim):
    """Beta at work: a statement, a prepared statement and an open cursor, all of them with values in their text."""
    with victim.builder.connect() as working, victim.reader.connect() as reading:
        working.execute("begin")
        working.execute(f"declare seen cursor for select '{PROBE}' from {victim.rooms['raw'][0]}")
        reading.execute(f"prepare found as select * from own_orders where email = '{PROBE}'")
        reading.execute("begin")
        reading.execute(f"select * from own_orders where email = '{PROBE}'")
        yield victim


@pytest.mark.parametrize("login", LOGINS)
def test_nothing_that_may_be_selected_holds_another_tenants_values(attack, world, attacker, busy_victim, login):
    for room in ("raw", "sample", "history", "analytics"):
        world.admin.alone(f"analyze {busy_victim.rooms[room][0]}")
    listed = """
    select pg_class.oid::regclass::text from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p') and nspname <> 'information_schema'
      and has_schema_privilege('{0}', pg_namespace.oid, 'usage') and has_table_privilege('{0}', pg_class.oid, 'select')
    """
    readable = [relation for (relation,) in attacker.login(login).run(listed.format(getattr(attacker.names, login)))]
    assert len(readable) > 100
    holding = {relation for relation in readable if holds(attacker.login(login), relation)}
    attack.witnessed(all(holds(world.admin, relation) for relation in ("pg_stats", "pg_stat_activity")))
    attack.harmless(not holding)


def holds(login, relation: str) -> bool:
    """Whether any row that the login gets of a relation has the victim's value in it."""
    try:
        # A parameter, so that the search does not find itself among the running statements.
        query = f"select count(*) from {relation} as found where strpos(found::text, %s) > 0"
        return login.session.execute(query.encode(), [PROBE]).fetchone() != (0,)
    except psycopg.Error:
        return False  # a view over a function that is closed to the login, or that this server cannot fill


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "relation", ["pg_statistic", "pg_statistic_ext_data", "pg_authid", "pg_shadow", "pg_largeobject"]
)
def test_the_catalogues_that_hold_values_are_closed(attack, world, attacker, relation, login):
    attack.control(world.admin, f"select * from pg_catalog.{relation}")
    attack.refused(attacker.login(login), f"select * from pg_catalog.{relation}")


@pytest.mark.parametrize("login", LOGINS)
def test_the_activity_of_others_shows_no_statement(attack, world, attacker, busy_victim, login):
    query = (
        "select usename, application_name, query, state, query_start from pg_stat_activity where usename like '%beta%'"
    )
    attack.shown(attack.control(world.admin, query), PROBE)
    attack.shown(attack.control(world.control, query), PROBE)  # it must see, to end what takes too long
    seen = attacker.login(login).run(query)
    attack.nothing(seen, PROBE)
    attack.harmless({row[2] for row in seen} == {"<insufficient privilege>"})


@pytest.mark.parametrize("login", LOGINS)
def test_functions_on_other_sessions_tell_nothing(attack, world, attacker, busy_victim, login):
    for function in ("pg_stat_get_activity(null)", "pg_stat_get_backend_activity(backend)"):
        query = (
            "select string_agg(found::text, ' ') from pg_stat_get_backend_idset() as backend,"
            f" lateral (select {function}) as found"
        )
        attack.shown(attack.control(world.admin, query), PROBE)
        attack.nothing(attacker.login(login).run(query), PROBE)


def test_a_plans_estimates_do_not_tell_whether_another_tenant_has_a_value(attack, world, attacker, victim):
    filled = """
    insert into {} (tenant_id, release, customer_key, email, country)
    select tenant, 2, 'k' || n, tenant || lpad(n::text, 4, '0'), tenant || '-country'
    from generate_series(1, 500) as n, unnest(array['alpha', 'beta']) as tenant
    """
    copy = "analytics.unwalled"
    world.control.keep(
        filled.format("analytics.unified_customers"),
        f"create table {copy} (like analytics.unified_customers)",
        filled.format(copy),
        f"grant select on {copy} to {attacker.names.reader}",
        f"alter table {copy} enable row level security",
        f"create policy own on {copy} using (tenant_id = substring(current_user from '^tenant_(.+)_reader$'))",
        "analyze analytics.unified_customers",
        f"analyze {copy}",
    )
    try:
        for values in (
            ("country <> 'beta-country'", "country <> 'nobodys'"),
            ("email < 'beta0001'", "email < 'beta0499'"),
        ):
            guesses = {
                table: {
                    str(
                        attacker.reader.run(f"explain (format json) select from {table} where {value}")[0][0][0][
                            "Plan"
                        ]["Plan Rows"]
                    )
                    for value in values
                }
                for table in (copy, "analytics.unified_customers")
            }
            # With statistics the two estimates differ, although row security lets the reader see its own rows alone.
            attack.witnessed(len(guesses[copy]) == 2)
            attack.harmless(len(guesses["analytics.unified_customers"]) == 1)
    finally:
        world.control.keep(f"drop table {copy}", "delete from analytics.unified_customers where customer_key like 'k%'")


def test_no_column_of_the_fleet_is_sampled(attack, world):
    listed = """
    select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = '{}'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
      and attstattarget is distinct from 0
    """
    attack.witnessed(len(world.admin.run(listed.format("sluice"))) > 20)
    attack.harmless(world.admin.run(listed.format("analytics")) == [])


def test_what_was_sampled_before_is_forgotten(attack, world):
    sampled = "select attname::text from pg_stats where schemaname = 'analytics' and tablename = 'unified_customers'"
    found = world.admin.run(
        "alter table analytics.unified_customers alter email set statistics 100",
        "analyze analytics.unified_customers",
        sampled,
    )
    attack.witnessed(("email",) in found)
    world.control.keep("alter table analytics.unified_customers alter email set statistics 100")
    world.control.alone("analyze analytics.unified_customers")
    world.control.keep(r0006_fleet_statistics.FORGET)
    world.control.alone("analyze analytics.unified_customers")
    attack.harmless(world.admin.run(sampled) == [])


@pytest.mark.parametrize(
    "statement",
    [
        "select email::int from analytics.unified_customers where tenant_id = 'beta'",
        "select 1 / (length(email) - length(email)) from analytics.unified_customers where tenant_id = 'beta'",
        "select sum(email::numeric) from analytics.unified_customers where tenant_id = 'beta'",
        "select email::jsonb from analytics.unified_customers where email like 'beta%'",
    ],
    ids=["cast", "division", "sum", "json"],
)
def test_an_error_message_quotes_nothing_of_another_tenant(attack, world, attacker, statement):
    with pytest.raises(psycopg.DataError) as caught:
        world.control.run(statement)
    attack.witnessed("beta" in str(caught.value) or "division" in str(caught.value))
    try:
        found = str(attacker.reader.run(statement))
    except psycopg.Error as error:
        found = str(error)
    attack.nothing(found, PROBE)
    attack.harmless("invalid input" not in found and "division" not in found)


@pytest.mark.parametrize("login", LOGINS)
def test_a_refusal_reads_the_same_whether_the_thing_exists_or_not(attack, world, attacker, victim, login):
    there = f"select email from {victim.names.raw}.shop_orders"
    attack.shown(attack.control(world.admin, there), PROBE)
    existing = attack.refused(attacker.login(login), there)
    missing = attack.refused(attacker.login(login), f"select email from {victim.names.raw}.no_such_table")
    wrong = attack.refused(attacker.login(login), f"select no_such_column from {victim.names.raw}.shop_orders")
    attack.harmless(existing.splitlines()[0] == missing.splitlines()[0] == wrong.splitlines()[0])


@pytest.mark.parametrize("login", LOGINS)
def test_listening_hears_nothing_of_another_tenants_work(attack, world, attacker, rooms, login):
    with attacker.login(login).connect() as ear:
        for channel in ("sluice", "dagster", "airbyte", "pgrst", str(rooms), rooms.names.raw, "run_events"):
            ear.execute(f'listen "{channel}"')
        rooms.publish()
        attack.nothing(list(ear.notifies(timeout=0.05)), rooms.secret)
        # What a tenant itself calls out is heard by all who listen: nothing of ours does so.
        rooms.reader.alone("notify sluice, 'sigma-secret'")
        attack.shown([each.payload for each in ear.notifies(timeout=2, stop_after=1)], rooms.secret)


@pytest.mark.parametrize("login", LOGINS)
def test_sizes_and_counts_are_numbers_alone(attack, world, attacker, victim, login):
    """What is visible and documented: names and sizes; the wall is that no value is among them."""
    query = "select relname, reltuples, pg_relation_size(oid) from pg_class where relname = 'shop_orders'"
    attack.witnessed(len(attack.control(world.admin, query)) >= 4)
    attack.nothing(attacker.login(login).run(query), PROBE)
    attack.refused(attacker.login(login), f"select ctid, xmin from {victim.rooms['raw'][0]}")


def test_a_builder_finds_no_value_in_the_definitions_of_anothers_relations(attack, world, attacker, rooms):
    build = rooms.names.build
    rooms.builder.keep(f"create view {build}.seen as select email from {build}.own_orders")
    defined = (
        "select pg_get_viewdef(pg_class.oid) from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
        f" where relname = 'seen' and nspname = '{build}'"
    )
    attack.shown(attack.control(world.admin, f"select email from {build}.seen"), rooms.secret)
    attack.nothing(attacker.builder.run(defined), rooms.secret)
    attack.refused(attacker.builder, f"select * from {build}.seen")

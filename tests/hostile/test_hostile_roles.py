"""Alpha's logins try to become somebody else, to be more than they are, or to give away what is theirs."""

import psycopg
import pytest
from psycopg import sql

from orchestration.tenancy import registry
from orchestration.tenancy.publishing import releases, sealing

LOGINS = ("builder", "reader")
OTHERS = (
    "tenant_beta_builder",
    "tenant_beta_reader",
    "sluice_control",
    "sluice_loader",
    "sluice_airbyte",
    "sluice_dagster",
    "sluice_readers",
    "sluice_builders",
    "postgres",
    "pg_read_all_data",
)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("role", OTHERS)
def test_no_login_becomes_another_role(attack, world, attacker, role, login):
    for statement in (
        f"set role {role}",
        f"set local role {role}",
        f"select pg_catalog.set_config('role', '{role}', false)",
        f"set session authorization {role}",
        f"alter role current_user set role = '{role}'; set role {role}",
    ):
        attack.control(world.admin, statement)
        attack.refused(attacker.login(login), statement)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("statement", ["reset role", "reset session authorization", "discard all", "set role none"])
def test_what_undoes_a_role_leads_back_to_the_login_itself(attack, world, attacker, statement, login):
    names = "select current_user::text, session_user::text"
    own = getattr(attacker.names, login)
    world.admin.alone(f"set role {attacker.names.reader}")
    world.admin.alone(statement)
    attack.witnessed(world.admin.run(names) == [("postgres", "postgres")])
    attacker.login(login).alone(statement)
    attack.harmless(attacker.login(login).run(names) == [(own, own)])


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "alter role current_user superuser",
        "alter role current_user createrole",
        "alter role current_user createdb",
        "alter role current_user bypassrls",
        "alter role current_user replication",
        "alter role current_user connection limit 1000",
        "alter role current_user valid until 'infinity'",
        "alter role tenant_beta_reader rename to tenant_gamma_reader",
        "alter role current_user set session_replication_role = replica",
        "alter role current_user set temp_file_limit = -1",
        "alter role tenant_beta_reader password 'known'",
        "alter role tenant_beta_builder set search_path = public",
        "alter role all set search_path = public",
        "create role tenant_gamma_reader login",
        "drop role tenant_beta_reader",
        "grant sluice_loader to current_user",
        "grant tenant_beta_reader to current_user",
        "grant pg_read_all_data to current_user",
        "grant tenant_alpha_reader to tenant_beta_reader",
        "grant tenant_alpha_builder to tenant_beta_builder",
        "grant set on parameter temp_file_limit to current_user",
        "revoke sluice_readers from tenant_beta_reader",
        "reassign owned by tenant_beta_builder to current_user",
        "reassign owned by current_user to tenant_beta_builder",
        "drop owned by tenant_beta_builder",
        "alter default privileges for role tenant_beta_builder grant select on tables to public",
        "alter default privileges for role sluice_control grant select on tables to public",
        "alter default privileges for role sluice_loader grant select on tables to public",
        "set session_replication_role = replica",
        "set temp_file_limit = -1",
        "set log_statement = 'all'",
        "set track_activities = off",
    ],
)
def test_no_login_makes_itself_or_others_more_than_they_are(attack, world, attacker, statement, login):
    named = statement.replace("current_user", getattr(attacker.names, login))
    free = ["drop owned by tenant_beta_reader"] if statement.startswith("drop role") else []
    attack.control(world.admin, *free, named)
    attack.refused(attacker.login(login), named)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("target", ["tenant_beta_builder", "tenant_beta_reader", "sluice_control", "postgres"])
def test_no_session_of_others_is_cancelled_or_ended(attack, world, attacker, victim, target, login):
    sessions = {
        "tenant_beta_builder": victim.builder,
        "tenant_beta_reader": victim.reader,
        "sluice_control": world.control,
        "postgres": world.admin,
    }
    pid = sessions[target].session.info.backend_pid
    for function in ("pg_cancel_backend", "pg_terminate_backend"):
        attack.refused(attacker.login(login), f"select pg_catalog.{function}({pid})")
    with attacker.login(login).connect() as own:
        ending = f"select pg_catalog.pg_terminate_backend({own.info.backend_pid})"
        attack.witnessed(attacker.login(login).run(ending) == [(True,)])


@pytest.mark.parametrize("login", LOGINS)
def test_the_keepers_of_the_logins_do_nothing_for_a_tenant(attack, world, attacker, login):
    query = (
        "select oid::regprocedure::text from pg_proc where prosecdef and pronamespace = 'sluice_keepers'::regnamespace"
    )
    found = [name for (name,) in attack.control(world.admin, query)]
    attack.witnessed(len(found) > 0)
    for function in found:
        call = f"select {function.replace('(text)', '')}($$grant sluice_control to current_user$$)"
        attack.refused(attacker.login(login), call, why="permission denied")


def test_no_function_with_its_owners_rights_is_open_to_tenants_but_their_own(attack, world, attacker):
    listed = """
    select pg_proc.oid::regprocedure::text from pg_proc
    where prosecdef and has_function_privilege('{}', pg_proc.oid, 'execute')
      and has_schema_privilege('{}', pronamespace, 'usage')
    """
    for login in (attacker.names.builder, attacker.names.reader):
        attack.harmless(world.admin.run(listed.format(login, login)) == [])
    place = f"{attacker.names.scratch}.rising()"
    made = f"create function {place} returns text language sql security definer as 'select current_user::text'"
    attacker.builder.keep(made)
    try:
        attack.witnessed(len(world.admin.run(listed.format(attacker.names.builder, attacker.names.builder))) == 1)
        # It lends the builder's rights, which are the attacker's own; beta cannot even be lured into it.
        attack.harmless(attacker.builder.run(f"select {place}") == [(attacker.names.builder,)])
        attack.refused(world.victim.reader, f"select {place}")
    finally:
        attacker.builder.keep(f"drop function {place}")


def test_a_login_that_changes_its_own_password_and_settings_harms_itself_until_it_is_set_right(attack, world, fresh):
    side, path = fresh("gamma"), "select unnest(setconfig) from pg_db_role_setting where setrole = '{}'::regrole"
    before = world.admin.run(path.format(side.names.reader))
    side.open_build()
    side.publish()
    for login in (side.builder, side.reader):
        login.keep("alter role current_user password 'mine'", "alter role current_user set search_path = sluice")
    attack.tries += 1
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        side.reader.connect()
    attack.control(world.victim.reader, "select * from own_orders")
    registry.add_tenant(world.engine, world.key, str(side))
    with side.reader.connect() as again:
        attack.shown(again.execute("select * from own_orders").fetchall(), side.secret)
    assert world.admin.run(path.format(side.names.reader)) == before


def test_a_login_that_drops_what_it_owns_loses_its_unfinished_build_and_no_grant(attack, world, fresh):
    side = fresh("delta")
    side.open_build()
    side.publish()
    side.open_build()
    for login in (side.builder, side.reader):
        login.keep("drop owned by current_user")
    attack.witnessed(world.admin.run(f"select to_regclass('{side.names.build}.own_orders')") == [(None,)])
    attack.shown(attack.control(side.reader, f"select * from {side.names.analytics}.own_orders"), side.secret)
    attack.harmless(world.victim.reader.run("select count(*) from own_orders") == [(1,)])
    side.open_build()
    side.publish()
    attack.shown(attack.control(side.reader, "select * from own_orders"), side.secret)


@pytest.mark.slow
@pytest.mark.parametrize(
    "gift",
    [
        "grant select on {0}.own_orders to public",
        "grant all on {0}.own_orders to tenant_beta_reader with grant option",
        "grant select (email) on {0}.own_orders to public",
        "grant update (email) on {0}.own_orders to {1}",
        "grant select on {0}.own_orders to {1} with grant option",
        "alter default privileges grant all on tables to public; create table {0}.later (id int)",
        "grant usage, create on schema {0} to tenant_beta_reader",
    ],
)
def test_what_a_builder_gives_away_ends_with_the_seal(attack, world, rooms, gift):
    side = rooms
    names = side.names
    side.builder.keep(*gift.format(names.build, names.builder).split(";"))
    granted = f"""
    select grantee::regrole::text, privilege_type from (
        select relacl as acl from pg_class where relnamespace = '{{0}}'::regnamespace and relkind = 'r'
        union all select attacl from pg_attribute join pg_class on pg_class.oid = attrelid
                  where relnamespace = '{{0}}'::regnamespace
        union all select nspacl from pg_namespace where nspname = '{{0}}'
    ) as every, aclexplode(acl) where grantee not in ('sluice_control'::regrole, '{names.builder}'::regrole)
    """
    given = world.admin.run(granted.format(names.build))
    attack.witnessed(bool(given) or names.builder in gift.format(names.build, names.builder) or "schema" in gift)
    attack.refused(world.victim.reader, f"select email from {names.build}.own_orders")
    sealing.seal_build(world.engine, str(side))
    releases.publish(world.engine, str(side))
    attack.harmless(
        set(world.admin.run(granted.format(names.analytics))) == {(names.reader, "SELECT"), (names.reader, "USAGE")}
    )
    attack.refused(world.victim.reader, f"select email from {names.analytics}.own_orders")
    attack.refused(side.builder, f"update {names.analytics}.own_orders set email = 'late'")


def test_rights_on_what_is_yet_to_come_are_no_part_of_a_release(attack, world, rooms):
    side = rooms
    sealing.seal_build(world.engine, str(side))
    attack.witnessed(True)
    side.open_build()
    side.builder.keep(f"alter default privileges in schema {side.names.build} grant all on tables to public")
    attack.raises(lambda: sealing.seal_build(world.engine, str(side)), "default privileges")


def test_a_builder_keeps_no_way_into_a_sealed_build(attack, world, rooms):
    side = rooms
    table = f"{side.names.build}.own_orders"
    side.builder.keep(f"create view {side.names.build}.seen as select * from {table}")
    held, late = side.builder.connect(), side.builder.connect()
    held.execute(f"prepare kept as select * from {table}")
    held.execute(f"prepare changing as update {table} set email = 'late'")
    attack.shown(held.execute("execute kept").fetchall(), side.secret)
    late.execute("begin")
    late.execute(f"insert into {table} values (2, 'slipped in')")
    sealing.seal_build(world.engine, str(side))
    for statement in ("execute kept", "execute changing", f"select * from {side.names.build}.seen"):
        attack.tries += 1
        with pytest.raises(psycopg.Error, match="permission denied"):
            held.execute(sql.SQL(statement))
    with pytest.raises(psycopg.OperationalError):
        late.execute("commit")
    attack.harmless(world.control.run(f"select count(*) from {table}") == [(1,)])
    held.close()

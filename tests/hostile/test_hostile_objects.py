"""Large objects, the server's files and programs, and whatever is an administrator's to make."""

import psycopg
import pytest

LOGINS = ("builder", "reader")


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "select lo_create(0)",
        "select lo_creat(-1)",
        "select lo_from_bytea(0, 'x')",
        "select lo_import('/etc/passwd')",
        "select lo_open(77, 131072)",
        "select lo_get(77)",
        "select lo_put(77, 0, 'x')",
        "select lo_unlink(77)",
        "select * from pg_largeobject",
        "select pg_logical_emit_message(false, 'flood', repeat('x', 1000))",
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_lock_shared(1)",
    ],
)
def test_large_objects_and_locks_of_ones_own_choice_are_nobodys(attack, world, attacker, statement, login):
    attack.control(world.admin, "select lo_from_bytea(77, 'x')", statement)
    attack.refused(attacker.login(login), statement, why="permission denied")


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "select pg_read_file('/etc/passwd')",
        "select pg_read_binary_file('/etc/passwd')",
        "select pg_read_file('postgresql.conf')",
        "select pg_ls_dir('/')",
        "select pg_stat_file('/etc/passwd')",
        "select pg_ls_waldir()",
        "select pg_ls_tmpdir()",
        "create table {own} (line text); copy {own} from '/etc/passwd'",
        "create table {own} (line text); copy {own} from program 'id'",
        "copy (select 1) to '/tmp/sluice-hostile-{login}'",
        "copy (select 1) to program 'cat >/dev/null'",
        "select pg_current_logfile()",
        "select * from pg_hba_file_rules",
        "select * from pg_file_settings",
        "select pg_rotate_logfile()",
        "select pg_reload_conf()",
        "select pg_switch_wal()",
        "checkpoint",
    ],
)
def test_the_servers_files_and_programs_are_out_of_reach(attack, world, attacker, statement, login):
    own = f"{attacker.names.build if login == 'builder' else 'public'}.loot"
    steps = statement.format(own=own, login=login).split("; ")
    try:
        attack.control(world.admin, *steps)
    finally:
        world.admin.run("copy (select 1) to program 'cat >/dev/null; rm -f /tmp/sluice-hostile-*'")
    attack.refused(attacker.login(login), *steps)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("statement", ["alter system set work_mem = '8MB'", "alter system reset work_mem"])
def test_the_servers_settings_are_not_changed(attack, world, attacker, statement, login):
    world.admin.alone(statement)
    world.admin.alone("alter system reset all")
    attack.witnessed(True)
    attack.tries += 1
    with pytest.raises(psycopg.Error, match="permission denied"):
        attacker.login(login).alone(statement)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "load 'vector'",
        "create function {own} returns int language c as 'vector', 'vector_in'",
        "create function {own} returns text language internal as 'current_user'",
        "create event trigger spy on ddl_command_start execute function {trigger}",
        "create publication spy for all tables",
        "create subscription spy connection 'dbname=x' publication y with (connect = false)",
        "create foreign data wrapper spy",
        "create language spy handler plpgsql_call_handler",
        "create access method spy type index handler bthandler",
        "create operator class {class} for type int4 using btree as operator 1 <",
        "create cast (text as json) with inout as implicit",
        "drop extension vector cascade",
        "alter extension vector set schema pg_catalog",
        "create text search template {class} (lexize = dsimple_lexize)",
        "select pg_create_physical_replication_slot('spy')",
        "select pg_replication_origin_create('spy')",
        "create tablespace spy location '/tmp'",
    ],
)
def test_what_an_administrator_makes_no_tenant_makes(attack, world, attacker, statement, login):
    room = attacker.names.build if login == "builder" else attacker.names.analytics
    trigger = "sluice_hostile_trigger()"
    made = statement.format(own=f"{room}.spy()", trigger=trigger, **{"class": f"{room}.spy"})
    world_made = f"create function public.{trigger} returns event_trigger language plpgsql as 'begin end'"
    if statement.startswith("create tablespace"):
        attack.witnessed(world.admin.run("select rolsuper from pg_roles where rolname = current_user") == [(True,)])
        attack.tries += 1
        with pytest.raises(psycopg.Error, match="permission denied"):
            attacker.login(login).alone(made)
        return
    if statement.startswith("select pg_create_physical"):
        attack.witnessed(world.admin.run("select count(*) >= 0 from pg_replication_slots") == [(True,)])
    else:
        attack.control(world.admin, world_made, made.replace(trigger, f"public.{trigger}"))
    attack.refused(attacker.login(login), made)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("extension", ["dblink", "file_fdw", "postgres_fdw", "lo", "adminpack", "plpython3u"])
def test_no_extension_is_made_by_a_tenant(attack, world, attacker, extension, login):
    available = {name for (name,) in world.admin.run("select name::text from pg_available_extensions")}
    attack.witnessed("plpgsql" in available)
    if extension in available:
        attack.control(world.admin, f"create extension {extension}")
    attack.refused(attacker.login(login), f"create extension {extension}", why="permission denied|not available")

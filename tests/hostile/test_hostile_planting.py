"""Alpha plants functions, operators, casts, types and relations where it hopes that others will run them."""

import pytest

from orchestration.tenancy.publishing import releases, sealing
from orchestration.tenancy.publishing.contents import find_forbidden

LOGINS = ("builder", "reader")
# A function that calls itself immutable may not write, but what it calls may.
NOTE = """
create function {scratch}.note() returns void language plpgsql as $$
begin
    insert into {scratch}.loot values (current_user || ' reads ' || coalesce(
        (select string_agg(nspname, ' ') from pg_namespace where has_schema_privilege(oid, 'usage')), 'nothing'));
end $$
"""
SPY = """
create function {scratch}.spy({argument}) returns {result} language plpgsql immutable as $$
begin perform {scratch}.note(); return {value}; end $$
"""


PLACES = ("public", "pg_catalog", "analytics", "sluice", "tenant_beta_analytics", "pg_temp")


@pytest.mark.parametrize(
    "statement",
    [
        "create function {}.lower(text) returns text language sql as 'select $1'",
        "create operator {}.= (leftarg = text, rightarg = text, function = pg_catalog.starts_with)",
        "create type {}.text as enum ('a')",
        "create domain {}.date as text",
        "create table {}.pg_class (oid int)",
        "create view {}.tenants_too as select 1",
        "create aggregate {}.count(int) (sfunc = int4pl, stype = int)",
        "create conversion {}.utf for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1",
        'create collation {}.tidy from "C"',
    ],
    ids=lambda statement: statement.split()[1],
)
def test_nothing_is_planted_where_others_resolve_names(attack, world, attacker, statement):
    for schema in PLACES:
        # Into the catalogue and into a temporary schema PostgreSQL lets nobody: `public` stands for both.
        attack.control(world.admin, statement.format("public" if schema.startswith("pg_") else schema))
        for login in LOGINS:
            why = "permission denied|cannot create"
            attack.refused(attacker.login(login), statement.format(schema), why=why)


def test_what_is_planted_in_ones_own_room_is_found_by_its_planter_alone(attack, world, attacker, victim):
    scratch = attacker.names.scratch
    shadow = f"create function {scratch}.lower(text) returns text language sql as $$select 'shadowed'$$"
    attacker.builder.keep(shadow, f"alter role current_user set search_path = {scratch}, pg_catalog")
    try:
        with attacker.builder.connect() as later:
            attack.shown(later.execute("select lower('A')").fetchall(), "shadowed")
        for login in (victim.builder, victim.reader, world.control, world.loader, attacker.reader):
            attack.harmless(login.run("select lower('A')") == [("a",)])
        attack.refused(victim.builder, f"select {scratch}.lower('A')")
    finally:
        attacker.builder.keep(f"drop function {scratch}.lower(text)", "alter role current_user reset search_path")


def test_a_control_role_that_is_led_by_its_search_path_finds_nothing_of_tenants(attack, world):
    listed = """
    select nspname from pg_namespace, unnest(pg_catalog.current_schemas(true)) as found
    where nspname = found and (has_schema_privilege('{0}', oid, 'create'))
    """
    attack.witnessed(
        world.admin.run("set local search_path = sluice", listed.format("sluice_control")) == [("sluice",)]
    )
    for role in ("tenant_alpha_builder", "tenant_alpha_reader", "sluice_builders", "sluice_readers", "public"):
        attack.harmless(world.control.run(listed.format(role)) == [])


def plant(side, argument: str, result: str, value: str) -> None:
    """A function in the builder's scratch that writes down who runs it and which rooms that role may enter."""
    scratch = side.names.scratch
    side.builder.keep(
        f"create table {scratch}.loot (line text)",
        NOTE.format(scratch=scratch),
        SPY.format(scratch=scratch, argument=argument, result=result, value=value),
    )


def looted(world, side) -> list:
    return world.admin.run(f"select line from {side.names.scratch}.loot")


def test_a_cast_that_the_fleet_would_run_with_the_control_roles_rights_is_refused(attack, world, rooms):
    scratch, build = rooms.names.scratch, rooms.names.build
    rooms.builder.keep(f"create type {scratch}.odd as (x bigint)")
    plant(rooms, f"{scratch}.odd", "bigint", "7")
    rooms.builder.keep(
        f"create cast ({scratch}.odd as bigint) with function {scratch}.spy({scratch}.odd) as assignment",
        f"alter table {build}.dashboard_summary drop column customer_count",
        f"alter table {build}.dashboard_summary add column customer_count {scratch}.odd default row(1)::{scratch}.odd",
    )
    # With the control role's rights the cast does steal: this is what the seal must never run.
    cast = f"select customer_count::bigint from {build}.dashboard_summary"
    attack.shown(attack.control(world.admin, cast, f"select line from {scratch}.loot"), "postgres reads ")
    attack.raises(lambda: sealing.seal_build(world.engine, str(rooms)), "tables and views only")
    attack.harmless(looted(world, rooms) == [])


@pytest.mark.parametrize(
    "use",
    [
        "create index on {build}.own_orders ({scratch}.spy(id))",
        "alter table {build}.own_orders add check ({scratch}.spy(id) > 0) not valid",
        "alter table {build}.own_orders alter column id set default {scratch}.spy(1)",
        "create view {build}.seen as select {scratch}.spy(id) from {build}.own_orders",
        "alter table {build}.own_orders add column twice int generated always as ({scratch}.spy(id)) stored",
        "create statistics {build}.guess on ({scratch}.spy(id)), email from {build}.own_orders",
        "create policy spy on {build}.own_orders using ({scratch}.spy(id) > 0)",
    ],
    ids=["index", "check", "default", "view", "generated", "statistics", "policy"],
)
def test_a_planted_function_that_a_relation_would_run_is_refused(attack, world, rooms, use):
    plant(rooms, "int", "int", "1")
    rooms.builder.keep(use.format(scratch=rooms.names.scratch, build=rooms.names.build))
    attack.shown(
        attack.control(
            rooms.builder, f"select {rooms.names.scratch}.spy(1)", f"select line from {rooms.names.scratch}.loot"
        ),
        rooms.names.builder,
    )
    attack.raises(lambda: sealing.seal_build(world.engine, str(rooms)), "tables and views only")
    world.admin.alone(f"analyze {rooms.names.build}.own_orders")  # as autovacuum may, at any time
    attack.nothing(looted(world, rooms), "sluice_control")


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "create type {build}.odd as enum ('a')",
        "create domain {build}.odd as int",
        "create function {build}.odd() returns int language sql security definer as 'select 1'",
        "create operator {build}.=== (leftarg = int, rightarg = int, function = int4eq)",
        "create materialized view {build}.odd as select 1 as id",
        "create sequence {build}.odd",
        "create rule odd as on insert to {build}.own_orders do also select 1",
        "create trigger odd before update on {build}.own_orders execute function suppress_redundant_updates_trigger()",
        "alter table {build}.own_orders enable row level security",
        "create policy odd on {build}.own_orders using (true)",
        "create table {scratch}.child () inherits ({build}.own_orders)",
        "create table {scratch}.parent (n int); create table {build}.odd () inherits ({scratch}.parent)",
        "create table {scratch}.child (id int references {build}.own_orders)",
        "create table {scratch}.parent (id int primary key); create table {build}.odd (id int references"
        " {scratch}.parent)",
        "create domain {scratch}.odd as int; create table {build}.odd (id {scratch}.odd)",
        "create sequence {scratch}.odd; create table {build}.odd (id int default nextval('{scratch}.odd'))",
        "create table {scratch}.rows (id int); create view {build}.odd as select * from {scratch}.rows",
        "create table {build}.odd (id int) partition by range (id)",
        'create collation {scratch}.odd from "C"; create table {build}.odd (id text collate {scratch}.odd)',
    ],
)
def test_a_release_holds_nothing_that_stands_on_what_its_builder_keeps(attack, world, rooms, statement):
    build = rooms.names.build
    with world.engine.connect() as connection:
        attack.witnessed(find_forbidden(connection, build) is None)
    rooms.builder.keep(*statement.format(scratch=rooms.names.scratch, build=build).split("; "))
    attack.raises(lambda: sealing.seal_build(world.engine, str(rooms)), "tables and views only")
    sealed = f"select sealed_at is null from sluice.releases where tenant_id = '{rooms}' and status = 'building'"
    attack.harmless(world.control.run(sealed) == [(True,)])


def test_a_rule_that_is_made_while_the_build_is_taken_over_is_found(attack, world, rooms, monkeypatch):
    table = f"{rooms.names.build}.own_orders"
    real = sealing.run
    made = []

    def run(connection, statement, *parts, **names):
        # The moment between the cut of the builder's sessions and the first change of an owner.
        if not made and "owner to" in statement:
            made.append(rooms.builder.session.info.backend_pid)
            rooms.builder.keep(f"create rule late as on insert to {table} do instead nothing")
        return real(connection, statement, *parts, **names)

    monkeypatch.setattr(sealing, "run", run)
    attack.raises(lambda: sealing.seal_build(world.engine, str(rooms)), "rule late")
    attack.witnessed(world.admin.run("select tablename from pg_rules where rulename = 'late'") == [("own_orders",)])


def test_a_view_of_a_release_runs_with_its_readers_rights_alone(attack, world, rooms):
    side = rooms
    build = side.names.build
    theft = "select * from ts_stat($$select to_tsvector('simple', tenant_id) from sluice.tenants$$)"
    side.builder.keep(f"create view {build}.stolen with (security_invoker = false, security_barrier) as {theft}")
    attack.shown(attack.control(world.admin, f"select * from {build}.stolen"), "beta")
    side.publish()
    attack.shown(attack.control(side.reader, "select * from own_orders"), side.secret)
    attack.refused(side.reader, "select * from stolen")


def test_a_temporary_table_shadows_nothing(attack, world, attacker):
    shadow = "create temporary table unified_customers (email text)"
    attack.control(world.admin, shadow)
    for login in LOGINS:
        attack.refused(attacker.login(login), shadow)
        attack.refused(attacker.login(login), "select * into temporary mine from pg_class")
        attack.refused(attacker.login(login), "create table pg_temp.mine (id int)")


def test_what_alpha_publishes_under_a_fleet_tables_name_reaches_its_own_reader_alone(attack, world, attacker, victim):
    rows = "select email from unified_customers"
    attack.shown(attack.control(attacker.reader, rows), attacker.secret)
    attack.nothing(victim.reader.run(rows), attacker.secret)
    attack.shown(victim.reader.run(rows), victim.secret)


def test_rolling_back_brings_no_right_of_the_builder_back(attack, world, rooms):
    side = rooms
    side.publish()
    side.open_build()
    side.publish()
    releases.rollback(world.engine, str(side))
    attack.shown(attack.control(side.reader, "select * from own_orders"), side.secret)
    attack.refused(side.builder, f"select * from {side.names.analytics}.own_orders")
    attack.refused(side.builder, f"insert into {side.names.analytics}.own_orders values (9)")

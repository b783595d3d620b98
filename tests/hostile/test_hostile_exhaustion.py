"""Alpha uses up what all share: time, memory, disk, connections, locks. It is ended, and beta does not notice."""

import threading
import time
from contextlib import ExitStack, contextmanager

import dagster as dg
import psycopg
import pytest
from sqlalchemy import Engine

from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.automation import statement_overran
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings
from orchestration.tenancy import registry, schemas
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.lock import is_running, run_lock
from orchestration.tenancy.publishing import releases, sealing
from orchestration.tenancy.removal import remove_tenant
from orchestration.tenancy.walls.limits import Limits, end_overlong, enforced
from orchestration.tenancy.walls.platform import prepare_platform

LOGINS = ("builder", "reader")
ENDLESS = "select count(*) from generate_series(1, 100000) as a, generate_series(1, 100000) as b"
SHORT = Limits(builder_seconds=0.2, reader_seconds=0.2, idle_seconds=0.2, grace_seconds=0.2)
LONG = Limits(builder_seconds=3600, reader_seconds=3600, idle_seconds=3600)
UNCATCHABLE = """
do $$ begin
    loop
        begin perform pg_sleep(60); exception when query_canceled then null; end;
    end loop;
end $$
"""


@contextmanager
def working(login, statement: str):
    """A session that works on a statement in a thread, its own time-out lifted; yields its outcome to come."""
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            with login.connect() as session:
                session.execute("set statement_timeout = 0")
                session.execute("set idle_in_transaction_session_timeout = 0")
                session.execute(statement.encode())
        except psycopg.Error as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join(30)
        assert not thread.is_alive(), "It was never ended."


def until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It never came to that."
        time.sleep(0.02)


def at_work(world, login_name: str) -> bool:
    query = f"select count(*) from pg_stat_activity where usename = '{login_name}' and state like 'active%'"
    return world.admin.run(query) != [(0,)]


def untouched(world) -> bool:
    """Beta's reader and the control plane answer."""
    return world.victim.secret in str(world.victim.reader.run("select * from own_orders")) and bool(
        world.control.run("select count(*) from sluice.tenants")
    )


def end_all(engine: Engine, found: list) -> bool:
    found += end_overlong(engine, SHORT)
    return bool(found)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        ENDLESS,
        "with recursive without_end as (select 1 as n union all select n from without_end) select * from without_end"
        " where n = 2",
        "select pg_sleep(3600)",
        "do $$ begin loop commit; end loop; end $$",
    ],
    ids=["cross_join", "recursion", "sleep", "commits_in_a_loop"],
)
def test_a_statement_without_end_is_ended_from_outside(attack, world, attacker, statement, login):
    with working(attacker.login(login), statement) as outcome:
        until(lambda: at_work(world, getattr(attacker.names, login)))
        attack.witnessed(end_overlong(world.engine, LONG) == [])
        attack.harmless(untouched(world))
        ended: list = []
        until(lambda: end_all(world.engine, ended) and outcome)
    assert {each.login for each in ended} == {getattr(attacker.names, login)}
    assert isinstance(outcome[0], psycopg.errors.QueryCanceled | psycopg.errors.AdminShutdown)
    attack.harmless(untouched(world))


def test_a_block_that_catches_the_cancelling_is_terminated_at_the_next_look(attack, world, attacker):
    with working(attacker.builder, UNCATCHABLE) as outcome:
        until(lambda: at_work(world, attacker.names.builder))
        hows: list[str] = []

        def look() -> bool:
            hows.extend(each.how for each in end_overlong(world.engine, SHORT))
            return bool(outcome)

        until(look)
    attack.witnessed("terminated" in hows)
    attack.harmless(isinstance(outcome[0], psycopg.errors.AdminShutdown))


def test_the_thread_of_a_run_ends_what_takes_too_long_without_the_daemon(attack, world, attacker):
    with enforced(world.engine, SHORT, look_seconds=0.05), working(attacker.builder, ENDLESS) as outcome:
        until(lambda: bool(outcome))
    attack.witnessed(isinstance(outcome[0], psycopg.errors.QueryCanceled | psycopg.errors.AdminShutdown))
    attack.harmless(untouched(world))


def test_the_daemons_sensor_ends_what_takes_too_long_and_starts_nothing(attack, world, attacker):
    settings = Settings(builder_seconds=0, reader_seconds=0, idle_transaction_seconds=0)
    warehouse = Warehouse(settings, lambda: None)
    warehouse.control = world.engine
    with working(attacker.builder, ENDLESS) as outcome, dg.build_sensor_context() as context:
        until(lambda: at_work(world, attacker.names.builder))
        said = statement_overran(context, warehouse=warehouse)
        until(lambda: bool(outcome))
    attack.shown(said.skip_message, f"{attacker.names.builder}: statement of ")
    attack.harmless(untouched(world))


def test_a_control_role_that_may_not_end_statements_says_so(attack, world):
    loader = open_engine(world.loader.url)
    attack.raises(lambda: end_overlong(loader, SHORT), "grant it pg_read_all_stats")
    attack.witnessed(end_overlong(world.engine, LONG) == [])


def test_work_within_its_time_and_others_than_tenants_are_left_alone(attack, world, attacker):
    builder = attacker.builder.connect()
    with world.control.connect() as control:
        control.execute("begin")
        builder.execute("select 1")
        time.sleep(0.3)
        ours = {control.info.backend_pid, builder.info.backend_pid}
        attack.harmless(ours.isdisjoint(each.pid for each in end_overlong(world.engine, SHORT)))
        builder.execute("begin")
        builder.execute("select 1")
        until(lambda: builder.info.backend_pid in [each.pid for each in end_overlong(world.engine, SHORT)])
        attack.witnessed(control.execute("select 1").fetchall() == [(1,)])


@pytest.mark.parametrize("login", LOGINS)
def test_an_idle_transaction_blocks_neither_swap_nor_fleet_and_is_terminated(attack, world, attacker, rooms, login):
    rooms.publish()
    rooms.open_build()
    holder = rooms.login(login).connect()
    holder.execute("begin")
    table = "own_orders" if login == "reader" else f"{rooms.names.build}.own_orders"
    holder.execute(f"select * from {table}")
    held = "select count(*) from pg_locks where pid = {} and locktype = 'relation'"
    attack.witnessed(world.admin.run(held.format(holder.info.backend_pid)) != [(0,)])
    sealing.seal_build(world.engine, str(rooms))
    releases.publish(world.engine, str(rooms))
    attack.harmless(untouched(world))
    if login == "reader":
        until(lambda: any(each.pid == holder.info.backend_pid for each in end_overlong(world.engine, SHORT)))
    with pytest.raises(psycopg.OperationalError):
        holder.execute("select 1")


def test_a_reader_that_holds_its_release_holds_up_neither_its_own_removal_nor_others(attack, world, fresh):
    side = fresh("lambda")
    side.open_build()
    side.publish()
    holder = side.reader.connect()
    holder.execute("begin")
    attack.shown(holder.execute("select * from own_orders").fetchall(), side.secret)
    remove_tenant(world.engine, str(side))
    attack.harmless(world.admin.run(f"select 1 from pg_namespace where nspname = '{side.names.analytics}'") == [])
    attack.harmless(untouched(world))
    registry.add_tenant(world.engine, world.key, str(side), {"shop": "file"})


@pytest.mark.parametrize("login", LOGINS)
def test_a_thousand_connections_are_refused_and_leave_room_for_others(attack, world, attacker, victim, login):
    refused = 0
    with ExitStack() as open_sessions:
        for _ in range(1000):
            try:
                open_sessions.enter_context(attacker.login(login).connect())
            except psycopg.OperationalError as error:
                assert "too many connections" in str(error)
                refused += 1
                if refused >= 20:  # the rest would be the same answer
                    break
        attack.tries += refused
        with (
            victim.reader.connect() as reader,
            victim.builder.connect(),
            world.control.connect(),
            world.loader.connect(),
        ):
            attack.shown(reader.execute("select * from own_orders").fetchall(), victim.secret)
        attack.harmless(untouched(world))


def test_connections_are_kept_back_for_the_house(attack, world, attacker):
    rights = "select pg_has_role('{}', 'pg_use_reserved_connections', 'usage')"
    attack.witnessed(world.admin.run("select current_setting('reserved_connections')::int >= 20") == [(True,)])
    for role in ("sluice_control", "sluice_loader", "sluice_airbyte", "sluice_dagster"):
        attack.witnessed(world.admin.run(rights.format(role)) == [(True,)])
    for role in (attacker.names.builder, attacker.names.reader):
        attack.harmless(world.admin.run(rights.format(role)) == [(False,)])


@pytest.mark.parametrize(
    "key", ["sluice run beta", "sluice platform", "sluice keepers", "sluice journals", "sluice migrations"]
)
@pytest.mark.parametrize("login", LOGINS)
def test_no_advisory_lock_of_a_tenant_stops_others(attack, world, attacker, victim, fresh, login, key):
    going = fresh("omicron") if key == "sluice journals" else None
    squat = "select pg_advisory_lock(hashtextextended('{}', 0))"
    attack.control(world.control, squat.format(key), "select pg_advisory_unlock_all()")
    attack.refused(attacker.login(login), squat.format(key))
    # Where an administrator has not closed the function, whoever squats is put out.
    world.admin.alone("grant execute on function pg_advisory_lock(bigint) to public")
    try:
        with attacker.login(login).connect() as session:
            session.execute(squat.format(key).encode())
            prepare_platform(world.engine)
            upgrade(world.control.url)
            if going is not None:
                remove_tenant(world.engine, str(going))
                registry.add_tenant(world.engine, world.key, str(going), {"shop": "file"})
            registry.add_tenant(world.engine, world.key, str(victim), {"shop": "file"})
            with run_lock(world.engine, str(victim)):
                attack.harmless(is_running(world.engine, TenantId("beta")))
    finally:
        world.admin.alone("revoke execute on function pg_advisory_lock(bigint) from public")
        world.control.session.execute("select pg_advisory_unlock_all()")


@pytest.mark.parametrize("login", LOGINS)
def test_no_lock_on_the_fleet_keeps_others_from_it(attack, world, attacker, rooms, login):
    strong = "lock table analytics.unified_customers in share mode"
    attack.control(world.admin, strong)
    attack.refused(attacker.login(login), strong)
    with attacker.reader.connect() as session:
        session.execute("begin")
        session.execute("lock table analytics.unified_customers in access share mode")
        rooms.publish()
        attack.harmless(rooms.secret in str(rooms.reader.run("select * from analytics.unified_customers")))


@pytest.mark.slow
def test_a_flood_of_temporary_files_ends_at_the_limit(attack, world, attacker):
    flood = "select count(distinct repeat(n::text, 300)) from generate_series(1, {}) as n"
    attack.witnessed(world.admin.run("set local temp_file_limit = -1", flood.format(1000)) == [(1000,)])
    for login in LOGINS:
        (limit,) = attacker.login(login).run("show temp_file_limit")[0]
        attack.harmless(limit not in ("-1", "0"))
        attack.refused(attacker.login(login), "set temp_file_limit = -1")
    world.admin.alone(f"alter role {attacker.names.builder} set temp_file_limit = '20MB'")
    try:
        with attacker.builder.connect() as session:
            attack.tries += 1
            with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temp_file_limit"):
                session.execute(flood.format(100_000).encode())
        attacker.builder.keep("alter role current_user reset all")
        with attacker.builder.connect() as session:
            attack.harmless(session.execute("show temp_file_limit").fetchall() == [("20MB",)])
    finally:
        world.admin.alone(f"alter role {attacker.names.builder} reset temp_file_limit")
        registry.add_tenant(world.engine, world.key, str(attacker), {"shop": "file"})
    attack.harmless(untouched(world))


@pytest.mark.slow
def test_a_session_that_takes_all_memory_gets_an_error_and_the_server_lives(attack, world, attacker, victim):
    heap = "select cardinality(array_agg(repeat('x', 50000000))) from generate_series(1, {}) as n"
    with victim.reader.connect() as bystander:
        attack.control(attacker.reader, heap.format(2))
        attack.refused(attacker.reader, heap.format(100), why="out of memory")
        attack.shown(bystander.execute("select * from own_orders").fetchall(), victim.secret)
    attack.harmless(untouched(world))


@pytest.mark.slow
def test_filling_its_own_scratch_is_ended_and_the_scratch_is_empty_again(attack, world, rooms):
    table = f"{rooms.names.scratch}.full"
    rooms.builder.keep(f"create table {table} (line text)")
    fill = (
        f"do $$ begin loop insert into {table} select repeat('x', 2000) from generate_series(1, 1000); end loop; end $$"
    )
    with working(rooms.builder, fill) as outcome:
        until(lambda: world.admin.run(f"select pg_relation_size('{table}') > 10000000") == [(True,)])
        attack.witnessed(True)
        attack.harmless(untouched(world))
        until(lambda: end_overlong(world.engine, SHORT) is not None and bool(outcome))
    schemas.drop_scratch(world.engine, str(rooms))
    attack.harmless(world.admin.run(f"select to_regclass('{table}')") == [(None,)])
    attack.harmless(untouched(world))

"""Alpha's logins try to change what is beta's, or the house's, or what of their own they only read."""

import pytest

ROOMS = ("raw", "sample", "scratch", "history", "build", "analytics", "kept_release")
LOGINS = ("builder", "reader")
CHANGES = {
    "insert": "insert into {} (id) values (9)",
    "update": "update {} set id = 9",
    "delete": "delete from {}",
    "truncate": "truncate {}",
    "drop": "drop table {}",
    "alter": "alter table {} add column planted int",
    "owner": "alter table {} owner to current_user",
    "grant": "grant select on {} to current_user",
    "trigger": "create trigger spy before insert on {} execute function suppress_redundant_updates_trigger()",
    "rule": "create rule spy as on insert to {} do instead nothing",
    "index": "create index on {} (id)",
    "policy": "create policy spy on {} using (true)",
    "comment": "comment on table {} is 'taken'",
}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("room", ROOMS)
def test_nothing_of_another_tenant_is_changed(attack, world, attacker, victim, room, login):
    table = victim.rooms[room][0]
    for change in CHANGES.values():
        attack.control(world.admin, change.format(table))
        attack.refused(attacker.login(login), change.format(table))


@pytest.mark.parametrize("room", ["raw", "sample", "history"])
def test_a_builder_only_reads_what_it_builds_from(attack, world, attacker, room):
    table = attacker.rooms[room][0]
    attack.control(attacker.builder, f"select * from {table}")
    for change in CHANGES.values():
        attack.control(world.admin, change.format(table))
        attack.tries += 1
        assert unchanged(attack, world, attacker, change.format(table), table)


def unchanged(attack, world, attacker, statement, table) -> bool:
    """A grant of what one does not own is a warning in PostgreSQL, all else an error; neither changes anything."""
    before = world.admin.run(f"select relacl::text from pg_class where oid = '{table}'::regclass")
    if statement.startswith("grant"):
        attacker.builder.keep(statement)
    else:
        attack.refused(attacker.builder, statement)
    return world.admin.run(f"select relacl::text from pg_class where oid = '{table}'::regclass") == before


def test_a_reader_changes_nothing_of_its_published_release(attack, world, attacker):
    table = attacker.rooms["analytics"][0]
    for name, change in CHANGES.items():
        if name != "grant":
            attack.control(world.admin, change.format(table))
            attack.refused(attacker.reader, change.format(table))


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "insert into analytics.dashboard_summary (tenant_id, release, summary_date) values ('alpha', 2, '2020-01-01')",
        "update analytics.dashboard_summary set customer_count = 9",
        "delete from analytics.unified_customers",
        "truncate analytics.revenue_analytics",
        "update analytics.current_release set release = 1",
        "select * from analytics.current_release for update",
        "lock table analytics.unified_customers in row exclusive mode",
        "lock table analytics.unified_customers in access exclusive mode",
        "insert into analytics.airbyte_sync_history (tenant_id, connection_id, connection_name, job_id, status)"
        " values ('alpha', 'c', 'x', '1', 'succeeded')",
        "drop policy reader on analytics.unified_customers",
        "alter table analytics.unified_customers disable row level security",
        "alter table analytics.unified_customers no force row level security",
    ],
)
def test_the_fleet_is_not_changed(attack, world, attacker, statement, login):
    attack.control(world.admin, statement)
    attack.refused(attacker.login(login), statement)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "update sluice.tenants set status = 'removing'",
        "update sluice.tenant_credentials set password_encrypted = ''",
        "delete from sluice.audit_log",
        "insert into sluice.tenants (tenant_id) values ('planted')",
        "drop schema sluice cascade",
        "lock table sluice.tenant_credentials in access share mode",
        "drop table airbyte.actor",
        "drop table airbyte_internal.moving",
    ],
)
def test_the_house_is_not_changed(attack, world, attacker, statement, login):
    attack.control(world.admin, "alter table sluice.audit_log disable trigger all", statement)
    attack.refused(attacker.login(login), statement)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "create table public.mine (id int)",
        "create table pg_catalog.mine (id int)",
        "create table analytics.mine (id int)",
        "create table sluice.mine (id int)",
        "create table tenant_alpha.mine (id int)",
        "create table tenant_alpha_analytics.mine (id int)",
        "create table tenant_alpha_history.mine (id int)",
        "create table tenant_beta_analytics__build.mine (id int)",
        "create table tenant_beta__scratch.mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        "create schema tenant_gamma",
        "alter schema tenant_alpha_analytics rename to tenant_gamma_analytics",
        "alter schema tenant_alpha_analytics__build rename to tenant_beta_analytics__r9",
        "drop schema tenant_alpha_analytics cascade",
        "drop schema tenant_beta cascade",
        "alter schema tenant_beta owner to current_user",
        "alter database test_hostile set search_path = public",
        "comment on database test_hostile is 'x'",
    ],
)
def test_nothing_is_made_or_moved_outside_of_ones_own_rooms(attack, world, attacker, statement, login):
    allow = ["set local allow_system_table_mods = on"] if "pg_catalog" in statement else []
    attack.control(world.admin, *allow, statement)
    attack.refused(attacker.login(login), statement)

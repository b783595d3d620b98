import threading

import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError
from orchestration.tenancy.publishing import builds, releases, sealing


def build_with(tenant, *statements):
    tenant.build({"own_orders": "select 1 as id"})
    with tenant.builder.begin() as connection:
        connection.exec_driver_sql(f"set local search_path = {tenant.names.build}")
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "create function spy() returns int language sql as 'select 1'",
        "create materialized view spy as select 1 as id",
        "create sequence spy",
        "create type spy as enum ('a')",
        "create domain spy as int",
        "create rule spy as on insert to own_orders do instead nothing",
        "create trigger spy before update on own_orders execute function suppress_redundant_updates_trigger()",
        "alter table own_orders enable row level security",
        "create table spy (id serial)",
    ],
    ids=lambda statement: " ".join(statement.split()[:3]),
)
def test_a_release_of_anything_but_tables_and_views_is_refused(tenant, statement):
    first = tenant.publish()
    build_with(tenant, statement)
    with pytest.raises(PermanentError, match="tables and views only"):
        sealing.seal_build(tenant.engine, str(tenant))
    with pytest.raises(PermanentError, match="no sealed build"):
        releases.publish(tenant.engine, str(tenant))
    assert tenant.seen() == first


def test_indexes_and_constraints_are_fine(tenant):
    build_with(tenant, "alter table own_orders add primary key (id)", "create index on own_orders ((id + 1))")
    assert sealing.seal_build(tenant.engine, str(tenant)).counts["own_orders"] == 1


def test_a_sealed_build_is_out_of_its_builders_hands(tenant):
    build_with(tenant, "create view seen as select * from own_orders")
    sealing.seal_build(tenant.engine, str(tenant))
    for statement in (
        "insert into {}.own_orders values (2)",
        "drop table {}.own_orders",
        "create table {}.late (id int)",
        "create or replace view {}.seen as select 2 as id",
        "select * from {}.own_orders",
    ):
        denied = pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner")
        with denied, tenant.builder.begin() as connection:
            connection.exec_driver_sql(statement.format(tenant.names.build))


def test_a_transaction_of_the_builder_that_is_still_open_cannot_slip_a_table_in(tenant):
    tenant.build()
    late = tenant.builder.connect()
    late.execute(text(f"create table {tenant.names.build}.late as select 1 as id"))
    sealed = sealing.seal_build(tenant.engine, str(tenant))
    assert "late" not in sealed.counts
    with pytest.raises(exc.OperationalError):
        late.commit()
    late.invalidate()


def test_grants_of_the_builder_to_others_end_with_the_seal(tenant, other):
    build_with(tenant, f"grant select on own_orders to public, {other.names.reader}")
    sealing.seal_build(tenant.engine, str(tenant))
    releases.publish(tenant.engine, str(tenant))
    query = text("select relacl::text from pg_class where oid = cast(:name as regclass)")
    with tenant.engine.connect() as connection:
        granted = connection.execute(query, {"name": f"{tenant.names.analytics}.own_orders"}).scalar_one()
    assert other.names.reader not in granted and "{=r" not in granted and ",=r" not in granted
    assert tenant.names.reader in granted


def test_a_mart_that_is_a_view_is_not_run_with_the_control_roles_rights(tenant, other):
    builds.open_build(tenant.engine, str(tenant))
    theft = "query_to_xml('select * from sluice.tenant_credentials', true, true, '')::text"
    with tenant.builder.begin() as connection:
        view = f"create view {tenant.names.build}.dashboard_summary as select {theft} as stolen"
        connection.exec_driver_sql(view)
    sealing.seal_build(tenant.engine, str(tenant))
    releases.publish(tenant.engine, str(tenant))
    with pytest.raises(exc.ProgrammingError, match="permission denied"), tenant.reader.connect() as connection:
        connection.execute(text("select * from dashboard_summary"))


@pytest.mark.parametrize(
    ("mart", "sentence"),
    [
        ("select date '2026-03-01' as summary_date", "lacks columns"),
        ("select 'secret'::text as summary_date", "lacks columns"),
    ],
)
def test_a_mart_without_its_columns_is_refused_by_name(tenant, mart, sentence):
    builds.open_build(tenant.engine, str(tenant))
    with tenant.builder.begin() as connection:
        connection.exec_driver_sql(f"create table {tenant.names.build}.dashboard_summary as {mart}")
    with pytest.raises(PermanentError, match=sentence) as caught:
        sealing.seal_build(tenant.engine, str(tenant))
    assert caught.value.keys["mart"] == "dashboard_summary"


def test_a_mart_with_two_rows_of_one_key_is_refused_without_quoting_them(tenant):
    tenant.build()
    with tenant.builder.begin() as connection:
        table = f"{tenant.names.build}.dashboard_summary"
        connection.exec_driver_sql(f"insert into {table} select * from {table}")
    with pytest.raises(PermanentError, match="does not fit") as caught:
        sealing.seal_build(tenant.engine, str(tenant))
    assert "2026" not in str(caught.value)


def test_sealing_twice_is_sealing_once(tenant):
    tenant.build()
    first = sealing.seal_build(tenant.engine, str(tenant))
    assert sealing.seal_build(tenant.engine, str(tenant)).counts == first.counts
    releases.publish(tenant.engine, str(tenant))
    with pytest.raises(PermanentError, match="no build in progress"):
        sealing.seal_build(tenant.engine, str(tenant))


def test_hostile_relation_names_are_only_names(tenant):
    names = ['x"; drop schema sluice; --', "مرحبا\u202e", "a" * 63, "%s %(x)s {0}"]
    builds.open_build(tenant.engine, str(tenant))
    with tenant.builder.begin() as connection:
        cursor = connection.connection.dbapi_connection.cursor()
        for name in names:
            quoted = name.replace('"', '""')
            cursor.execute(f'create table {tenant.names.build}."{quoted}" as select 1 as id'.encode())
    assert set(sealing.seal_build(tenant.engine, str(tenant)).counts) == set(names)
    assert releases.publish(tenant.engine, str(tenant)).status == "published"


def test_sealing_waits_for_nobody(tenant):
    tenant.build()
    with tenant.builder.connect() as idle:
        idle.execute(text("select 1"))
        idle.rollback()
        done = threading.Thread(target=sealing.seal_build, args=(tenant.engine, str(tenant)))
        done.start()
        done.join(5)
        assert not done.is_alive()
        assert idle.execute(text("select 1")).scalar_one() == 1

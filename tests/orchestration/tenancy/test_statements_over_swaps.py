"""What a reader's statement may notice of a swap after all, and the ways out that the documentation names."""

import psycopg
import pytest
from psycopg import errors

from orchestration.tenancy.publishing import releases, sealing

pytestmark = pytest.mark.slow

ORDERS = {"own_orders": "select {n} as release, 'x'::text as note"}
WIDER = {"own_orders": "select 'y'::text as note, {n} as release, true as is_new"}
PAIR = {"own_orders": "select {n} as release", "own_lines": "select {n} as release"}


@pytest.fixture
def connect(tenant):
    """Connect as the tenant's reader."""
    opened = []

    def connect(**options):
        url = tenant.reader.url.set(drivername="postgresql").render_as_string(hide_password=False)
        opened.append(psycopg.connect(url, autocommit=True, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def test_a_prepared_statement_that_names_its_columns_survives_columns_that_came_and_moved(tenant, connect):
    first = tenant.publish(ORDERS)
    reader = connect(prepare_threshold=0)
    query = "select release, note from own_orders"
    assert reader.execute(query).fetchall() == [(first, "x")]
    second = tenant.publish(WIDER)
    assert reader.execute(query).fetchall() == [(second, "y")]
    releases.rollback(tenant.engine, str(tenant))
    assert reader.execute(query).fetchall() == [(first, "x")]


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ("select * from own_orders", WIDER),
        ("select release from own_orders", {"own_orders": "select {n}::text as release"}),
    ],
    ids=["every column", "a column of another type"],
)
def test_a_prepared_statement_whose_columns_changed_is_refused_until_it_is_prepared_anew(
    tenant, connect, query, changed
):
    tenant.publish(ORDERS)
    prepared, in_transaction = connect(prepare_threshold=0), connect(prepare_threshold=0)
    plain = connect(prepare_threshold=None)
    for reader in (prepared, in_transaction, plain):
        reader.execute(query)
    tenant.publish(changed)
    assert len(plain.execute(query).fetchall()) == 1
    refused = "cached plan must not change result type"
    for _ in range(2):
        with pytest.raises(errors.FeatureNotSupported, match=refused):
            prepared.execute(query)
    prepared.execute("deallocate all")
    assert len(prepared.execute(query).fetchall()) == 1
    with pytest.raises(errors.FeatureNotSupported, match=refused), in_transaction.transaction():
        in_transaction.execute(query)
    with in_transaction.transaction():  # psycopg prepares anew after a rollback
        assert len(in_transaction.execute(query).fetchall()) == 1
    assert len(connect(prepare_threshold=0).execute(query).fetchall()) == 1


def test_a_cursor_reads_the_release_it_was_opened_on_to_its_end(tenant, connect):
    first = tenant.publish({"own_orders": "select {n} as release from generate_series(1, 10)"})
    reader = connect()
    with reader.transaction(), reader.cursor(name="orders") as cursor:
        cursor.execute("select release from own_orders")
        assert cursor.fetchmany(2) == [(first,)] * 2
        second = tenant.publish({"own_orders": "select {n} as release"})
        assert reader.execute("select release from own_orders").fetchall() == [(second,)]
        assert cursor.fetchall() == [(first,)] * 8


def test_statements_of_one_transaction_read_the_newest_release_each_which_an_older_snapshot_finds_empty(
    tenant, connect
):
    first = tenant.publish(PAIR)
    committed, repeatable = connect(), connect()
    with committed.transaction(), repeatable.transaction():
        repeatable.execute("set transaction isolation level repeatable read")
        for reader in (committed, repeatable):
            assert reader.execute("select release from own_orders").fetchall() == [(first,)]
        second = tenant.publish(PAIR)
        assert committed.execute("select release from own_lines").fetchall() == [(second,)]
        assert repeatable.execute("select release from own_lines").fetchall() == []


def test_the_fleet_read_in_one_snapshot_is_of_one_release(tenant, connect):
    first = tenant.publish()
    reader = connect()
    queries = ("select release from analytics.freshness", "select release from analytics.dashboard_summary")
    with reader.transaction():
        reader.execute("set transaction isolation level repeatable read")
        assert reader.execute(queries[0]).fetchall() == [(first,)]
        second = tenant.publish()
        assert [reader.execute(query).fetchall() for query in queries] == [[(first,)]] * 2
    assert [reader.execute(query).fetchall() for query in queries] == [[(second,)]] * 2


def test_a_view_of_a_release_reads_its_own_relations_and_no_others(tenant, connect):
    def build_with_view():
        number = tenant.build(PAIR)
        with tenant.builder.begin() as connection:
            own = tenant.names.build
            connection.exec_driver_sql(
                f"create view {own}.pairs as select o.release, l.release as other"
                f" from {own}.own_orders as o, {own}.own_lines as l"
            )
        return number

    first = build_with_view()
    sealing.seal_build(tenant.engine, str(tenant))
    releases.publish(tenant.engine, str(tenant))
    reader = connect()
    with reader.transaction(), reader.cursor(name="both") as cursor:
        cursor.execute("select release, other from pairs")
        build_with_view()
        sealing.seal_build(tenant.engine, str(tenant))
        second = releases.publish(tenant.engine, str(tenant)).number
        assert cursor.fetchall() == [(first, first)]
        assert reader.execute("select release, other from pairs").fetchall() == [(second, second)]

import time

import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError
from orchestration.stack import bootstrap
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.registry import show_tenant


def statuses(tenant):
    return {row.number: row.status for row in show_tenant(tenant.engine, str(tenant)).releases}


def fleet_releases(tenant):
    query = text("select release from analytics.dashboard_summary where tenant_id = :tenant order by 1")
    with tenant.engine.connect() as connection:
        return list(connection.execute(query, {"tenant": str(tenant)}).scalars())


def test_publishing_shows_the_new_release_and_keeps_the_old_one(tenant):
    first = tenant.publish({"own_orders": "select 1 as id"})
    assert tenant.seen() == first
    second = tenant.publish()
    assert tenant.seen() == second
    assert statuses(tenant) == {first: "previous", second: "published"}
    assert {tenant.names.analytics, tenant.names.release(first)} <= tenant.schemas()
    assert tenant.names.build not in tenant.schemas()


def test_a_release_knows_its_rows(tenant):
    tenant.build({"own_orders": "select generate_series(1, 7) as id"})
    assert sealing.seal_build(tenant.engine, str(tenant)).counts == {"dashboard_summary": 1, "own_orders": 7}


def test_the_fleet_shows_the_published_release_only(tenant):
    tenant.publish()
    number = tenant.publish()
    sealed = tenant.build()
    sealing.seal_build(tenant.engine, str(tenant))
    assert fleet_releases(tenant) == [number - 1, number, sealed]
    assert tenant.seen() == number


def test_views_follow_the_rename_and_read_with_their_readers_rights(tenant):
    tenant.build({"own_orders": "select {n} as id"})
    with tenant.builder.begin() as connection:
        place = f'"{tenant.names.build}"'
        connection.exec_driver_sql(f"create view {place}.latest as select * from {place}.own_orders")
    sealing.seal_build(tenant.engine, str(tenant))
    number = releases.publish(tenant.engine, str(tenant)).number
    with tenant.reader.connect() as connection:
        assert connection.execute(text("select id from latest")).scalar_one() == number
    tenant.publish()
    with pytest.raises(exc.ProgrammingError, match="does not exist"), tenant.reader.connect() as connection:
        connection.execute(text("select id from latest"))


def test_an_unsealed_build_is_not_published(tenant):
    first = tenant.publish()
    tenant.build()
    with pytest.raises(PermanentError, match="no sealed build"):
        releases.publish(tenant.engine, str(tenant))
    assert tenant.seen() == first


def test_a_build_that_was_left_is_dropped_by_the_next(tenant):
    first = tenant.publish()
    left = tenant.build({"leftover": "select 1 as id"})
    sealing.seal_build(tenant.engine, str(tenant))
    second = tenant.publish()
    assert statuses(tenant) == {first: "previous", left: "failed", second: "published"}
    assert fleet_releases(tenant) == [first, second]


def test_a_failed_build_leaves_the_release_marked_stale(tenant):
    first = tenant.publish()
    tenant.build()
    builds.abandon_build(tenant.engine, str(tenant), "A test failed.")
    published = next(row for row in show_tenant(tenant.engine, str(tenant)).releases if row.number == first)
    assert (published.status, published.is_stale, published.stale_reason) == ("published", True, "A test failed.")
    assert tenant.seen() == first and tenant.names.build not in tenant.schemas()
    assert tenant.seen() < tenant.publish()


def test_a_rollback_goes_to_what_readers_saw_before_and_can_be_undone(tenant):
    first, second, third = (tenant.publish() for _ in range(3))
    assert releases.rollback(tenant.engine, str(tenant)).number == second
    assert tenant.seen() == second
    assert releases.rollback(tenant.engine, str(tenant)).number == first
    assert releases.rollback(tenant.engine, str(tenant), third).number == third
    assert tenant.seen() == third
    assert statuses(tenant) == {first: "previous", second: "rolled_back", third: "published"}
    with pytest.raises(PermanentError, match="no such release"):
        releases.rollback(tenant.engine, str(tenant), third)
    assert releases.rollback(tenant.engine, str(tenant)).number == first


def test_going_back_again_after_going_forward_finds_the_release_before(tenant):
    first, second = tenant.publish(), tenant.publish()
    for _ in range(2):
        assert releases.rollback(tenant.engine, str(tenant)).number == first
        assert releases.rollback(tenant.engine, str(tenant), second).number == second


def test_a_rollback_under_a_second_even_with_thirty_relations(tenant):
    tenant.publish({f"own_{number}": "select generate_series(1, 1000) as id" for number in range(30)})
    tenant.publish()
    started = time.monotonic()
    releases.rollback(tenant.engine, str(tenant))
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("number", [None, 1, 99])
def test_a_rollback_without_a_kept_release_is_refused(tenant, number):
    tenant.publish()
    with pytest.raises(PermanentError, match="no such release"):
        releases.rollback(tenant.engine, str(tenant), number)
    assert tenant.seen() == 1


def test_publishing_after_a_rollback_takes_a_new_number(tenant):
    first, second = tenant.publish(), tenant.publish()
    releases.rollback(tenant.engine, str(tenant))
    third = tenant.publish()
    assert statuses(tenant) == {first: "previous", second: "rolled_back", third: "published"}


def test_a_rollback_during_a_build_leaves_the_build(tenant):
    first, _ = tenant.publish(), tenant.publish()
    third = tenant.build()
    assert releases.rollback(tenant.engine, str(tenant)).number == first
    sealing.seal_build(tenant.engine, str(tenant))
    assert releases.publish(tenant.engine, str(tenant)).number == third == tenant.seen()


def test_two_previous_releases_are_kept(tenant):
    numbers = [tenant.publish() for _ in range(5)]
    assert releases.drop_old_releases(tenant.engine, str(tenant)) == [numbers[1], numbers[0]]
    assert releases.drop_old_releases(tenant.engine, str(tenant)) == []
    assert fleet_releases(tenant) == numbers[2:]
    assert tenant.names.release(numbers[0]) not in tenant.schemas()
    assert statuses(tenant)[numbers[0]] == "dropped"


def test_a_release_that_is_read_is_dropped_the_next_time(tenant):
    first = tenant.publish()
    with tenant.reader.connect() as connection:
        connection.execute(text("select * from dashboard_summary"))
        for _ in range(3):
            tenant.publish()
        assert releases.drop_old_releases(tenant.engine, str(tenant)) == []
        assert tenant.names.release(first) in tenant.schemas()
    assert releases.drop_old_releases(tenant.engine, str(tenant)) == [first]


def test_a_swap_that_is_done_is_told_as_done_whatever_fails_after_it(tenant, as_admin, caplog):
    for _ in range(2):
        tenant.publish()
    kept, reader = tenant.names.release(1), tenant.names.reader
    as_admin(f"alter schema {kept} owner to {reader}; revoke all on schema {kept} from {bootstrap.CONTROL}")
    assert tenant.publish() == tenant.seen() == 3
    assert "stay open to the tenant's reader" in caplog.text
    assert not show_tenant(tenant.engine, str(tenant)).releases[0].is_stale
    as_admin(f"alter schema {kept} owner to {bootstrap.CONTROL}")

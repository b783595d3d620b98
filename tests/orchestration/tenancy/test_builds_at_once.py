"""Builds, rollbacks, pauses and removals that meet: one whole release, refusals in a sentence, and no hand needed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError, RetryableError, SluiceError
from orchestration.tenancy import registry, removal
from orchestration.tenancy.lock import TenantBusyError, run_lock
from orchestration.tenancy.publishing import builds, releases, sealing

MODELS = {"own_orders": "select {n} as id from generate_series(1, 500)"}


def whole(tenant):
    """The release that everybody agrees on; its rows are all there."""
    number = tenant.seen()
    with tenant.reader.connect() as connection:
        found = connection.execute(text("select min(id), max(id), count(*) from own_orders")).one()
    assert tuple(found) == (number, number, 500)
    published = [row for row in registry.show_tenant(tenant.engine, str(tenant)).releases if row.status == "published"]
    assert [row.number for row in published] == [number]
    return number


def test_a_second_run_of_a_tenant_is_refused_while_one_builds(tenant):
    tenant.publish(MODELS)
    with run_lock(tenant.engine, str(tenant)), pytest.raises(TenantBusyError), run_lock(tenant.engine, str(tenant)):
        pass
    assert whole(tenant) < tenant.publish(MODELS)


@pytest.mark.slow
def test_builds_that_meet_without_the_lock_publish_whole_releases_or_nothing(tenant):
    tenant.publish(MODELS)

    def churn(_):
        for _ in range(3):
            # The other cuts its session, takes its schema, or has the lock: each is an error, and none half a release.
            with suppress(SluiceError, exc.DBAPIError, psycopg.Error):
                number = tenant.build(MODELS)
                sealing.seal_build(tenant.engine, str(tenant), number)
                releases.publish(tenant.engine, str(tenant), number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(churn, range(2)))
    before = whole(tenant)
    assert before < tenant.publish(MODELS) == whole(tenant)


def test_a_run_that_lost_its_place_neither_seals_nor_publishes_the_other_runs_build(tenant):
    first = tenant.publish(MODELS)
    mine = tenant.build(MODELS)
    others = builds.open_build(tenant.engine, str(tenant)).number
    for step in (builds.finish_build, sealing.seal_build, releases.publish):
        with pytest.raises(PermanentError, match="Another run has begun a build since"):
            step(tenant.engine, str(tenant), mine)
    assert (whole(tenant), others) == (first, mine + 1)


def test_half_a_build_is_never_published_and_the_next_run_clears_it(tenant):
    first = tenant.publish(MODELS)
    builds.open_build(tenant.engine, str(tenant))
    with pytest.raises(PermanentError, match="no finished build"):
        builds.find_finished(tenant.engine, str(tenant))
    assert builds.drop_unfinished(tenant.engine, str(tenant))
    published = registry.show_tenant(tenant.engine, str(tenant)).releases[-1]
    assert (published.number, published.stale_reason) == (first, "The last build did not finish.")
    assert tenant.names.build not in tenant.schemas()
    finished = tenant.build(MODELS)
    assert not builds.drop_unfinished(tenant.engine, str(tenant))
    assert builds.find_finished(tenant.engine, str(tenant)).number == finished


def test_a_rollback_while_a_mart_is_copied_to_the_fleet_need_not_wait_for_it(tenant, holding_mart):
    first, _ = tenant.publish(MODELS), tenant.publish(MODELS)
    third = tenant.build(MODELS)
    with ThreadPoolExecutor(1) as pool:
        with holding_mart() as wait:
            sealed = pool.submit(sealing.seal_build, tenant.engine, str(tenant), third)
            wait()
            assert releases.rollback(tenant.engine, str(tenant)).number == first
            assert not sealed.done()
        assert sealed.result(30).number == third
    assert whole(tenant) == first
    assert releases.publish(tenant.engine, str(tenant), third).number == whole(tenant) == third


def test_a_pause_during_a_build_lets_it_end_and_stays(tenant):
    tenant.publish(MODELS)
    number = tenant.build(MODELS)
    registry.pause_tenant(tenant.engine, str(tenant), "under review")
    sealing.seal_build(tenant.engine, str(tenant), number)
    releases.publish(tenant.engine, str(tenant), number)
    assert whole(tenant) == number
    assert registry.show_tenant(tenant.engine, str(tenant)).tenant.status == "paused"


def test_a_tenant_is_not_removed_under_a_run_and_its_release_stays(tenant):
    tenant.publish(MODELS)
    with run_lock(tenant.engine, str(tenant)):
        number = tenant.build(MODELS)
        with pytest.raises(RetryableError, match="run in progress"):
            removal.remove_tenant(tenant.engine, str(tenant))
        sealing.seal_build(tenant.engine, str(tenant), number)
        releases.publish(tenant.engine, str(tenant), number)
    assert whole(tenant) == number

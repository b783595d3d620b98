"""A process that is killed at any step leaves the published release readable, and the next run succeeds."""

import multiprocessing
import os
import random
import signal
import time

import pytest
from sqlalchemy import text

from orchestration.tenancy import removal
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.registry import show_tenant

MART, POINTER, RELEASES = "analytics.dashboard_summary", "analytics.current_release", "sluice.releases"


def published(tenant):
    return [row.number for row in show_tenant(tenant.engine, str(tenant)).releases if row.status == "published"]


@pytest.mark.parametrize(
    ("step", "table"),
    [
        (builds.open_build, RELEASES),
        (sealing.seal_build, MART),
        (sealing.seal_build, RELEASES),
        (releases.publish, POINTER),
        (releases.publish, RELEASES),
        (releases.rollback, POINTER),
        (releases.drop_old_releases, MART),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_kill_in_the_middle_of_a_step_changes_nothing(tenant, kill_while_it_waits, step, table):
    for _ in range(4 if step is releases.drop_old_releases else 2):
        number = tenant.publish()
    if step is not builds.open_build:
        tenant.build()
    if step is releases.publish:
        sealing.seal_build(tenant.engine, str(tenant))
    kill_while_it_waits(lambda: step(tenant.engine, str(tenant)), table)
    assert tenant.seen() == number and published(tenant) == [number]
    after = tenant.publish()
    assert tenant.seen() == after and published(tenant) == [after]


def test_a_kill_right_after_the_swap_is_made_good_by_the_next_publish(tenant):
    first, second = tenant.publish(), tenant.publish()
    with tenant.engine.begin() as connection:
        left_open = f"grant usage on schema {tenant.names.release(first)} to {tenant.names.reader}"
        connection.execute(text(left_open))
    assert open_schemas(tenant, first, second) == [True, True]
    tenant.publish()
    assert open_schemas(tenant, first, second) == [False, False]


def open_schemas(tenant, first, second):
    """Whether the reader may use the first and the second release, wherever they are now."""
    query = text("select has_schema_privilege(coalesce(to_regnamespace(:kept), to_regnamespace(:now))::oid, 'usage')")
    with tenant.reader.connect() as connection:
        place = {"now": tenant.names.analytics}
        return [
            connection.execute(query, place | {"kept": tenant.names.release(number)}).scalar_one()
            for number in (first, second)
        ]


def test_kills_at_random_moments_leave_exactly_one_release(tenant):
    def churn():
        while True:
            tenant.publish()
            releases.rollback(tenant.engine, str(tenant))
            releases.drop_old_releases(tenant.engine, str(tenant))

    moments = random.Random(7)
    tenant.publish()
    tenant.publish()
    for _ in range(6):
        process = multiprocessing.get_context("fork").Process(target=churn)
        process.start()
        time.sleep(moments.uniform(0.05, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        (number,) = published(tenant)
        assert tenant.seen() == number
    assert tenant.seen() != tenant.publish()


def test_a_removal_that_was_killed_is_finished_by_the_next(add_tenant, engine, kill_while_it_waits, name):
    tenant = add_tenant(name)
    tenant.publish()
    kill_while_it_waits(lambda: removal.remove_tenant(engine, name), MART)
    assert show_tenant(engine, name).tenant.status == "removing"
    removal.remove_tenant(engine, name)
    assert tenant.schemas() == set()

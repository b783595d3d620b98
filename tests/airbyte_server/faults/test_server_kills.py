"""`kill -9` at random moments of connector, job, server and PostgreSQL: jobs go on, and tables are the source.

`SLUICE_FAULTS` says how many rounds, `SLUICE_FAULTS_SEED` which.
"""

import os
import random
import time
from collections import Counter

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("SLUICE_FAULTS", "30"))
SEED = int(os.environ.get("SLUICE_FAULTS_SEED", "20261121"))
KILLS = ("connector", "job", "session", "server", "backend", "postmaster")
SCRIPTED = ("exit_0", "exit_1", "half_a_line", "garbage", "crash")
WHAT = (*KILLS, "connector", "job", "session", *SCRIPTED)
"""A server or a PostgreSQL takes seconds to come back; what costs less happens more often."""
EVERYBODY = ("server", "backend", "postmaster")


@pytest.fixture
def site(own_cluster, make_server, make_workshop, make_shop, make_site, connect_shop, with_scripted_source):
    server = make_server(cluster=own_cluster.postgres, **with_scripted_source)
    server.start()
    workshop = make_workshop(server)
    shop = make_shop()
    workshop.write("orders", [{"id": n} for n in range(200)])
    bystander = workshop.connect(workshop.source(), prefix="file_", nonBreakingSchemaUpdatesBehavior="ignore")
    yield make_site(own_cluster, server, workshop, shop, connect_shop(workshop, shop), bystander)
    server.stop()
    assert shop.processes() == []


def test_jobs_go_on_and_tables_are_the_source_wherever_they_were_hit(site, record_property):
    moments, met, bag = random.Random(SEED), Counter(), []
    site.measure()
    for number in range(ROUNDS):
        site.shop.change()
        site.workshop.write("orders", [{"id": n, "round": number} for n in range(200 + number)])
        bag = bag or moments.sample(WHAT, len(WHAT))
        what = bag.pop()
        sent = 3 * len(site.shop.changes) + 2 * 40
        if what in SCRIPTED:
            site.shop.fault(what, after=moments.randint(1, sent))
        else:  # slow enough to be met while it works
            site.shop.fault("slow", after=moments.randint(1, sent), seconds=0.3)
        job, other = site.workshop.start(site.connection), site.workshop.start(site.bystander)
        if what not in SCRIPTED:
            if what not in EVERYBODY:
                site.await_work(job)
            time.sleep(moments.uniform(0, 0.5 if what not in EVERYBODY else 1.0) * site.seconds)
            site.strike(what)
        ended = site.wait(job)
        if what == "garbage":
            assert (ended["status"], "connector is broken" in ended["failureReason"]) == ("failed", True)
            ended = site.wait(site.workshop.start(site.connection))
        assert ended["status"] == "succeeded", (what, ended)
        beside = site.wait(other)
        assert beside["status"] == "succeeded", (what, beside)
        if what not in (*EVERYBODY, "session"):  # sessions are hit whosever they are
            assert site.attempts(other) == 1, what
        met[what, site.attempts(job)] += 1
        site.shop.check(site.server.loader_url, site.workshop.namespace, failed=int(what == "garbage"))
        assert len(site.workshop.rows("file_orders")) == 200 + number
        assert site.shop.processes() == []
    record_property("faults", {f"{what}, {attempts} attempts": count for (what, attempts), count in met.items()})
    print(met)

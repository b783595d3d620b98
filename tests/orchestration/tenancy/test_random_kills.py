"""`kill -9` at random moments around publish: always one whole release, and the next run needs no hand.

`SLUICE_KILLS` says how many moments, `SLUICE_KILLS_SEED` which. What is killed is the publishing process, PostgreSQL's
postmaster (and started again), or the session's backend, upon which PostgreSQL restarts itself.
"""

import multiprocessing
import os
import random
import shutil
import signal
import statistics
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.stack import bootstrap
from orchestration.stack.database import EmbeddedPostgres
from orchestration.tenancy import registry
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.walls import credentials

KILLS = int(os.environ.get("SLUICE_KILLS", "30"))
SEED = int(os.environ.get("SLUICE_KILLS_SEED", "20261121"))
VICTIMS = ("process", "process", "process", "postmaster", "backend")
TENANT = "killed"
NAMES = TenantNames(TenantId(TENANT))
RELATIONS, ROWS = 4, 50
MART = """
select date '2026-03-01' as summary_date, {n}::bigint as customer_count, 0::bigint as new_customer_count,
    0::bigint as payment_count, 0::bigint as order_count, '{{}}'::jsonb as revenue_by_currency,
    0::bigint as pull_requests_opened, 0::bigint as pull_requests_merged, 0::bigint as tickets_opened,
    0::bigint as tickets_closed
"""
STATE = """
select
    (select array_agg(number) from sluice.releases where tenant_id = %(tenant)s and status = 'published'),
    (select array_agg(release) from analytics.current_release where tenant_id = %(tenant)s),
    (select array_agg(number order by number) from sluice.releases
        where tenant_id = %(tenant)s and status in ('previous', 'rolled_back')),
    (select array_agg(substr(nspname::text, length(%(kept)s) + 1)::bigint
        order by substr(nspname::text, length(%(kept)s) + 1)::bigint)
        from pg_namespace where starts_with(nspname::text, %(kept)s)),
    (select count(*) from pg_namespace where nspname = %(analytics)s)
"""
BACKENDS = """
select pid from pg_stat_activity
where (datname = 'sluice' and backend_type = 'client backend') or backend_type = 'checkpointer' order by datname
"""


class Victim:
    """A cluster of its own with one tenant, and the whole sequence that is killed."""

    def __init__(self, home):
        self.server = EmbeddedPostgres(home, durable=False)
        self.admin_url = self.server.admin_url(self.server.start())
        control = bootstrap.bootstrap_cluster(self.admin_url, home)
        bootstrap.bootstrap_roles(control, home)
        bootstrap.prepare_warehouse(control)
        upgrade(control)
        self.engine, key = open_engine(control), SecretKey(Fernet.generate_key())
        registry.add_tenant(self.engine, key, TENANT, {"stripe": "file"})
        with self.engine.connect() as connection:
            self.builder_url = credentials.builder_url(connection, TENANT, key)
            self.reader_url = credentials.reader_url(connection, TENANT, key)

    def publish(self):
        """What a run does from its build on; the number that it published."""
        build = builds.open_build(self.engine, TENANT)
        with psycopg.connect(self.builder_url, autocommit=True) as builder:
            for place in range(RELATIONS):
                query = f"select {build.number} as release from generate_series(1, {ROWS})"
                builder.execute(f"create table {NAMES.build}.own_{place} as {query}")
            builder.execute(f"create table {NAMES.build}.dashboard_summary as {MART.format(n=build.number)}")
        builds.finish_build(self.engine, TENANT, build.number)
        sealing.seal_build(self.engine, TENANT, build.number)
        releases.publish(self.engine, TENANT, build.number)
        releases.drop_old_releases(self.engine, TENANT)
        return build.number

    def publish_and_go_back(self):
        """The sequence that is killed."""
        self.publish()
        releases.rollback(self.engine, TENANT)

    def kill(self, what, seconds):
        """Begin the sequence, kill after this long, and see that all of it has ended and PostgreSQL answers."""
        process = multiprocessing.get_context("fork").Process(target=_quietly, args=(self.publish_and_go_back,))
        process.start()
        time.sleep(seconds)
        if what == "postmaster":
            os.kill(int((self.server.home / "postgres/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        elif what == "backend":
            self.kill_backend()
        process.kill()
        process.join()
        assert self.server.admin_url(self.server.start()) == self.admin_url
        self.wait_for_sessions()

    def kill_backend(self):
        """Kill the sequence's session, or the checkpointer where none is open just now: either is a crash."""
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            found = admin.execute(BACKENDS).fetchall()
        for (pid,) in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return

    def wait_for_sessions(self):
        """A killed client's backend may still be at its last statement."""
        query = "select 1 from pg_stat_activity where datname = 'sluice' and backend_type = 'client backend'"
        deadline = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self.admin_url, autocommit=True) as admin:
                    if not admin.execute(query).fetchall():
                        return
            except psycopg.OperationalError:  # it recovers
                pass
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def state(self):
        """The number of the one published release, on which rows, pointer, schemas and the reader agree."""
        values = {"tenant": TENANT, "kept": f"{NAMES.analytics}__r", "analytics": NAMES.analytics}
        with psycopg.connect(self.admin_url.rpartition("/")[0] + "/sluice") as admin:
            published, pointer, kept, schemas, analytics = admin.execute(STATE, values).fetchone()
        assert published == pointer and len(published) == 1 and kept == schemas and analytics == 1
        assert self.read() == {published[0]}
        return published[0]

    def read(self):
        """The releases that a reader's relations are of; each is read whole."""
        seen = set()
        with psycopg.connect(self.reader_url, autocommit=True) as reader:
            query = "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r' order by 1"
            names = [name for (name,) in reader.execute(query, [NAMES.analytics])]
            assert names == ["dashboard_summary", *(f"own_{place}" for place in range(RELATIONS))]
            for name in names[1:]:
                found = reader.execute(sql.SQL("select release from {}").format(sql.Identifier(name))).fetchall()
                assert len(found) == ROWS
                seen |= {release for (release,) in found}
            for query in (
                "select customer_count from dashboard_summary",
                "select release from analytics.dashboard_summary",
                "select customer_count from analytics.dashboard_summary",
                "select release from analytics.freshness",
            ):
                seen |= {release for (release,) in reader.execute(query).fetchall()}
        return seen


def _quietly(step):
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
        step()


@pytest.fixture
def victim():
    home = Path(tempfile.mkdtemp(prefix="sluice-kills-"))
    home.chmod(0o711)
    made = Victim(home)
    yield made
    made.server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kills_at_random_moments_leave_one_whole_release_and_the_next_run_succeeds(victim, record_property):
    victim.publish()
    lengths = []
    for _ in range(3):
        started = time.monotonic()
        victim.publish_and_go_back()
        lengths.append(time.monotonic() - started)
    moments, met, before, outcomes = random.Random(SEED), Counter(), victim.state(), Counter()
    for kill in range(KILLS):
        what = moments.choice(VICTIMS)
        # Every other one in the second half, where the seal, the swap and the way back are.
        share = moments.uniform(0.5 * (kill % 2), 1.15)
        victim.kill(what, share * statistics.median(lengths))
        met[what] += 1
        outcomes["as before" if victim.state() == before else "moved on"] += 1
        before = victim.publish()
        assert victim.state() == before
    record_property("kills", {**met, **outcomes})

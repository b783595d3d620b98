"""Sluice's samples: bounded by the server; where its endpoint is off, as on a full Airbyte, by watching a sync."""

import multiprocessing
import os
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from analysis.errors import PermanentError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_samples import SampleBudget
from orchestration.resources.source_samples import SampleBounds, sample_connection
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.adoption import production_connections
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.sample_leftovers import TenantSamples, remove_samples

FLAT = {"json_schema": {"properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}}
HASHED = {"type": "hashing", "mapperConfiguration": {"targetField": "note", "method": "MD5", "fieldNameSuffix": "_md5"}}
MD5_OF_A = "0cc175b9c0f1b6a831c399e269772661"


@pytest.fixture(scope="module")
def full_airbyte(make_server):
    server = make_server(AIRBYTE_SERVER_SAMPLES_ENABLED="false")
    server.start()
    return server


class Sampling:
    """A workspace with a production connection of two streams, and what is sampled of it."""

    def __init__(self, workshop):
        none = dict.fromkeys(("control_url", "dagster_url", "loader_login", "loader_password"), "")
        login = {"airbyte_client_id": "client-of-the-tests", "airbyte_client_secret": "secret-of-the-tests"}
        self.workshop = workshop
        self.airbyte = AirbyteClient(lambda: Endpoints(**none, **login, airbyte_url=workshop.server.root))
        self.names = TenantNames(TenantId(workshop.namespace.removeprefix("tenant_")))
        self.seen = []
        for stream, rows in (("orders", 12), ("visits", 5)):
            workshop.write(stream, [{"id": n, "note": "a"} for n in range(rows)])

    def connect(self, **configuration):
        """Make the production connection of a source with this configuration."""
        names = ("orders", "visits")
        catalog = self.workshop.write_catalog(*({"name": name, **FLAT} for name in names))
        paths = [str(self.workshop.folder / f"{name}.jsonl") for name in names]
        source = self.workshop.source(path=paths, catalog=str(catalog), **configuration)
        streams = [{"name": name, "syncMode": "full_refresh_overwrite", "mappers": [HASHED]} for name in names]
        self.workshop.connect(source, configurations={"streams": streams})
        self.before = self.things()

    def sample(self, records=1000, seconds=60.0, look=lambda: None):
        (production,) = production_connections(self.airbyte, self.workshop.workspace_id)
        budget = SampleBudget(records=records, bytes=10**9, seconds=seconds)
        bounds = SampleBounds(budget=budget, patience_seconds=60, days=30)

        def count_rows(tables):
            self.seen.append(look())
            return self.rows(tables)

        found = sample_connection(self.airbyte, production, self.names.sample, bounds, count_rows)
        return {each.name: (each.records, each.is_cut) for each in found}

    def rows(self, tables):
        """Rows of those of the tables that are there."""
        with psycopg.connect(self.workshop.server.loader_url) as loader:
            query = "select tablename from pg_tables where schemaname = %s"
            present = {name for (name,) in loader.execute(query, [self.names.sample])}
            count = sql.SQL("select count(*) from {}")
            return {
                table: loader.execute(count.format(sql.Identifier(self.names.sample, table))).fetchone()[0]
                for table in sorted(present.intersection(tables))
            }

    def stored(self, table):
        """One value of each of the stream's columns in the sample."""
        with psycopg.connect(self.workshop.server.loader_url) as loader:
            query = sql.SQL("select to_jsonb(t) from {} as t limit 1").format(sql.Identifier(self.names.sample, table))
            (row,) = loader.execute(query).fetchone()
        return {name: value for name, value in row.items() if not name.startswith("_airbyte") and name != "id"}

    def things(self):
        """The names of all connections and sources of the workspace."""
        params = {"workspaceIds": self.workshop.workspace_id, "limit": 100}
        listed = [self.workshop.client.get(path, params=params).json()["data"] for path in ("/connections", "/sources")]
        return [sorted(each["name"] for each in things) for things in listed]

    def active_jobs(self):
        """How many jobs of the workspace have not ended."""
        jobs = self.workshop.client.get("/jobs", params={"workspaceIds": self.workshop.workspace_id}).json()["data"]
        return sum(job["status"] in ("pending", "running", "incomplete") for job in jobs)

    def samples(self, begun_before):
        return TenantSamples(self.airbyte, self.names, self.workshop.workspace_id, begun_before)


@pytest.fixture
def sampling(full_airbyte, make_workshop):
    return Sampling(make_workshop(full_airbyte))


@pytest.fixture
def bounded(workshop):
    return Sampling(workshop)


@contextmanager
def endless(workshop, stream):
    """The stream's file gives nothing more, and never ends."""
    path = workshop.folder / f"{stream}.jsonl"
    path.unlink()
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield
    finally:
        os.close(descriptor)
        path.unlink()


def test_a_server_that_bounds_samples_is_asked_to_and_needs_no_connection(bounded):
    bounded.connect(start_date="2020-01-01")
    assert bounded.sample(records=7) == {"orders": (7, True), "visits": (5, False)}
    assert bounded.rows(["shop_orders", "shop_visits"]) == {"shop_orders": 7, "shop_visits": 5}
    assert bounded.stored("shop_orders") == {"note_md5": MD5_OF_A}, "what the connection hides is hidden here too"
    assert (bounded.things(), bounded.seen) == (bounded.before, [])


def test_a_sample_that_runs_already_is_joined_and_what_a_killed_run_left_is_stopped(bounded):
    bounded.connect()
    (production,) = production_connections(bounded.airbyte, bounded.workshop.workspace_id)
    body = {"sourceId": production.source_id, "destinationId": production.destination_id, "prefix": "shop_"}
    url = f"{bounded.workshop.server.root}/api/embedded/v1/samples"
    with endless(bounded.workshop, "visits"):
        bounded.airbyte.call("POST", url, json={**body, "schema": bounded.names.sample, "seconds": 2})
        assert bounded.sample(records=1) == {"orders": (12, False), "visits": (0, True)}

        bounded.airbyte.call("POST", url, json={**body, "schema": bounded.names.sample})
        other = bounded.airbyte.call("POST", url, json={**body, "schema": f"{bounded.names.sample}_other"})
        anything = bounded.samples(datetime.now(UTC) + timedelta(days=1))
        assert [len(anything.find()), bounded.samples(datetime.now(UTC) - timedelta(hours=1)).find()] == [1, []]
        remove_samples(bounded.airbyte, bounded.names, bounded.workshop.workspace_id)
        active = bounded.airbyte.active_samples(bounded.workshop.workspace_id)
        assert [each.job.id for each in active] == [other["jobId"]], "another schema's sample goes on"
        bounded.airbyte.cancel(other["jobId"])


def test_a_source_that_is_small_is_sampled_whole_and_leaves_nothing(sampling):
    assert sampling.workshop.client.get(f"{sampling.workshop.server.root}/api/embedded/v1/samples").status_code == 404
    sampling.connect()
    assert sampling.sample() == {"orders": (12, False), "visits": (5, False)}
    assert sampling.stored("shop_orders") == {"note_md5": MD5_OF_A}
    assert (sampling.things(), sampling.active_jobs()) == (sampling.before, 0)


@pytest.mark.slow
def test_a_sample_that_has_its_records_or_seconds_is_stopped_and_keeps_its_rows(sampling):
    sampling.connect()
    sampling.sample()
    with endless(sampling.workshop, "visits"):
        assert sampling.sample(records=5) == {"orders": (12, True), "visits": (5, True)}
        assert (sampling.things(), sampling.active_jobs()) == (sampling.before, 0)
        found = sampling.sample(records=100, seconds=3)
        assert found == {"orders": (24, True), "visits": (5, True)}, "what is committed when the seconds are over"
    assert (sampling.things(), sampling.active_jobs()) == (sampling.before, 0)


def test_a_failing_source_is_an_error_that_leaves_nothing(sampling):
    sampling.connect(start_date="2020-01-01")
    (sampling.workshop.folder / "orders.jsonl").write_bytes(b"{no JSON\n")
    with pytest.raises(PermanentError, match="A line is not JSON"):
        sampling.sample()
    assert (sampling.things(), sampling.active_jobs()) == (sampling.before, 0)


@pytest.mark.slow
@pytest.mark.parametrize("secret", [{}, {"api_key": "s3cr3t-of-the-shop"}], ids=["known", "masked"])
def test_a_source_known_in_clear_is_read_through_a_copy_that_begins_later(sampling, secret):
    sampling.connect(start_date="2020-01-01", **secret)

    def starts():
        sources = sampling.airbyte.call("GET", "/sources", params={"workspaceIds": sampling.workshop.workspace_id})
        return sorted(each["configuration"]["start_date"] for each in sources["data"])

    begins = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%d")
    with (
        endless(sampling.workshop, "visits"),
        pytest.raises(PermanentError, match=r"loaded nothing of .*visits .* 1 s"),
    ):
        sampling.sample(seconds=1, look=starts)
    assert sampling.seen[0] == (["2020-01-01"] if secret else ["2020-01-01", begins])
    assert (sampling.things(), sampling.active_jobs()) == (sampling.before, 0), "an error leaves nothing either"


@pytest.mark.slow
def test_what_a_killed_run_left_is_swept_by_the_next_and_by_age(sampling):
    sampling.connect(start_date="2020-01-01")
    others = sampling.samples(datetime.now(UTC) + timedelta(days=1))
    with endless(sampling.workshop, "visits"):
        run = multiprocessing.get_context("fork").Process(target=sampling.sample)
        run.start()
        deadline = time.monotonic() + 30
        while not sampling.active_jobs():
            assert run.is_alive() and time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(run.pid, signal.SIGKILL)
        run.join()
        assert sampling.samples(datetime.now(UTC) - timedelta(hours=1)).remove() == []
        connections, sources = sampling.things()
        assert (len(connections), len(sources), sampling.active_jobs()) == (2, 2, 1)
        assert len(production_connections(sampling.airbyte, sampling.workshop.workspace_id)) == 1
        assert others.find() == [name for name in (*connections, *sources) if name.startswith("sluice sample")]
        stranger = TenantNames(TenantId("stranger"))
        remove_samples(sampling.airbyte, stranger, sampling.workshop.workspace_id)
        assert len(others.find()) == 2, "another tenant's sweep takes nothing"
        remove_samples(sampling.airbyte, sampling.names, sampling.workshop.workspace_id)
        assert (sampling.things(), sampling.active_jobs(), others.find()) == (sampling.before, 0, [])
    sampling.workshop.write("visits", [{"id": 1}])
    assert sampling.sample()["visits"] == (1, False)

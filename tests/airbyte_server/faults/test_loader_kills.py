"""The loader at random moments without its process, its backend or its network: rows and states never disagree.

`SLUICE_FAULTS` says how many rounds, `SLUICE_FAULTS_SEED` which.
"""

import multiprocessing
import os
import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

import orjson
import psycopg
import pytest
from airbyte_server.loader import Loader, StateOwner, StreamTarget, state_table

ROUNDS = int(os.environ.get("SLUICE_FAULTS", "30"))
SEED = int(os.environ.get("SLUICE_FAULTS_SEED", "20261121"))
CONNECTION, SCHEMA = "5b1c8f2e-0000-4000-8000-000000000002", "tenant_killed"
STATE_EVERY, CHECKPOINT_ROWS = 5, 10
PROPERTIES = {"id": {"type": "integer"}, "seq": {"type": "integer"}, "note": {"type": "string"}}
TARGETS = [
    StreamTarget(
        stream=name,
        namespace=SCHEMA,
        table=f"shop_{name}",
        json_schema={"properties": PROPERTIES},
        sync_mode=mode,
        primary_key=[["id"]],
        cursor=["seq"],
    )
    for name, mode in (("kept", "incremental_append"), ("merged", "incremental_deduped_history"))
]


def read(changes, states, shared):
    """A source that goes on after the last change of each state; one state for all streams, or one for each."""
    since = {"kept": 0, "merged": 0}
    for state in states:
        for part in state["global"]["stream_states"] if state["type"] == "GLOBAL" else [state["stream"]]:
            since[part["stream_descriptor"]["name"]] = part["stream_state"]["seq"]
    for number, seq, note in changes:
        record = {"id": number, "seq": seq, "note": note}
        for stream in (stream for stream in since if seq > since[stream]):
            yield {"type": "RECORD", "record": {"stream": stream, "data": record, "emitted_at": seq}}
        if seq % STATE_EVERY == 0 or seq == len(changes):
            parts = [{"stream_descriptor": {"name": name}, "stream_state": {"seq": seq}} for name in since]
            if shared:
                yield {"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": parts}}}
            else:
                yield from ({"type": "STATE", "state": {"type": "STREAM", "stream": part}} for part in parts)
    for stream in since:
        described = {"stream_descriptor": {"name": stream}, "status": "COMPLETE"}
        yield {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": described}}


def known_states(url):
    with psycopg.connect(url) as connection:
        return state_table.read(connection, CONNECTION, TARGETS)


def load(url, job_id, changes, shared):
    """What a job does: ask for the states, read from there, load."""
    known = known_states(url)
    lines = (orjson.dumps(message) + b"\n" for message in read(changes, known.states, shared))
    Loader(
        url,
        TARGETS,
        sync_id=job_id,
        owner=StateOwner(CONNECTION, known.version),
        checkpoint_rows=CHECKPOINT_ROWS,
        needs_statuses=True,
    ).load(lines)


def load_quietly(*arguments):
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    load(*arguments)


class CutWire:
    """A way to the database that breaks after so many bytes, without a farewell."""

    def __init__(self, url, after=None):
        self._server = urlsplit(url).hostname, urlsplit(url).port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f"{self._server[0]}:{self._server[1]}", f"127.0.0.1:{self._listener.getsockname()[1]}")
        self.sent, self._after = 0, after
        self._lock, self._ends = threading.Lock(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.create_connection(self._server)
                self._ends += [near, far]
                for source, sink, counts in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass_on, args=(source, sink, counts), daemon=True).start()

    def _pass_on(self, source, sink, counts):
        with suppress(OSError):
            while chunk := source.recv(4096):
                with self._lock:
                    left = None if self._after is None or not counts else max(0, self._after - self.sent)
                    self.sent += len(chunk) if counts else 0
                if left is not None and left < len(chunk):
                    sink.sendall(chunk[:left])
                    self.close()
                    return
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Victim:
    """A shop, its database, and what ends a load."""

    def __init__(self, shop, url, admin_url, *, shared):
        self.shop, self.url, self.admin_url, self.shared = shop, url, admin_url, shared
        self.jobs = 0
        self.bytes, self.seconds = 0, 0.0

    def sync(self, url=None):
        self.jobs += 1
        load(url or self.url, self.jobs, self.shop.changes, self.shared)

    def measure(self):
        """How long a load takes, and how much it says."""
        self.shop.change()
        wire, started = CutWire(self.url), time.monotonic()
        self.sync(wire.url)
        self.seconds, self.bytes = time.monotonic() - started, wire.sent
        wire.close()

    def interrupt(self, how, share):
        """Begin a load and end it after this share of what one takes."""
        self.jobs += 1
        wire = CutWire(self.url, int(share * self.bytes)) if how == "wire" else None
        arguments = (wire.url if wire else self.url, self.jobs, self.shop.changes, self.shared)
        process = multiprocessing.get_context("fork").Process(target=load_quietly, args=arguments)
        process.start()
        if wire is not None:
            process.join()
            wire.close()
            return
        time.sleep(share * self.seconds)
        if how == "backend":
            self.kill_backend()
            process.join()
        process.kill()
        process.join()

    def kill_backend(self):
        """Upon which PostgreSQL ends every other session too, and recovers."""
        query = "select pid from pg_stat_activity where application_name = 'airbyte_server loader'"
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            found = admin.execute(query).fetchall()
        for (pid,) in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def settle(self):
        """Wait until PostgreSQL answers and the interrupted load's session is gone: it may have been at its commit."""
        query = "select 1 from pg_stat_activity where application_name = 'airbyte_server loader'"
        deadline = time.monotonic() + 30
        while True:
            with suppress(psycopg.OperationalError), psycopg.connect(self.admin_url) as admin:
                if not admin.execute(query).fetchall():
                    return
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def cursors(self):
        found = {}
        for state in known_states(self.url).states:
            for part in state["global"]["stream_states"] if state["type"] == "GLOBAL" else [state["stream"]]:
                found[part["stream_descriptor"]["name"]] = part["stream_state"]["seq"]
        return found

    def check_covered(self):
        """At every moment: `kept` is what its state covers, no row more and none less; `merged` is no older."""
        cursors = self.cursors()
        with psycopg.connect(self.url) as connection:
            kept = connection.execute(f"select id, seq, note from {SCHEMA}.shop_kept").fetchall()
            merged = connection.execute(f"select id, seq from {SCHEMA}.shop_merged").fetchall()
        assert Counter(kept) == Counter(self.shop.changes[: cursors["kept"]])
        covered = {number: seq for number, seq, _ in self.shop.changes[: cursors["merged"]]}
        assert len(merged) == len(dict(merged))
        assert all(dict(merged)[number] >= seq for number, seq in covered.items())
        return cursors["kept"]


def run(victim, rounds, ways, seed):
    moments, met = random.Random(seed), Counter()
    victim.measure()
    for _ in range(rounds):
        victim.shop.change()
        how = moments.choice(ways)
        victim.interrupt(how, moments.uniform(0, 1.1))
        victim.settle()
        covered, end = victim.check_covered(), len(victim.shop.changes)
        met[how, "all" if covered == end else "nothing" if covered == end - 40 else "a part"] += 1
        victim.sync()
        victim.shop.check(victim.url, SCHEMA, ["kept", "merged"])
        assert victim.cursors() == {"kept": end, "merged": end}
    return met


@pytest.fixture
def shop(make_shop, monkeypatch):
    """Wide rows and small batches, so that much of a load is COPY, also beside the reading."""
    monkeypatch.setattr("airbyte_server.loader.loading._FLUSH_BYTES", 8192)
    shop = make_shop()
    shop.width = 3000
    return shop


def test_a_killed_load_or_a_cut_wire_leaves_what_the_states_say(database, shop):
    run(Victim(shop, database, database, shared=True), 4, ["process", "wire"], seed=7)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shared", [False, True], ids=["stream-states", "global-state"])
def test_faults_at_random_moments_leave_what_the_states_say(own_cluster, shop, record_property, shared):
    postgres = own_cluster.postgres
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"create database faults_{shared} template sluice_test_template owner sluice_control")
    url = postgres.url("sluice_control", f"faults_{shared}".lower())
    victim = Victim(shop, url, postgres.admin_url, shared=shared)
    met = run(victim, ROUNDS // 2, ["process", "process", "wire", "wire", "backend"], SEED + shared)
    record_property("faults", {" ".join(key): count for key, count in met.items()})
    print(met)

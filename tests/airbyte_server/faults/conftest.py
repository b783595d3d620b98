"""A shop whose every change is known, loaded in all sync modes by a server that may be killed."""

import contextlib
import os
import random
import signal
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from psycopg import sql

MODES = {
    "replaced": "full_refresh_overwrite",
    "newest": "full_refresh_overwrite_deduped",
    "stacked": "full_refresh_append",
    "kept": "incremental_append",
    "merged": "incremental_deduped_history",
}
STREAMS = [{"name": name, "syncMode": mode} for name, mode in MODES.items()]
PREFIX = "shop_"
VERSION = "1.0.0"

Change = tuple[int, int, str]


@dataclass
class Shop:
    """The log of a shop's changes (id, seq, note) in the file that the scripted source reads."""

    folder: Path
    program: Path
    moments: random.Random
    width: int = 60
    changes: list[Change] = field(default_factory=list)
    syncs: Counter[str] = field(default_factory=Counter)

    def change(self, count: int = 40) -> None:
        """Customers come, and some of those that are there change."""
        for seq in range(len(self.changes) + 1, len(self.changes) + 1 + count):
            number = self.moments.randint(1, max(4, seq // 2))
            self.changes.append((number, seq, f"note {seq} \t\\ ünï " + "x" * self.moments.randint(0, self.width)))
        lines = (orjson.dumps({"id": number, "seq": seq, "note": note}) for number, seq, note in self.changes)
        (self.folder / "changes.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))

    def fault(self, kind: str, after: int, **how: Any) -> None:
        """The next read goes wrong after so many records."""
        (self.folder / "fault.json").write_bytes(orjson.dumps({"kind": kind, "after": after, **how}))

    def processes(self) -> list[str]:
        """Command lines of scripted sources that still run; the folder of their files tells them from others."""
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        return [line for line in lines if str(self.program) in line]

    def newest(self) -> Counter[Change]:
        """One change per id."""
        return Counter({number: (number, seq, note) for number, seq, note in self.changes}.values())

    def check(self, url: str, schema: str, streams: Any = tuple(MODES), *, failed: int = 0) -> None:
        """Each table is the source, row by row, and nothing else was left; call it after each sync that succeeded.

        So many `failed` before this one, whose full refreshes may have come to their ends.
        """
        self.syncs += Counter(succeeded=1, failed=failed)
        with psycopg.connect(url) as connection:
            for stream in streams:
                self._check_table(connection, schema, stream)
            left = "select relname from pg_class where relnamespace = 'airbyte_internal'::regnamespace"
            assert connection.execute(left).fetchall() == []

    def _check_table(self, connection: psycopg.Connection[Any], schema: str, stream: str) -> None:
        table = sql.Identifier(schema, f"{PREFIX}{stream}")
        query = "select id, seq, note, _airbyte_generation_id, _airbyte_raw_id, _airbyte_meta -> 'changes' from {}"
        found = connection.execute(sql.SQL(query).format(table)).fetchall()
        assert len({row[4] for row in found}) == len(found), stream
        assert all(row[5] == [] for row in found)
        by_generation: dict[int, Counter[Change]] = {}
        for row in found:
            by_generation.setdefault(row[3], Counter())[row[:3]] += 1
        if stream in ("kept", "merged"):
            assert list(by_generation) == [0]
        if stream == "stacked":
            *older, last = (by_generation[number] for number in sorted(by_generation))
            for rows in older:
                assert rows == Counter(self.changes[: rows.total()])
            assert last == Counter(self.changes)
            assert self.syncs["succeeded"] <= len(by_generation) <= self.syncs.total()
        else:
            assert len(by_generation) == 1, stream
            (rows,) = by_generation.values()
            assert rows == (self.newest() if stream in ("newest", "merged") else Counter(self.changes)), stream


@pytest.fixture
def make_shop(tmp_path: Path, scripted_source: Path) -> Callable[..., Shop]:
    """Makes a shop with some changes."""

    def make(seed: int = 1) -> Shop:
        folder = tmp_path / f"changes{seed}"
        folder.mkdir()
        shop = Shop(folder, scripted_source, random.Random(seed))
        shop.change()
        return shop

    return make


@pytest.fixture(scope="session")
def scripted_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripted source, as if a server had installed it from PyPI."""
    root = tmp_path_factory.mktemp("environments")
    environment = root / "airbyte-source-scripted" / f"{VERSION}-{sys.implementation.cache_tag}"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)
    program = environment / "bin/source-scripted"
    script = (Path(__file__).parent / "scripted_source.py").read_text()
    program.write_text(f"#!{sys.base_prefix}/bin/python3 -SE\n{script}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (environment / "complete.json").write_bytes(orjson.dumps({"specification": {}}))
    return program


@pytest.fixture(scope="session")
def with_scripted_source(scripted_source: Path) -> dict[str, str]:
    """Settings of a server that has the scripted source."""
    return {
        "AIRBYTE_SERVER_PYPI_CONNECTORS": f"airbyte-source-scripted=={VERSION}",
        "AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY": str(scripted_source.parents[3]),
        "AIRBYTE_SERVER_JOB_ATTEMPTS": "20",
        "AIRBYTE_SERVER_JOB_RETRY_LONGEST_PAUSE_SECONDS": "0.5",
    }


@pytest.fixture
def connect_shop() -> Callable[..., Any]:
    """Connects a shop's scripted source to a workshop's destination, all sync modes at once."""

    def connect(workshop: Any, shop: Shop, **changes: Any) -> Any:
        configuration = {"sourceType": "scripted", "folder": str(shop.folder), "streams": list(MODES)}
        body = {"name": "shop", "workspaceId": workshop.workspace_id, "configuration": configuration}
        response = workshop.client.post("/sources", json=body)
        assert response.status_code == 200, response.text
        changes = {"nonBreakingSchemaUpdatesBehavior": "ignore", "configurations": {"streams": STREAMS}, **changes}
        return workshop.connect(response.json()["sourceId"], prefix=PREFIX, **changes)

    return connect


SESSIONS = "from pg_stat_activity where application_name = 'airbyte_server loader'"


class Site:
    """A server on its own PostgreSQL, with the shop of all sync modes and another connection beside it."""

    def __init__(self, cluster: Any, server: Any, workshop: Any, shop: Shop, connection: Any, bystander: Any) -> None:
        self.cluster, self.server, self.workshop, self.shop = cluster, server, workshop, shop
        self.connection, self.bystander = connection, bystander
        self.seconds = 1.0
        self.is_declarative = False

    def measure(self) -> None:
        """How long a sync takes from its start on."""
        started = time.monotonic()
        assert self.workshop.sync(self.connection)["status"] == "succeeded"
        self.seconds = time.monotonic() - started
        self.shop.syncs["succeeded"] += 1

    def descendants(self, root: int) -> dict[int, int]:
        parents = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        found = {root}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return {pid: parents[pid] for pid in found - {root}}

    def connector(self) -> tuple[int, int] | None:
        """(pid, its job's pid) of the shop's source that runs; None between two."""
        parents = self.descendants(self.server.process.pid)
        for pid, parent in parents.items():
            if self.is_declarative:  # the server's fork server's job's child
                if parents.get(parents.get(parent)) == self.server.process.pid:
                    return pid, parent
                continue
            with contextlib.suppress(OSError):
                if str(self.shop.program).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid, parent
        return None

    def await_work(self, job: Any) -> None:
        """Wait until the job's source runs, or the job has ended already."""
        while self.connector() is None:
            if self.workshop.client.get(f"/jobs/{job['jobId']}").json()["status"] in ("succeeded", "failed"):
                return
            time.sleep(0.02)

    def strike(self, what: str) -> None:
        """Kill it; nothing where it is not there at this moment."""
        if what == "server":
            self.server.stop(signal.SIGKILL)
            self.server.start()
            self.workshop.client = self.server.client()
        elif what == "postmaster":
            self.cluster.kill_postmaster()
            self.cluster.revive()
        elif what in ("connector", "job"):
            found = self.connector()
            if found is not None:
                self.end(found[what == "job"])
        else:
            with psycopg.connect(self.cluster.postgres.admin_url, autocommit=True) as admin:
                if what == "backend":
                    for (pid,) in admin.execute(f"select pid {SESSIONS}").fetchall():
                        self.end(pid)
                else:
                    admin.execute(f"select pg_terminate_backend(pid) {SESSIONS}")
            if what == "backend":
                self.cluster.revive()

    def end(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def wait(self, job: Any) -> Any:
        """The job as it ended; a server that lost its database for a moment answers again."""
        deadline = time.monotonic() + 90
        while True:
            with contextlib.suppress(AssertionError):
                return self.workshop.wait(job, seconds=5)
            assert time.monotonic() < deadline, self.server.log.read_text()[-5000:]

    def attempts(self, job: Any) -> int:
        with self.server.client("/api/v1") as client:
            return len(client.post("/jobs/get", json={"id": job["jobId"]}).json()["attempts"])


@pytest.fixture(scope="session")
def make_site() -> type[Site]:
    """Puts a cluster, its server, a workshop, a shop and its connection together."""
    return Site

"""One stack for this folder, driven as a person drives it: `sluice` as a program, psql as the tenant's reader."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.stack import lifecycle
from orchestration.stack.endpoints import load_endpoints
from orchestration.stack.placement import find_place
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.sample_leftovers import TenantSamples

SLUICE = [sys.executable, "-m", "orchestration.cli"]
SECONDS = 300
ERROR = "error: "
# When the test run is killed its end of the pipe closes: the stack is stopped and its files removed all the same.
WATCHDOG = 'read -r line; "$1" -m orchestration.cli down; rm -rf -- "$2"'


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code and what it printed."""

    words: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one sentence of a refused command; whatever else a failed command must not print is an assertion here."""
        assert self.code == 2, (self.words, self.code, self.out, self.err)
        lines = self.err.strip().splitlines()
        assert [line for line in lines if line.startswith(ERROR)] == lines[-1:], self.err
        assert not [mark for mark in ("Traceback", 'File "', "Warning") if mark in self.err + self.out], self.err
        return lines[-1].removeprefix(ERROR)


@dataclass(frozen=True)
class Stack:
    """A running stack and the commands that a person types at it."""

    home: Path
    environment: dict[str, str] = field(repr=False)
    reader_urls: dict[str, str] = field(default_factory=dict, repr=False)

    def start(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """Begin a command in a process group of its own."""
        return subprocess.Popen(
            [*SLUICE, *words],
            cwd=PROJECT_ROOT,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self, process: "subprocess.Popen[str]") -> Ended:
        """Wait for a command's end."""
        try:
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        return Ended(process.args[3:], process.returncode, out, err)

    def attempt(self, *words: str, **variables: str) -> Ended:
        """A command's end, whatever it is."""
        return self.end(self.start(*words, **variables))

    def sluice(self, *words: str) -> str:
        """What a command printed, which must succeed."""
        ended = self.attempt(*words)
        assert ended.code == 0, (words, ended.code, ended.out, ended.err)
        return ended.out

    def json(self, *words: str):
        """The JSON document that a reading command prints."""
        return json.loads(self.sluice(*words, "--json"))

    def add(self, tenant: str, **sources: str) -> None:
        """Add a tenant with these sources, each `TYPE:key=value,…`."""
        options = [word for name, source in sources.items() for word in ("--source", f"{name}={source}")]
        self.sluice("tenant", "add", tenant, *options)

    def reader_url(self, tenant: str) -> str:
        """What `tenant connect` hands to a person."""
        if tenant not in self.reader_urls:
            self.reader_urls[tenant] = self.json("tenant", "connect", tenant)["url"]
        return self.reader_urls[tenant]

    def control(self, query: str, *values: object) -> list[tuple]:
        """Rows as the control role sees them."""
        with psycopg.connect(load_endpoints(self.home).control_url) as database:
            return database.execute(query, values or None).fetchall()

    def dagster(self, query: str, *values: object) -> list[tuple]:
        """Rows of Dagster's storage."""
        with psycopg.connect(load_endpoints(self.home).dagster_url) as storage:
            return storage.execute(query, values or None).fetchall()

    def schemas(self, tenant: str) -> set[str]:
        """The tenant's schemas without their common beginning: "", "_analytics", "_history", …"""
        found = self.control("select nspname from pg_namespace where nspname ~ %s", f"^tenant_{tenant}(_|$)")
        return {name.removeprefix(f"tenant_{tenant}") for (name,) in found}

    def connections(self, tenant: str) -> list[str]:
        """The names of the tenant's connections in Airbyte."""
        airbyte = AirbyteClient(lambda: load_endpoints(self.home))
        workspaces = [each for each in airbyte.workspaces() if each.name == f"tenant_{tenant}"]
        return sorted(each.name for workspace in workspaces for each in airbyte.connections(workspace.id))

    def leftovers(self, tenant: str) -> list[str]:
        """Schemas, and samples in Airbyte, that no tenant at rest may have."""
        schemas = [name for name in self.schemas(tenant) if name in ("_sample", "__scratch", "_analytics__build")]
        airbyte, names = AirbyteClient(lambda: load_endpoints(self.home)), TenantNames(TenantId(tenant))
        soon = datetime.now(UTC) + timedelta(days=1)
        workspaces = [each.id for each in airbyte.workspaces() if each.name == names.workspace]
        return schemas + [what for each in workspaces for what in TenantSamples(airbyte, names, each, soon).find()]

    def published(self, tenant: str) -> int | None:
        """The number of the published release."""
        query = "select number from sluice.releases where tenant_id = %s and status = 'published'"
        return next((number for (number,) in self.control(query, tenant)), None)


def relation_checksums(connection: psycopg.Connection, schema: str) -> dict[str, tuple[int, str]]:
    """Rows and a digest of every relation of a release, over all columns but the time of the sync."""
    relations = connection.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'v') order by 1",
        [schema],
    ).fetchall()
    found = {}
    for (relation,) in relations:
        query = sql.SQL("select (to_jsonb(t) - '_extracted_at')::text from {} as t")
        rows = sorted(row for (row,) in connection.execute(query.format(sql.Identifier(schema, relation))))
        found[relation] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@contextmanager
def stack_in(folder: Path) -> Iterator[Stack]:
    """A stack, not started, with its home in this folder; both are gone afterwards, also when the tests are killed."""
    folder.chmod(0o711)  # so that the account that PostgreSQL runs under as root gets in
    home = folder / "home"
    given = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    environment = {**given, "SLUICE_HOME": str(home), "COLUMNS": "200"}
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "sh", sys.executable, str(folder)],
        cwd=PROJECT_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Stack(home, environment)
    finally:
        lifecycle.down(Settings(home=home))
        watchdog.kill()
        watchdog.communicate()
        place = find_place(home) if home.is_dir() else None
        shutil.rmtree(folder, ignore_errors=True)
        if place is not None and place.is_dir():
            shutil.rmtree(place)
            with suppress(OSError):  # others' data may be there
                place.parent.rmdir()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running stack without the UI, shared by the tests that leave it running."""
    with stack_in(Path(tempfile.mkdtemp(prefix="sluice-whole-way-"))) as made:
        made.sluice("up", "--no-ui")
        yield made


@pytest.fixture(scope="module")
def airbyte(stack: Stack) -> AirbyteClient:
    """The client of the shared stack's Airbyte."""
    return AirbyteClient(lambda: load_endpoints(stack.home))


@pytest.fixture(scope="module")
def warehouse(stack: Stack) -> Warehouse:
    """The shared stack's warehouse."""
    return Warehouse(Settings(home=stack.home), lambda: load_endpoints(stack.home))


@pytest.fixture(scope="session")
def make_stack() -> Callable[[Path], AbstractContextManager[Stack]]:
    """Makes stacks in folders of the test's choice."""
    return stack_in


@pytest.fixture(scope="session")
def checksums(stack: Stack) -> Callable[[str], dict[str, tuple[int, str]]]:
    """Checksums of a tenant's published release, read as its reader."""

    def read(tenant: str) -> dict[str, tuple[int, str]]:
        with psycopg.connect(stack.reader_url(tenant)) as reader:
            return relation_checksums(reader, f"tenant_{tenant}_analytics")

    return read


@pytest.fixture(scope="session")
def generate() -> Callable[..., dict[str, str]]:
    """Write the sandbox's streams into a folder; the sources that read them, by name."""

    def write(folder: Path, end: str, days: int, tools: Sequence[str] = ("stripe", "github", "shopify")):
        size = ["--seed", "11", "--customers", "40", "--days", str(days), "--end", end, "--tools", ",".join(tools)]
        command = [sys.executable, "-m", "airbyte_sandbox", "--out", str(folder), *size]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT_ROOT)
        return {tool: f"file:path={folder / tool},catalog={folder / f'{tool}.catalog.json'}" for tool in tools}

    return write


@pytest.fixture(scope="session")
def lines() -> Callable[[Path], list[dict]]:
    """The records of a JSONL file."""
    return lambda file: [json.loads(line) for line in file.read_text().splitlines() if line.strip()]


@pytest.fixture(scope="session")
def table_of() -> Callable[[str], list[dict[str, str]]]:
    """The rows of a Markdown table as run metadata holds it, unescaped."""

    def parse(markdown: str) -> list[dict[str, str]]:
        cells = [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                 for line in markdown.splitlines()]  # fmt: skip
        return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]

    return parse


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Look again and again until a condition holds."""

    def wait(condition: Callable[[], object], pause: float = 0.02) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(pause)

    return wait

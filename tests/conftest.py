"""What every room's tests stand on: the shared test data and a PostgreSQL of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration.settings import PROJECT_ROOT
from orchestration.stack import bootstrap
from orchestration.stack.database import EmbeddedPostgres
from orchestration.stack.kept_secrets import keep_named_secret

# A shell's background jobs ignore SIGINT. A run of Dagster's in this process would give SIGTERM the handler of SIGINT,
# and every process that a test starts after it would be deaf to both.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# When the test run is killed its end of the pipe closes: the server is ended and its files removed all the same.
WATCHDOG = """
read -r line
pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
[ -n "$pid" ] && kill -QUIT "$pid"
sleep 1
rm -rf -- "$1"
"""
TEMPLATE = "sluice_test_template"


@dataclass(frozen=True)
class PostgresServer:
    """The embedded cluster of this test session; `passwords` are those of the cluster's own roles."""

    home: Path
    port: int
    admin_url: str
    control_url: str
    passwords: Mapping[str, str]

    def url(self, role: str, database: str = bootstrap.WAREHOUSE) -> str:
        """The URL of one of the cluster's roles."""
        url = bootstrap.with_database(self.control_url, database)
        return bootstrap.with_login(url, role, self.passwords[role])


@dataclass(frozen=True)
class OwnCluster:
    """A cluster with the means to kill it."""

    server: EmbeddedPostgres
    postgres: PostgresServer

    def kill_postmaster(self) -> None:
        """`kill -9`; its children notice and leave."""
        os.kill(int((self.server.home / "postgres/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def revive(self) -> None:
        """Start it again if it is down, on the same port, and wait until it has recovered."""
        self.server.start()
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.postgres.admin_url).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, read in place."""
    folder = (PROJECT_ROOT / os.environ.get("SLUICE_SHARED", "../shared")).resolve()
    if not folder.is_dir():
        reason = f"The shared test data is not here: {folder}"
        if os.environ.get("SLUICE_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """An embedded cluster with the roles and databases of a real stack, gone after the session."""
    with cluster("sluice-test-") as (_, started):
        yield started


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[OwnCluster]:
    """A cluster that only this file's tests use, and may kill."""
    with own_cluster_in(None) as made:
        yield made


@pytest.fixture(scope="session")
def make_own_cluster() -> Callable[[Path], AbstractContextManager[OwnCluster]]:
    """Makes one in a folder."""
    return own_cluster_in


@contextmanager
def own_cluster_in(folder: Path | None) -> Iterator[OwnCluster]:
    """A cluster whose commits outlive its processes."""
    with cluster("sluice-faults-", folder) as (server, started):
        with psycopg.connect(started.admin_url, autocommit=True) as admin:
            admin.execute("alter system set synchronous_commit = on")
            admin.execute("select pg_reload_conf()")
        yield OwnCluster(server, started)


@contextmanager
def cluster(prefix: str, folder: Path | None = None) -> Iterator[tuple[EmbeddedPostgres, PostgresServer]]:
    """A cluster that is gone afterwards, also when the test run is killed."""
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    home.chmod(0o711)  # so that the account that PostgreSQL runs under as root gets in
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "sh", str(home)], stdin=subprocess.PIPE, start_new_session=True
    )
    server = EmbeddedPostgres(home, durable=False)
    try:
        yield server, _start(server)
    finally:
        server.stop()
        watchdog.kill()
        watchdog.communicate()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """A fresh database with the empty schemas `airbyte` and `airbyte_internal`; yields the control role's URL."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres: PostgresServer) -> Iterator[str]:
    """The same for all tests of a file, which tidy up after themselves: making one takes longer than most tests."""
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(postgres: PostgresServer) -> Iterator[str]:
    """A database that is gone afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        identifier = sql.Identifier(name)
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                identifier, sql.Identifier(TEMPLATE), sql.Identifier(bootstrap.CONTROL)
            )
        )
        url = bootstrap.with_database(postgres.control_url, name)
        bootstrap.prepare_warehouse(url)
        try:
            yield url
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(identifier))


@pytest.fixture(scope="session")
def mounted() -> Callable[[Path, str], AbstractContextManager[None]]:
    """Mounts a filesystem of some size, in memory, on a folder; skips where nobody lets us."""

    @contextmanager
    def mount(folder: Path, size: str) -> Iterator[None]:
        if os.geteuid() != 0:
            pytest.skip("This machine lets nobody but root mount a small filesystem.")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"This machine lets nobody mount a small filesystem: {done.stderr.strip()}")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

    return mount


@pytest.fixture(scope="session")
def filled() -> Callable[..., AbstractContextManager[None]]:
    """Lets a file take all of a disk but `left` bytes."""

    @contextmanager
    def fill(folder: Path, left: int) -> Iterator[None]:
        file = folder / "filler"
        with file.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, shutil.disk_usage(folder).free - left)
        try:
            yield
        finally:
            file.unlink()

    return fill


def _start(server: EmbeddedPostgres) -> PostgresServer:
    port = server.start()
    admin_url = server.admin_url(port)
    control_url = bootstrap.bootstrap_cluster(admin_url, server.home)
    bootstrap.bootstrap_roles(control_url, server.home)
    bootstrap.prepare_warehouse(control_url)
    bootstrap.prepare_dagster_database(control_url, server.home)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *(sql.Identifier(name) for name in (TEMPLATE, bootstrap.WAREHOUSE, bootstrap.CONTROL))
            )
        )
    names = (bootstrap.CONTROL, bootstrap.LOADER, bootstrap.AIRBYTE, bootstrap.DAGSTER)
    passwords = {name: keep_named_secret(server.home, name) for name in names}
    return PostgresServer(server.home, port, admin_url, control_url, passwords)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything must run, a skipped test is a failed session; `-ra` has printed the reason.

    Not one that the machine cannot run for anybody's wish: its reason begins with `This machine`.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    skipped = [each for each in reports if not str(each.longrepr[-1]).startswith("Skipped: This machine")]
    if skipped and os.environ.get("SLUICE_REQUIRE_SHARED") == "1" and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""What every room's tests stand on: the shared test data and a PostgreSQL of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
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
    home = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    home.chmod(0o711)  # so that the account that PostgreSQL runs under as root gets in
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "sh", str(home)], stdin=subprocess.PIPE, start_new_session=True
    )
    server = EmbeddedPostgres(home, durable=False)
    try:
        yield _start(server)
    finally:
        server.stop()
        watchdog.kill()
        watchdog.communicate()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """A fresh database with the empty schemas `airbyte` and `airbyte_internal`; yields the control role's URL."""
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

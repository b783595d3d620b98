"""The embedded PostgreSQL: one cluster per home, loopback only, started and stopped by us."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from analysis.errors import PermanentError, RetryableError
from orchestration.stack.accounts import Account, as_account, give, server_account
from orchestration.stack.binaries import MAJOR, Binaries, reachable_binaries
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.stack.placement import find_place, find_shelter, make_home, make_place, require_room
from orchestration.stack.ports import HOST, choose_port, is_free
from orchestration.stack.processes import is_alive, last_line, open_log

Report = Callable[[str], None]
SUPERUSER = "postgres"
CONFIGURATION = "sluice.conf"
START_SECONDS = 300  # recovery after a crash may take minutes; a server that died is noticed at once
LEFTOVER_SECONDS = 15
ROOM_FOR_CLUSTER, ROOM_TO_START = 128, 32
"""MiB: a new cluster with our databases takes 61; recovery writes two segments of the log."""


def session_memory_kib(durable: bool) -> int:
    """How much memory one session may take: a quarter of the machine's, from half a gigabyte (all of tests') to two."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    return max(512 * 1024, min(2048 * 1024, physical // 4 if durable else 0))


SMALL_MACHINE: Mapping[str, str] = {
    "unix_socket_directories": "''",
    "max_connections": "200",
    "reserved_connections": "40",  # for our own logins, whatever the tenants' do
    "max_locks_per_transaction": "256",
    "shared_buffers": "'128MB'",
    "work_mem": "'8MB'",
    "maintenance_work_mem": "'64MB'",
    "temp_file_limit": "'2GB'",  # of each session; our own logins have none
    "max_parallel_workers_per_gather": "0",  # tenants are the parallelism; /dev/shm is small in containers
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'1GB'",
    "checkpoint_timeout": "'15min'",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    # Statements carry passwords and their details carry tenants' rows: neither belongs in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "'%m [%p] %u@%d '",
}
# A session that takes more memory gets an error; without the limit the system's killer would restart the server.
CONFINED = ("/bin/sh", "-c", 'ulimit -d "$0" 2>/dev/null; exec "$@"')
THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",  # 4096 cost five milliseconds a login; other drivers insist on them, tests do not
}


class EmbeddedPostgres:
    """The cluster of one home; `durable=False` is for tests, whose data may be lost with the machine."""

    def __init__(self, home: Path, *, port: int = 0, durable: bool = True) -> None:
        self.home = home
        self.log = home / "logs" / "postgres.log"
        self._wanted_port = port
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, report: Report = lambda line: None) -> int:
        """Make the cluster if needed and start it if it is down; returns its port once it answers."""
        make_home(self.home)
        account = server_account()
        self._check_existing(account)
        place = make_place(self.home, account)
        data = place / "data"
        port = self.running_port()
        if port is None:
            require_room(place, ROOM_TO_START if data.exists() else ROOM_FOR_CLUSTER)
            binaries = reachable_binaries(account, find_shelter)
            if not data.exists():
                report("PostgreSQL: making the cluster")
                self._initialise(binaries, place, account)
            port = self._launch(binaries, data, account)
        self._await(port, report)
        return port

    def stop(self) -> bool:
        """Stop the server, finishing what is committed; False when it was not running."""
        place = find_place(self.home)
        pid = _postmaster(place / "data") if place else None
        if place is None or pid is None:
            return False
        for step, seconds in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 20.0)):
            os.kill(pid, step)
            if _gone(pid, seconds):
                break
        else:
            raise RetryableError("PostgreSQL does not stop; look at its log.", pid=pid, log=str(self.log))
        if self._child is not None:
            self._child.wait()
        return True

    def running_port(self) -> int | None:
        """The port of this home's server, or None when it is down."""
        place = find_place(self.home) if self.home.is_dir() else None
        if place is None or _postmaster(place / "data") is None:
            return None
        lines = _lock_lines(place / "data")
        return int(lines[3]) if len(lines) > 3 else None

    def admin_url(self, port: int, database: str = "postgres") -> str:
        """The superuser's URL of one database."""
        return f"postgresql://{SUPERUSER}:{self._password()}@{HOST}:{port}/{database}"

    def _check_existing(self, account: Account | None) -> None:
        place = find_place(self.home)
        if place is not None and (place / "data").exists():
            _check_data(place / "data", account)

    def _password(self) -> str:
        return keep_named_secret(self.home, SUPERUSER)

    def _initialise(self, binaries: Binaries, place: Path, account: Account | None) -> None:
        for leftover in place.glob(".data-*"):  # of a start that was killed
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        fresh = Path(tempfile.mkdtemp(prefix=".data-", dir=place))
        password_file = fresh.with_name(f"{fresh.name}.password")
        try:
            password_file.touch(mode=0o600)
            password_file.write_text(self._password())
            for path in (fresh, password_file):
                give(account, path)
            self._run_initdb(binaries, fresh, password_file, account)
            with (fresh / "postgresql.conf").open("a") as file:
                file.write(f"include_if_exists = '{CONFIGURATION}'\n")
            fresh.rename(place / "data")
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(fresh, ignore_errors=True)

    def _run_initdb(self, binaries: Binaries, data: Path, password_file: Path, account: Account | None) -> None:
        command = [
            *(binaries.program("initdb"), "--pgdata", str(data), "--username", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-instructions"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--set=timezone=UTC"),
            *(() if self._durable else ("--no-sync",)),
        ]
        done = subprocess.run(
            command, cwd=data, env=_environment(), capture_output=True, text=True, check=False, **as_account(account)
        )
        if done.returncode != 0:
            raise PermanentError(
                "PostgreSQL's cluster could not be made; see the reason.",
                directory=str(data.parent),
                reason=_complaint(done.stderr),
            )

    def _configure(self, data: Path, account: Account | None) -> None:
        lines = dict(SMALL_MACHINE) | ({} if self._durable else dict(THROWAWAY))
        path = data / CONFIGURATION
        path.write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
        give(account, path)

    def _launch(self, binaries: Binaries, data: Path, account: Account | None) -> int:
        """Start the server and wait until it listens; a port that another program takes meanwhile is replaced."""
        _remove_strangers_lock(data)
        self._configure(data, account)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while True:
            port = choose_port(self.home, "postgres", self._wanted_port)
            with open_log(self.log) as log:
                self._child = subprocess.Popen(
                    [
                        *(*CONFINED, str(session_memory_kib(self._durable)), binaries.program("postgres")),
                        *("-D", str(data), "-h", HOST, "-p", str(port)),
                    ],
                    cwd=data,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **as_account(account),
                )
            if _listens(self._child, data):
                return port
            reason = last_line(self.log, marks=("FATAL", "PANIC", "ERROR", "postgres:"))
            leftover = "pre-existing shared memory" in reason  # children of a killed server are still leaving
            taken = "could not create any TCP/IP sockets" in reason and not is_free(port)
            if not (leftover or (taken and not self._wanted_port)) or time.monotonic() > deadline:
                raise PermanentError("PostgreSQL did not start.", reason=reason, log=str(self.log))
            time.sleep(0.2)

    def _await(self, port: int, report: Report) -> None:
        started = time.monotonic()
        told = started
        while True:
            try:
                with psycopg.connect(self.admin_url(port), connect_timeout=5):
                    return
            except psycopg.OperationalError as error:
                reason = str(error).strip().splitlines()[-1]
            if "authentication failed" in reason:
                raise PermanentError(
                    "PostgreSQL refuses the superuser's password; the home's `secrets` folder is not this cluster's.",
                    home=str(self.home),
                )
            now = time.monotonic()
            if self.running_port() is None or now - started > START_SECONDS:
                raise PermanentError("PostgreSQL did not start.", reason=last_line(self.log), log=str(self.log))
            if now - told > 5:
                told = now
                report(f"PostgreSQL: waiting for it ({reason})")
            time.sleep(0.05)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _check_data(data: Path, account: Account | None) -> None:
    """The cluster is of our major version and owned by the account that would run it."""
    owner = data.stat().st_uid
    expected = account.uid if account else os.geteuid()
    if owner != expected:
        raise PermanentError(
            "PostgreSQL's data belongs to another user; run as that user or choose another SLUICE_HOME.",
            directory=str(data),
            owner_uid=owner,
        )
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise PermanentError(
            f"The cluster was made by PostgreSQL {version} and this is {MAJOR}; dump it with the old one first.",
            directory=str(data),
        )


def _lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _postmaster(data: Path) -> int | None:
    """The process that serves this data directory, if it lives; a recycled process id is not taken for it."""
    lines = _lock_lines(data)
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    if not pid or not is_alive(pid):
        return None
    try:
        working_directory = Path(f"/proc/{pid}/cwd")
        return pid if working_directory.samefile(data) else None
    except OSError:  # another user's process, or one that just ended
        return None


def _remove_strangers_lock(data: Path) -> None:
    """After a kill the lock's process id may be another program's by now, which PostgreSQL would believe in."""
    if _lock_lines(data) and _postmaster(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def _listens(child: "subprocess.Popen[bytes]", data: Path) -> bool:
    """Wait until the server has opened its socket; False when it ended instead."""
    while child.poll() is None:
        lines = _lock_lines(data)
        if len(lines) > 7 and lines[0] == str(child.pid):
            return True
        time.sleep(0.02)
    return False


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _complaint(output: str) -> str:
    lines = [
        line for line in output.splitlines() if line.startswith(("initdb: error", "FATAL", "PANIC")) or "FATAL" in line
    ]
    every = [line for line in output.splitlines() if line.strip()]
    return (lines or every or ["it gave no reason"])[-1].strip()

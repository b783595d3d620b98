import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from analysis.errors import PermanentError
from orchestration.stack import placement
from orchestration.stack.accounts import as_account, server_account
from orchestration.stack.database import EmbeddedPostgres
from orchestration.stack.processes import is_alive


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, durable=False)
    yield server
    server.stop()


def _ask(server: EmbeddedPostgres, query: str) -> object:
    port = server.running_port()
    assert port is not None
    with psycopg.connect(server.admin_url(port), autocommit=True) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


def _postmaster(server: EmbeddedPostgres) -> int:
    place = placement.find_place(server.home)
    assert place is not None
    return int((place / "data" / "postmaster.pid").read_text().splitlines()[0])


def _kill(server: EmbeddedPostgres) -> None:
    pid = _postmaster(server)
    os.kill(pid, signal.SIGKILL)
    while is_alive(pid):
        time.sleep(0.01)


def test_it_listens_on_the_loopback_alone_and_asks_for_a_password(server: EmbeddedPostgres) -> None:
    port = server.start()
    assert _ask(server, "show listen_addresses") == "127.0.0.1"
    assert _ask(server, "show unix_socket_directories") == ""
    assert _ask(server, "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'") == 0
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{port}/postgres")


def test_the_cluster_speaks_utf8_with_the_builtin_locale(server: EmbeddedPostgres) -> None:
    server.start()
    query = "select concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datlocale) from pg_database"
    assert _ask(server, query) == "UTF8 b C.UTF-8"
    assert int(str(_ask(server, "show max_locks_per_transaction"))) == 256


def test_a_second_start_changes_nothing(server: EmbeddedPostgres) -> None:
    port, pid = server.start(), _postmaster(server)
    assert (EmbeddedPostgres(server.home).start(), _postmaster(server)) == (port, pid)


def test_stop_is_no_error_when_nothing_runs(server: EmbeddedPostgres) -> None:
    assert server.stop() is False
    server.start()
    assert server.stop() is True
    assert server.stop() is False


def test_it_starts_after_its_postmaster_was_killed_and_keeps_the_data(home: Path) -> None:
    server = EmbeddedPostgres(home)  # durable, as users run it
    port = server.start()
    with psycopg.connect(server.admin_url(port), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    _kill(server)
    assert server.running_port() is None
    assert server.start() == port
    assert _ask(server, "select answer from kept") == 42
    server.stop()


def test_a_lock_whose_process_id_another_program_has_by_now_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    _kill(server)
    place = placement.find_place(server.home)
    assert place is not None
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **as_account(server_account()))
    lock = place / "data" / "postmaster.pid"
    lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:]]) + "\n")
    try:
        server.start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_in_use_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PermanentError, match=f"Port {port} is in use.*SLUICE_POSTGRES_PORT"):
            EmbeddedPostgres(home, port=port, durable=False).start()


def test_a_server_that_does_not_start_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    place = placement.find_place(server.home)
    assert place is not None
    with (place / "data" / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = banana\n")
    with pytest.raises(PermanentError, match=r"PostgreSQL did not start.*FATAL"):
        server.start()


def test_a_cluster_of_another_version_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.home / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(PermanentError, match="made by PostgreSQL 17 and this is 18"):
        server.start()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match="home directory cannot be made"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_what_a_killed_first_start_left_is_cleared_away(server: EmbeddedPostgres) -> None:
    (server.home / "postgres" / ".data-half").mkdir(parents=True)
    (server.home / "postgres" / ".data-half.password").write_text("secret")
    for folder in (server.home, server.home / "postgres"):
        folder.chmod(0o711)
    server.start()
    assert not list((server.home / "postgres").glob(".data-*"))


def test_two_homes_run_side_by_side(make_home: Callable[..., Path]) -> None:
    servers = [EmbeddedPostgres(make_home(), durable=False) for _ in range(2)]
    try:
        assert len({server.start() for server in servers}) == 2
        assert len({_ask(server, "show data_directory") for server in servers}) == 2
        servers[0].stop()
        assert _ask(servers[1], "select 1") == 1
    finally:
        for server in servers:
            server.stop()

"""What only root meets: conftest.py leaves this file out for anyone else."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from analysis.errors import PermanentError
from orchestration.stack import binaries, placement
from orchestration.stack.accounts import server_account
from orchestration.stack.binaries import INSTALLATION, PACKAGE, Binaries
from orchestration.stack.database import EmbeddedPostgres


def _data_directory(server: EmbeddedPostgres) -> Path:
    port = server.running_port()
    assert port is not None
    with psycopg.connect(server.admin_url(port)) as connection:
        row = connection.execute("show data_directory").fetchone()
    assert row is not None
    return Path(str(row[0]))


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((_data_directory(server) / "postmaster.pid").read_text().splitlines()[0])


def test_as_root_a_home_out_of_reach_keeps_its_modes_and_its_data_lies_in_a_shelter(
    make_home: Callable[..., Path],
) -> None:
    home = make_home(0o700)
    server = EmbeddedPostgres(home, durable=False)
    try:
        server.start()
        account = server_account()
        assert account is not None
        data = _data_directory(server)
        assert data.parent.parent in placement.SHELTERS
        assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (account.uid, 0o700)
        assert Path(f"/proc/{_postmaster(server)}").stat().st_uid == account.uid
        assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
        server.stop()
        server.start()
        assert _data_directory(server) == data
    finally:
        server.stop()


def test_as_root_programs_out_of_reach_are_copied_once(
    make_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden, shelter = make_home(0o700).parent, make_home(0o711).parent
    installed = binaries.find_binaries().root
    for folder in (installed, installed.parent.with_name(f"{PACKAGE}.libs")):
        target = hidden / folder.relative_to(installed.parent.parent)
        shutil.copytree(folder, target, copy_function=os.link if _same_disk(folder, hidden) else shutil.copy2)
    monkeypatch.setattr(binaries, "find_binaries", lambda: Binaries(hidden / PACKAGE / INSTALLATION))
    monkeypatch.setattr(placement, "SHELTERS", (shelter,))
    for _ in range(2):
        server = EmbeddedPostgres(make_home(), durable=False)
        server.start()
        assert Path(f"/proc/{_postmaster(server)}/exe").readlink().is_relative_to(shelter)
        with psycopg.connect(server.admin_url(server.start())) as connection:
            connection.execute("create extension vector")
        server.stop()
    assert len(list(shelter.glob("programs-*"))) == 1


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def test_a_home_whose_shelter_is_gone_is_refused_not_made_anew(make_home: Callable[..., Path]) -> None:
    home = make_home(0o700)
    server = EmbeddedPostgres(home, durable=False)
    server.start()
    place = placement.find_place(home)
    assert place is not None
    server.stop()
    moved = place.rename(place.with_name(f"{place.name}-moved"))
    try:
        with pytest.raises(PermanentError, match="PostgreSQL is gone"):
            server.start()
    finally:
        moved.rename(place)


def test_a_copy_of_a_sheltered_home_is_refused(make_home: Callable[..., Path]) -> None:
    home = make_home(0o700)
    server = EmbeddedPostgres(home, durable=False)
    server.start()
    server.stop()
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    with pytest.raises(PermanentError, match="This home is a copy"):
        EmbeddedPostgres(copy).start()

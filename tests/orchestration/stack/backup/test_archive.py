"""Files that are no backup, or one that somebody touched: one sentence, and nothing is believed."""

import io
import os
import random
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airbyte_server.secrets.box import SecretBox
from cryptography.fernet import Fernet

from analysis.errors import PermanentError
from orchestration.stack.backup.archive import Reader, create_archive, open_archive
from orchestration.stack.backup.manifest import (
    Manifest,
    file_entries,
    read_manifest,
    source_key,
    verify,
    write_manifest,
)
from orchestration.stack.backup.sealing import Seal
from orchestration.stack.ingestion_server import make_fernet_key
from orchestration.tenancy.secrets import KEY_FILE, SecretKey

KEY = SecretKey(Fernet.generate_key())
DATA = [b"a" * 1000, b"", b"b" * 3000]
REFUSED = "no backup of Sluice's, or it is damaged; nothing was restored"


def _manifest(**changes: object) -> Manifest:
    values = {
        "kind": "whole", "sluice_version": "0", "revision": "0001", "pg_major": 18, "control_role": "c",
        "airbyte": "embedded", "made_at": datetime(2026, 3, 1, tzinfo=UTC), "key_fingerprint": KEY.fingerprint,
        "tenants": (), "tables": {}, "rows": {}, "files": {},
    }  # fmt: skip
    return Manifest.model_validate(values | changes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar"
    with create_archive(path) as writer:
        members = {name: writer.add(name, DATA) for name in ("warehouse.dump", "rows/sluice.tenants.copy")}
        write_manifest(writer, _manifest(files=file_entries(members)), KEY)
    return path


def _check(path: Path) -> Reader:
    with open_archive(path) as reader:
        manifest = read_manifest(reader)
        verify(reader, manifest, KEY)
        assert b"".join(reader.chunks("warehouse.dump")) == b"".join(DATA)
        return reader


def test_what_was_written_is_read_again_also_by_tar(file: Path) -> None:
    assert set(_check(file).sizes) == {"warehouse.dump", "rows/sluice.tenants.copy", "manifest.json", "manifest.sig"}
    with tarfile.open(file) as other:
        extracted = other.extractfile("warehouse.dump")
        assert extracted is not None and extracted.read() == b"".join(DATA)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_is_cut_off_anywhere_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    end = len(whole) - 2 * 512  # two empty blocks end a tar; either is enough
    for length in [0, 1, 511, 512, 513, end - 512, end, *random.Random(5).sample(range(end), 40)]:
        file.write_bytes(whole[:length])
        with pytest.raises(PermanentError, match=REFUSED):
            _check(file)


def test_a_file_with_any_byte_changed_is_refused_or_says_the_same(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    refused = 0
    for position in random.Random(6).sample(range(len(whole)), 150):
        changed = bytearray(whole)
        changed[position] ^= 0x55
        file.write_bytes(changed)
        try:
            _check(file)  # padding and the fields of a header that nobody reads
        except PermanentError:
            refused += 1
    assert refused > 75


def _hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, 0 if kind != tarfile.REGTYPE else 4
        tar.addfile(info, io.BytesIO(b"evil"))

    return add


@pytest.mark.parametrize(
    "add",
    [
        _hostile("../../etc/cron.d/evil"),
        _hostile("/etc/passwd"),
        _hostile("rows/../../evil"),
        _hostile("warehouse.dump", tarfile.SYMTYPE, "/etc/passwd"),
        _hostile("warehouse.dump", tarfile.LNKTYPE, "/etc/passwd"),
        _hostile("warehouse.dump", tarfile.CHRTYPE),
        _hostile("folder", tarfile.DIRTYPE),
        _hostile("warehouse.dump", tarfile.GNUTYPE_SPARSE),
        _hostile("x" * 200),
        _hostile("manifest.json\n"),
    ],
    ids=["up", "absolute", "up inside", "symlink", "hard link", "device", "folder", "sparse", "long", "newline"],
)
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_members_that_no_backup_has_are_refused_and_nothing_is_unpacked(
    tmp_path: Path, add: Callable[[tarfile.TarFile], None], form: int
) -> None:
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w", format=form) as tar:
        add(tar)
    with pytest.raises(PermanentError, match=REFUSED):
        _check(path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_member_twice_or_one_too_many_is_refused(file: Path) -> None:
    with tarfile.open(file, "a", format=tarfile.GNU_FORMAT) as tar:
        _hostile("extra.dump")(tar)
    with pytest.raises(PermanentError, match="not the ones of its manifest"):
        _check(file)
    with tarfile.open(file, "a", format=tarfile.GNU_FORMAT) as tar:
        _hostile("extra.dump")(tar)
    with pytest.raises(PermanentError, match="a member twice"):
        _check(file)


def test_a_manifest_that_another_key_signed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "forged.tar"
    with create_archive(path) as writer:
        write_manifest(writer, _manifest(), SecretKey(Fernet.generate_key()))
    with pytest.raises(PermanentError, match="its manifest was altered"):
        _check(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", REFUSED),
        (b'{"format": 1}', REFUSED),
        (b'{"format": 2, "new": true}', "written by a newer Sluice"),
        (b"\xff\xfe", REFUSED),
        (b"[" * 100_000, REFUSED),
        (
            _manifest().model_dump_json().replace('"tenants":[]', '"tenants":[{"tenant":"a__b","status":"active",'
            '"published":null,"kept":[],"schemas":{}}]').encode(),
            REFUSED,
        ),
    ],
    ids=["no json", "too little", "newer", "no text", "deep", "an id that is none"],
)  # fmt: skip
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes, sentence: str) -> None:
    path = tmp_path / "odd.tar"
    with create_archive(path) as writer:
        writer.add("manifest.json", [text])
        writer.add("manifest.sig", [KEY.sign(text).encode()])
    with pytest.raises(PermanentError, match=sentence):
        _check(path)


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with pytest.raises(RuntimeError, match="half"), create_archive(path) as writer:
        writer.add("warehouse.dump", DATA)
        raise RuntimeError("half")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with pytest.raises(PermanentError, match="never replaces one"), create_archive(path) as writer:
        writer.add("warehouse.dump", DATA)
        path.write_text("another's")
    assert path.read_text() == "another's"
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208


@pytest.mark.parametrize(("kind", "is_believed"), [("whole", True), ("tenant", False)])
def test_a_key_inside_of_the_file_is_believed_for_an_empty_home_alone(
    tmp_path: Path, kind: str, is_believed: bool
) -> None:
    with create_archive(tmp_path / "forged.tar") as writer:
        members = {KEY_FILE: writer.add(KEY_FILE, [KEY.reveal().encode()])}
        write_manifest(writer, _manifest(kind=kind, files=file_entries(members)), KEY)
    own = SecretKey(Fernet.generate_key())
    with open_archive(tmp_path / "forged.tar") as reader:
        manifest = read_manifest(reader)
        if is_believed:
            assert source_key(reader, manifest, own, None).fingerprint == KEY.fingerprint
            return
        with pytest.raises(PermanentError, match="written with another secret key"):
            source_key(reader, manifest, own, None)


def test_the_seal_is_the_embedded_airbytes() -> None:
    key, actor = make_fernet_key(), "0b0c1f3e-3f5e-4f0e-9d6a-1f0d6c0d3f11"
    box, seal = SecretBox(key), Seal(key)
    assert seal.open(box.seal({"a": 1}, purpose=actor), actor) == b'{"a":1}'
    assert box.open(seal.close(b'{"a":1}', actor), purpose=actor) == {"a": 1}
    assert seal.open(Fernet(key).encrypt(b"{}"), actor) == b"{}"  # what the server's first version wrote
    with pytest.raises(PermanentError, match="does not open its configurations"):
        Seal(make_fernet_key()).open(seal.close(b"{}", actor), actor)

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.errors import PermanentError
from orchestration.stack.kept_secrets import keep_named_secret, keep_secret


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = keep_named_secret(tmp_path, "login")
    assert keep_named_secret(tmp_path, "login") == first
    assert stat.S_IMODE((tmp_path / "secrets" / "login").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_two_names_have_two_secrets(tmp_path: Path) -> None:
    assert keep_named_secret(tmp_path, "one") != keep_named_secret(tmp_path, "two")


def test_writers_at_the_same_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: keep_secret(tmp_path / "key"), range(32)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_empty_secret_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(PermanentError, match="secret file is empty"):
        keep_secret(tmp_path / "key")

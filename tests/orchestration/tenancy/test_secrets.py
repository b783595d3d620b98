import stat

import pytest
from cryptography.fernet import Fernet

from analysis.errors import PermanentError
from orchestration.settings import Settings
from orchestration.tenancy.secrets import SecretKey, load_key


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.delenv("SLUICE_SECRET_KEY", raising=False)
    return Settings(home=tmp_path / "home")


def test_the_key_is_made_once_and_for_its_owner_alone(settings):
    encrypted = load_key(settings).encrypt("word")
    assert load_key(settings).decrypt(encrypted) == "word"
    assert stat.S_IMODE((settings.home / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["secret.key"]


def test_the_environment_overrides_the_file(settings, monkeypatch):
    encrypted = load_key(settings).encrypt("word")
    monkeypatch.setenv("SLUICE_SECRET_KEY", Fernet.generate_key().decode())
    with pytest.raises(PermanentError, match="another key"):
        load_key(settings).decrypt(encrypted)


def test_a_key_that_is_none_is_refused_without_being_shown(settings, monkeypatch):
    monkeypatch.setenv("SLUICE_SECRET_KEY", "hunter2")
    with pytest.raises(PermanentError, match="Fernet") as caught:
        load_key(settings)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_key_never_shows_itself():
    key = Fernet.generate_key()
    assert key.decode() not in repr(SecretKey(key))

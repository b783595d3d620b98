"""How the server is started: its key, its options, and what it says without credentials."""

import os
import subprocess
import sys

import httpx
import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.secrets.key import load_key
from airbyte_server.settings import ServerSettings
from pydantic import ValidationError

URL = "postgresql://nobody@127.0.0.1:1/nothing"


def settings(**values):
    return ServerSettings(database_url=URL, **values)


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path, monkeypatch):
    monkeypatch.delenv("AIRBYTE_SERVER_SECRET_KEY", raising=False)
    path = tmp_path / "folder" / "secret.key"
    key = load_key(settings(secret_key_file=path))
    assert load_key(settings(secret_key_file=path)) == key == path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]
    path.chmod(0o640)
    with pytest.raises(PermanentError, match="chmod 600"):
        load_key(settings(secret_key_file=path))
    assert load_key(settings(secret_key_file=path, secret_key="from the environment")) == "from the environment"


def test_a_key_file_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match="cannot be read or made"):
        load_key(settings(secret_key_file=tmp_path / "file" / "secret.key"))


def test_the_key_is_never_where_connectors_read(tmp_path, monkeypatch):
    monkeypatch.delenv("AIRBYTE_SERVER_SECRET_KEY", raising=False)
    with pytest.raises(ValidationError, match="where connectors read"):
        settings(secret_directory=tmp_path, secret_key_file=tmp_path / "inside" / "secret.key")
    assert settings(secret_directory=tmp_path / "inside", secret_key_file=tmp_path / "secret.key").secret_key is None


@pytest.mark.slow
def test_without_credentials_it_serves_this_machine_alone_and_says_so(make_server, tmp_path):
    key_file = str(tmp_path / "secret.key")
    server = make_server(
        AIRBYTE_SERVER_CLIENT_ID="",
        AIRBYTE_SERVER_CLIENT_SECRET="",
        AIRBYTE_SERVER_SECRET_KEY="",
        AIRBYTE_SERVER_SECRET_KEY_FILE=key_file,
    )
    server.start()
    assert "No client id and secret are set" in server.log.read_text()
    assert "listens on 127.0.0.1 only" in server.log.read_text()
    assert httpx.post(f"{server.url}/workspaces", json={"name": "open"}).status_code == 200
    token = httpx.post(f"{server.url}/applications/token", json={}).json()
    assert token["token_type"] == "Bearer"
    server.stop()


def test_options_win_over_the_environment_and_passwords_are_not_shown():
    command = [sys.executable, "-m", "airbyte_server", "--database-url", "postgresql://me:hunter2@127.0.0.1:1/x"]
    environment = {**os.environ, "AIRBYTE_SERVER_DATABASE_URL": "postgresql://elsewhere/x", "AIRBYTE_SERVER_PORT": "0"}
    environment["AIRBYTE_SERVER_SECRET_KEY"] = "A" * 43 + "="
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "127.0.0.1" in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "Traceback" not in ended.stderr

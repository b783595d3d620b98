import pickle

import pytest
from airbyte_server.errors import PermanentError, RefusedError
from airbyte_server.secrets.masking import secrets_in
from airbyte_server.secrets.references import SecretPlaces, check_references, resolved

ENV = "secret_coordinate::env/SHOP_PASSWORD"


@pytest.fixture
def places(tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    return SecretPlaces(folder, "SHOP_")


def test_references_are_replaced_wherever_they_stand(places, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "from the environment")
    (places.folder / "key").write_text("from the file\n")
    named = [{"key": "secret_coordinate::file/key"}, {"key": f"secret_coordinate::file/{places.folder}/key"}]
    assert resolved({"host": "h", "password": ENV, "keys": [*named, 1, None]}, places) == {
        "host": "h",
        "password": "from the environment",
        "keys": [{"key": "from the file"}, {"key": "from the file"}, 1, None],
    }


def test_what_was_only_named_is_a_secret_under_any_name(places, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "plainly")
    configuration = resolved({"host": "hostname", "user": ENV}, places)
    sent = pickle.loads(pickle.dumps(configuration))  # as it goes to the job's process
    assert set(secrets_in(configuration)) & {"plainly", "hostname"} == {"plainly"}
    assert secrets_in(sent) == secrets_in(configuration)


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("env/SHOP_NOT_SET", "SHOP_NOT_SET, which the configuration names at a.password, is not set"),
        ("file/nowhere", "cannot be read: No such file"),
        ("file/empty", "is empty"),
        ("file/long", "is larger than 64 KiB"),
        ("file/ring", "cannot be read: its links lead in a ring"),
    ],
    ids=["environment", "no file", "empty", "long", "ring"],
)
def test_what_cannot_be_read_is_named_with_its_place(places, reference, sentence):
    (places.folder / "empty").write_text("\n")
    (places.folder / "long").write_text("x" * 65 * 1024)
    (places.folder / "ring").symlink_to(places.folder / "ring")
    with pytest.raises(PermanentError, match=r"a\.password") as refused:
        resolved({"a": {"password": f"secret_coordinate::{reference}"}}, places)
    assert sentence in str(refused.value)


def test_a_file_outside_the_directory_of_secrets_is_not_read(places, tmp_path):
    (tmp_path / "key").write_text("outside")
    (places.folder / "link").symlink_to(tmp_path / "key")
    for place in ("../key", "link", str(tmp_path / "key")):
        with pytest.raises(PermanentError, match="is not below AIRBYTE_SERVER_SECRET_DIRECTORY"):
            resolved({"key": f"secret_coordinate::file/{place}"}, places)


@pytest.mark.parametrize("place", ["vault/x", "env/", "env/PATH", "file/a\0b", ""])
def test_a_reference_that_can_never_be_resolved_is_refused_when_it_is_saved(places, place):
    with pytest.raises(RefusedError, match="at password"):
        check_references({"password": f"secret_coordinate::{place}"}, places)


@pytest.mark.parametrize("name", ["AIRBYTE_SERVER_SECRET_KEY", "SLUICE_SECRET_KEY", "PGPASSWORD"])
def test_no_prefix_opens_the_servers_own_variables(places, name, monkeypatch):
    monkeypatch.setenv(name, "the server's own")
    with pytest.raises(RefusedError, match="no connector may read"):
        resolved({"password": f"secret_coordinate::env/{name}"}, SecretPlaces(places.folder, name[:2]))

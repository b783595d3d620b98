import pytest
from airbyte_server.errors import PermanentError, RefusedError
from airbyte_server.secret_references import check_references, resolved

ENV = "secret_coordinate::env/SHOP_PASSWORD"


def test_references_are_replaced_wherever_they_stand(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "from the environment")
    (tmp_path / "key").write_text("from the file\n")
    file = f"secret_coordinate::file/{tmp_path}/key"
    configuration = {"host": "h", "password": ENV, "keys": [{"key": file}, 1, None]}
    assert resolved(configuration, None) == {
        "host": "h",
        "password": "from the environment",
        "keys": [{"key": "from the file"}, 1, None],
    }
    inside = {"key": "secret_coordinate::file/key"}
    assert resolved(inside, tmp_path) == {"key": "from the file"}


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("env/NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE, which the configuration names at a.password, is not set"),
        ("file//nowhere/key", "cannot be read: No such file"),
        ("file/relative", "needs an absolute path"),
        ("file//dev/null", "is empty"),
        ("file//dev/zero", "is larger than 64 KiB"),
    ],
    ids=["environment", "no file", "relative", "empty", "endless"],
)
def test_what_cannot_be_read_is_named_with_its_place(reference, sentence):
    with pytest.raises(PermanentError, match=r"a\.password") as refused:
        resolved({"a": {"password": f"secret_coordinate::{reference}"}}, None)
    assert sentence in str(refused.value)


def test_a_file_outside_the_directory_of_secrets_is_not_read(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "key").write_text("outside")
    (inside / "link").symlink_to(tmp_path / "key")
    for place in ("../key", "link", str(tmp_path / "key")):
        with pytest.raises(PermanentError, match="is not below AIRBYTE_SERVER_SECRET_DIRECTORY"):
            resolved({"key": f"secret_coordinate::file/{place}"}, inside)


@pytest.mark.parametrize("place", ["vault/x", "env/", "env/AIRBYTE_SERVER_SECRET_KEY", ""])
def test_a_reference_that_can_never_be_resolved_is_refused_when_it_is_saved(place):
    with pytest.raises(RefusedError, match="at password"):
        check_references({"password": f"secret_coordinate::{place}"})

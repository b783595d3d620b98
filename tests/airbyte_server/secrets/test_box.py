import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.secrets.box import SecretBox, make_key
from cryptography.fernet import Fernet

CONFIGURATION = {"host": "db.example", "password": "s3cret-words"}


def test_what_is_sealed_opens_with_its_key_and_for_its_purpose_only():
    box = SecretBox(make_key())
    sealed = box.seal(CONFIGURATION, purpose="one")
    assert b"s3cret-words" not in sealed
    assert box.open(sealed, purpose="one") == CONFIGURATION
    for other, purpose in ((SecretBox(make_key()), "one"), (box, "two")):
        with pytest.raises(PermanentError, match="with the key that wrote it"):
            other.open(sealed, purpose=purpose)


@pytest.mark.parametrize("place", [0, 14, 20, -1], ids=["prefix", "nonce", "text", "tag"])
def test_what_was_changed_does_not_open(place):
    box = SecretBox(make_key())
    sealed = bytearray(box.seal(CONFIGURATION, purpose="one"))
    sealed[place] ^= 1
    with pytest.raises(PermanentError):
        box.open(bytes(sealed), purpose="one")


def test_the_same_value_is_sealed_differently_each_time():
    box = SecretBox(make_key())
    assert len({box.seal(CONFIGURATION, purpose="one") for _ in range(100)}) == 100


def test_what_the_first_version_sealed_still_opens():
    key = Fernet.generate_key().decode()
    sealed = Fernet(key).encrypt(b'{"password": "old"}')
    box = SecretBox(key)
    assert box.open(sealed, purpose="one") == {"password": "old"}
    assert box.seal({"password": "old"}, purpose="one").startswith(b"aes-256-gcm:1:")


@pytest.mark.parametrize("key", ["my-own-words", "", "a" * 44, "YWJj"], ids=["words", "empty", "33 bytes", "3 bytes"])
def test_a_key_that_is_none_is_refused_without_showing_it(key):
    with pytest.raises(PermanentError, match="The secret key is none") as refused:
        SecretBox(key)
    assert not key or key not in str(refused.value)

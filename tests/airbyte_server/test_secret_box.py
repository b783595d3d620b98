import time

import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.secret_box import MASK, SecretBox, masked, scrubbed, secrets_in, unmasked
from cryptography.fernet import Fernet

CONFIGURATION = {
    "host": "db.example",
    "password": "s3cret-words",
    "credentials": {"auth_type": "oauth", "keys": ["first-key", {"deep": 123456}]},
    "api_key": "",
    "client_secret": None,
    "author": "someone",
}


def test_what_is_sealed_opens_with_its_key_only():
    box = SecretBox(Fernet.generate_key().decode())
    sealed = box.seal(CONFIGURATION)
    assert b"s3cret-words" not in sealed
    assert box.open(sealed) == CONFIGURATION
    with pytest.raises(PermanentError, match="with the key that wrote it"):
        SecretBox(Fernet.generate_key().decode()).open(sealed)


def test_what_is_too_old_does_not_open():
    box = SecretBox(Fernet.generate_key().decode())
    sealed = box.seal({})
    time.sleep(2.1)
    with pytest.raises(PermanentError):
        box.open(sealed, max_age_seconds=1)


def test_a_key_that_is_none_is_refused_without_showing_it():
    with pytest.raises(PermanentError, match="no Fernet key") as refused:
        SecretBox("my-own-words")
    assert "my-own-words" not in str(refused.value)


def test_everything_below_a_secret_name_is_masked_and_nothing_else():
    assert masked(CONFIGURATION) == {
        "host": "db.example",
        "password": MASK,
        "credentials": {"auth_type": MASK, "keys": [MASK, {"deep": MASK}]},
        "api_key": "",
        "client_secret": None,
        "author": "someone",
    }


def test_a_mask_means_the_stored_value():
    changed = {**masked(CONFIGURATION), "host": "other.example"}
    assert unmasked(changed, CONFIGURATION)["password"] == "s3cret-words"
    assert unmasked(changed, CONFIGURATION)["host"] == "other.example"
    assert unmasked({"password": MASK}, {}) == {"password": MASK}


def test_secrets_are_scrubbed_from_sentences_longest_first():
    secrets = secrets_in({"token": "abcd", "password": "abcdefgh"})
    assert scrubbed("login abcdefgh and abcd failed", secrets) == f"login {MASK} and {MASK} failed"
    assert scrubbed("at postgresql://me:word@host/db", ()) == f"at postgresql://me:{MASK}@host/db"

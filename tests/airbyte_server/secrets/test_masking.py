from airbyte_server.secrets.masking import MASK, masked, scrubbed, secrets_in, unmasked

CONFIGURATION = {
    "host": "db.example",
    "password": "s3cret-words",
    "credentials": {"auth_type": "oauth", "keys": ["first-key", {"deep": 123456}]},
    "api_key": "",
    "client_secret": None,
    "author": "someone",
    "token": "secret_coordinate::env/SHOP_TOKEN",
    "proxy": "http://me:word@proxy.example:3128",
}


def test_everything_below_a_secret_name_is_masked_and_nothing_else():
    assert masked(CONFIGURATION) == {
        "host": "db.example",
        "password": MASK,
        "credentials": {"auth_type": MASK, "keys": [MASK, {"deep": MASK}]},
        "api_key": "",
        "client_secret": None,
        "author": "someone",
        "token": "secret_coordinate::env/SHOP_TOKEN",
        "proxy": f"http://me:{MASK}@proxy.example:3128",
    }


def test_what_was_read_masked_and_comes_back_is_the_stored_value():
    shown = masked(CONFIGURATION)
    assert unmasked(shown, CONFIGURATION) == CONFIGURATION
    changed = {**shown, "host": "other.example", "credentials": {"keys": [MASK, {"deep": 7}, "third-key"]}}
    assert unmasked(changed, CONFIGURATION) == {
        **CONFIGURATION,
        "host": "other.example",
        "credentials": {"keys": ["first-key", {"deep": 7}, "third-key"]},
    }
    assert unmasked({"password": MASK}, {}) == {"password": MASK}


def test_secrets_are_scrubbed_from_sentences_longest_first():
    secrets = secrets_in({"token": "abcd", "password": "abcdefgh"})
    assert scrubbed("login abcdefgh and abcd failed", secrets) == f"login {MASK} and {MASK} failed"
    assert scrubbed("at postgresql://me:word@host/db", ()) == f"at postgresql://me:{MASK}@host/db"


def test_a_secret_is_scrubbed_however_it_is_written():
    secrets = secrets_in(
        {"password": 'a+b /"c\nd', "private_key": "-----BEGIN KEY-----\nMIIEvAIBADANBgkqhkiG\n-----END"}
    )
    for written in ("a%2Bb%20%2F%22c%0Ad", "a%2Bb+%2F%22c%0Ad", r"a+b /\"c\nd", "YStiIC8iYwpk", "MIIEvAIBADANBgkqhkiG"):
        assert written not in scrubbed(f"sent {written} to the host", secrets)

import pytest
from airbyte_server.errors import RefusedError
from airbyte_server.secrets.marks import NO_MARKS, UNTOLD
from airbyte_server.secrets.masking import MASK, unmasked
from airbyte_server.secrets.moving import refuse_moved

STORED = {
    "host": "db.example.com",
    "port": 5432,
    "database": "warehouse",
    "password": "hunter2-hunter2",
    "api": {"base": "https://api.example.com", "credentials": {"token": "token-token"}, "page_size": 100},
    "mirrors": [{"place": "a.example.com", "secret": "first-secret"}],
}


def changed(given, *, merge=True, marks=NO_MARKS):
    """What an update makes of it."""
    new = {**(STORED if merge else {}), **unmasked(given, STORED, marks=marks)}
    refuse_moved("source", given, new, STORED, marks)


def api(**changes):
    return {"api": {**STORED["api"], "credentials": {"token": MASK}, **changes}}


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        ({"host": "evil.example.com"}, "host"),
        ({"host": "evil.example.com", "password": MASK}, "host"),
        ({"port": 6543}, "port"),
        ({"tunnel_method": {"tunnel_host": "evil"}}, "tunnel_method.tunnel_host"),
        ({"proxy_url": "socks5://evil:1080"}, "proxy_url"),
        (api(base="https://evil.example.com"), "api.base"),
        (api(subdomain="evil.example.com/"), "api.subdomain"),
        ({"mirrors": [{"place": "evil.example.com", "secret": MASK}]}, "mirrors.0.place"),
        ({"mirrors": [{"place": "127.0.0.1", "secret": MASK}]}, "mirrors.0.place"),
    ],
    ids=lambda given: str(given) if isinstance(given, str) else "",
)
def test_a_stored_secret_does_not_follow_to_a_new_address(given, moved):
    with pytest.raises(RefusedError) as refused:
        changed(given)
    assert f"source's {moved} changes" in str(refused.value)
    assert not [secret for secret in ("hunter2", "token-token", "first-secret") if secret in str(refused.value)]


def test_an_address_is_one_where_everything_counts_as_secret():
    with pytest.raises(RefusedError, match="host changes"):
        changed({"host": "evil.example.com"}, marks=UNTOLD)
    changed({"database": "other", "password": MASK}, marks=UNTOLD)


def test_an_address_that_goes_is_a_change_too():
    whole = {**STORED, "password": MASK}
    del whole["port"]
    with pytest.raises(RefusedError, match="port changes"):
        changed(whole, merge=False)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"database": "other", "password": MASK},
        {"host": "db.example.com", "port": 5432, "password": MASK},
        {"password": "new-password"},
        api(page_size=50),
        api(start_date="2026-01-01"),
        {**STORED, "host": "new.example.com"},
        {**STORED, "host": "new.example.com", "password": "another", "api": {}, "mirrors": []},
        {**STORED, "host": "new.example.com", "password": "secret_coordinate::env/AIRBYTE_SECRET_X"},
    ],
    ids=["nothing", "database", "same", "secret alone", "size", "date", "all told", "all new", "reference"],
)
def test_whatever_else_changes_the_stored_secrets_stay(given):
    changed(given, merge="mirrors" not in given)

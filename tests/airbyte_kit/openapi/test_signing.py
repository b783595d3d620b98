"""Credentials of every kind are sent as the document says, and wrong ones are refused."""

import json

import httpx
import pytest
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.readme import guesses
from airbyte_kit.openapi.stand_in import serving

from tests.airbyte_kit.openapi.documents import array, document, listing

KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
CLIENT = {"clientCredentials": {"tokenUrl": "https://login.example.com/token", "scopes": {"read": "Reading"}}}
SCHEMES = {
    "bearer": ({"type": "http", "scheme": "bearer"}, ["access_token"]),
    "basic": ({"type": "http", "scheme": "Basic"}, ["username"]),
    "header": (KEY, ["api_key"]),
    "query": ({**KEY, "in": "query", "name": "key"}, ["api_key"]),
    "cookie": ({**KEY, "in": "cookie", "name": "session"}, ["api_key"]),
    "client": ({"type": "oauth2", "flows": CLIENT}, ["client_id", "client_secret"]),
    "login": ({"type": "openIdConnect", "openIdConnectUrl": "https://example.com"}, ["access_token"]),
}


def signed(scheme, **more):
    components = {"securitySchemes": {"main": scheme, **more}}
    security = [{"main": [], **{name: [] for name in more}}]
    return document({"/tasks": listing(array())}, components=components, security=security)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "required"), SCHEMES.values(), ids=SCHEMES)
def test_the_right_credentials_pass_and_wrong_ones_do_not(drafted, scheme, required):
    made = signed(scheme)
    found = drafted(made)
    assert found.connector.specification["required"] == required
    with serving(made, found.connector.manifest) as stand_in:
        assert found.check(stand_in.configuration) == "SUCCEEDED"
        assert found.check(stand_in.wrong_configuration) == "FAILED"


def test_a_refused_client_is_a_matter_of_configuration():
    found = draft(signed(SCHEMES["client"][0])).manifest["definitions"]["requester"]["authenticator"]
    assert found["refresh_token_error_key"] == "error"
    assert "invalid_client" in found["refresh_token_error_values"] and 401 in found["refresh_token_error_status_codes"]


def test_a_stand_in_lets_a_wrong_client_find_out_at_the_list():
    made = signed(SCHEMES["client"][0])
    with serving(made, draft(made).manifest) as stand_in:
        for configuration, status in ((stand_in.configuration, 200), (stand_in.wrong_configuration, 401)):
            form = {"grant_type": "client_credentials", **configuration}
            token = httpx.post(configuration["token_url"], data=form).json()["access_token"]
            answer = httpx.get(f"{configuration['base_url']}/tasks", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status


@pytest.mark.slow
def test_two_keys_are_both_sent(drafted):
    made = signed(KEY, second={**KEY, "in": "query", "name": "app key"})
    found = drafted(made)
    assert found.connector.specification["required"] == ["api_key_x_key", "api_key_app_key"]
    with serving(made, found.connector.manifest) as stand_in:
        assert found.check(stand_in.configuration) == "SUCCEEDED"
        assert found.check({**stand_in.configuration, "api_key_app_key": "wrong"}) == "FAILED"


def test_every_secret_is_marked():
    for scheme, _ in SCHEMES.values():
        fields = draft(signed(scheme)).manifest["spec"]["connection_specification"]["properties"]
        secret = {name for name, schema in fields.items() if schema.get("airbyte_secret")}
        assert secret == set(fields) & {"access_token", "api_key", "username", "password", "client_secret"} != set()


def test_the_way_that_most_lists_take_is_taken():
    components = {"securitySchemes": {"main": KEY, "other": SCHEMES["basic"][0], "broken": {"type": "mutualTLS"}}}
    paths = {
        "/tasks": listing(array(), security=[{"other": []}, {"main": []}]),
        "/users": listing(array(), security=[{"main": []}]),
        "/open": listing(array(), security=[]),
        "/closed": listing(array(), security=[{"other": []}]),
        "/internal": listing(array(), security=[{"broken": []}]),
    }
    found = draft(document(paths, components=components))
    assert [each.scheme for each in found.auth.credentials] == ["main"]
    assert found.auth.unserved == ("/closed", "/internal")
    assert "These paths ask for other credentials: `/closed`, `/internal`." in guesses(found)


def test_where_a_person_must_log_in_a_token_is_asked_for():
    found = draft(signed({"type": "oauth2", "flows": {"authorizationCode": {"tokenUrl": "https://example.com"}}}))
    assert "needs a person to log in" in guesses(found)[0]


def test_a_token_address_with_a_template_is_not_used():
    flows = {"clientCredentials": {"tokenUrl": "https://x/{{ config }}", "scopes": {}}}
    assert "{{ config }}" not in json.dumps(draft(signed({"type": "oauth2", "flows": flows})).manifest)

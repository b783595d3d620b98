import base64
from uuid import uuid4

from airbyte_server.actors.renewals import Renewals
from airbyte_server.connectors.renewal import merged, renewed_fields
from airbyte_server.secrets.box import SecretBox
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.references import SecretPlaces
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors, workspaces
from sqlalchemy import insert, select


def told(config):
    return {"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "connectorConfig": {"config": config}}}


def test_only_what_differs_is_renewed():
    given = {"a": {"token": "1", "kind": "x"}, "list": [1], "b": 2}
    assert renewed_fields(told({"a": {"token": "2", "kind": "x"}, "list": [1], "new": None}), given) == {
        "a": {"token": "2"}
    }
    assert renewed_fields(told(given), given) == {}
    for other in (
        {"type": "RECORD"},
        {"type": "CONTROL"},
        {"type": "CONTROL", "control": {"type": "OTHER"}},
        told("x"),
    ):
        assert renewed_fields(other, given) == {}


def test_a_renewed_field_takes_the_place_of_its_own_and_leaves_the_others():
    stored = {"a": {"token": "secret_coordinate::env/A", "kind": "x"}, "b": "changed meanwhile"}
    assert merged(stored, {"a": {"token": "2"}, "c": 3}) == {
        "a": {"token": "2", "kind": "x"},
        "b": "changed meanwhile",
        "c": 3,
    }


def test_a_token_that_is_good_once_is_kept_and_shown_to_nobody(workshop, api, make_source, manifest, configuration):
    manifest["definitions"]["requester"]["authenticator"] = {
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": "{{ config['base_url'] }}/token",
        "client_id": "shop",
        "client_secret": "shop",
        "refresh_token": "{{ config['access']['phrase'] }}",
        "refresh_token_updater": {
            "refresh_token_config_path": ["access", "phrase"],
            "access_token_config_path": ["access", "short"],
            "token_expiry_date_config_path": ["access", "until"],
        },
    }
    fields = manifest["spec"]["connection_specification"]["properties"]["access"]["properties"]
    fields["short"] = {"type": "string", "airbyte_secret": True}
    configuration["access"] |= {"short": "", "until": "2020-01-01T00:00:00Z"}
    source = make_source(manifest, configuration)
    checked = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]}).json()
    assert checked["status"] == "succeeded", checked
    assert len(api.issued) >= 2
    connection = workshop.connect(source["sourceId"], configurations={"streams": [{"name": "customers"}]})
    jobs = [workshop.sync(connection) for _ in range(2)]
    assert [job["status"] for job in jobs] == ["succeeded", "succeeded"]
    streams = {"streams": ["customers", "orders"], "destinationId": workshop.destination_id, "schema": "sampled"}
    samples = f"{workshop.server.root}/api/embedded/v1/samples"
    sample = workshop.client.post(samples, json={"sourceId": source["sourceId"], **streams}).json()
    assert workshop.wait(sample)["status"] == "succeeded", "each stream begins with the token that the last one left"
    api.troubles["/customers"] = [(404, {})] * 10
    failed = workshop.sync(connection)
    assert failed["status"] == "failed"
    root = f"{workshop.server.root}/api/embedded/v1/jobs"
    seen = [workshop.client.get(f"{root}/{job['jobId']}/logs").text for job in (*jobs, failed)]
    seen += [workshop.client.get(f"/sources/{source['sourceId']}").text, workshop.server.log.read_text()]
    assert len(api.issued) >= 5
    assert not [text for text in seen if any(token in text for token in api.issued[1:])]


def test_an_api_cannot_name_the_place_of_another_secret_as_its_token(database, tmp_path):
    """It would be sent what is there."""
    storage = Storage(database)
    storage.open()
    configurations = Configurations(
        SecretBox(base64.urlsafe_b64encode(b"k" * 32).decode()), SecretPlaces(tmp_path, "SHOP_")
    )
    workspace, source = str(uuid4()), str(uuid4())
    sealed = configurations.seal(source, {"token": "first"})
    named = {"workspace_id": workspace, "name": "shop"}
    with storage.begin() as connection:
        connection.execute(insert(workspaces).values(named))
        row = {**named, "actor_id": source, "kind": "source", "type_name": "x", "definition_id": source}
        connection.execute(insert(actors).values(row | {"configuration": sealed}))
    kept = []
    for token in ("second", "secret_coordinate::file/other", ["secret_coordinate::env/SHOP_OTHER"]):
        Renewals(storage, configurations).store(source, {"token": token})
        with storage.begin() as connection:
            kept.append(configurations.stored(connection.execute(select(actors)).one())["token"])
    storage.close()
    assert kept == ["second"] * 3

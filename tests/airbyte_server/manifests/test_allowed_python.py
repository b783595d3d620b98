"""A server that allows Python beside manifests, and has little patience."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lax_server(make_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("connectors")
    made = make_server(AIRBYTE_SERVER_ALLOW_PYTHON_COMPONENTS="true", AIRBYTE_SERVER_CONNECTOR_TIMEOUT_SECONDS="4")
    deep = folder / "source-deep"
    deep.mkdir()
    (deep / "manifest.yaml").write_text("[" * 1_000_000)
    (deep / "metadata.yaml").write_text(
        "data: {definitionId: 6371b14b-bc68-4236-bfbd-000000000009, name: Deep, dockerImageTag: 1.0.0,"
        " dockerRepository: airbyte/source-deep}"
    )
    for path in (Path(__file__).parent / "connectors").iterdir():
        (folder / path.name).symlink_to(path)
    made.settings["AIRBYTE_SERVER_CONNECTORS_DIRECTORY"] = str(folder)
    made.start()
    return made


@pytest.fixture
def workshop(lax_server, make_workshop):
    return make_workshop(lax_server)


def test_components_beside_a_manifest_run(workshop, api, configuration):
    source = workshop.client.post(
        "/sources",
        json={
            "name": "loud",
            "workspaceId": workshop.workspace_id,
            "configuration": {
                "sourceType": "loud",
                "base_url": api.url,
                "phrase": configuration["access"]["phrase"],
            },
        },
    ).json()
    assert workshop.sync(workshop.connect(source["sourceId"]))["status"] == "succeeded"
    assert sorted(workshop.rows("shop_customers", "name")) == [(f"CUSTOMER {number}",) for number in range(3)]


def test_a_slow_source_is_given_up(workshop, make_source, manifest, configuration):
    manifest["definitions"]["customers"]["retriever"]["requester"]["path"] = "/slow"
    manifest["streams"][0]["schema_loader"] = {
        "type": "DynamicSchemaLoader",
        "retriever": manifest["definitions"]["customers"]["retriever"],
        "schema_type_identifier": {"key_pointer": ["name"]},
    }
    source = make_source(manifest, configuration)
    checked = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]})
    assert checked.json()["status"] == "failed"
    assert "took longer than 4 s to check its connection" in checked.json()["message"]
    refused = workshop.client.get("/streams", params={"sourceId": source["sourceId"]})
    assert refused.status_code == 400
    assert "took longer than 4 s to list its streams" in refused.json()["detail"]


def test_yaml_that_breaks_its_reader_is_only_refused(workshop):
    body = {"name": "d", "workspaceId": workshop.workspace_id, "configuration": {"sourceType": "deep"}}
    source = workshop.client.post("/sources", json=body).json()
    refused = workshop.client.get("/streams", params={"sourceId": source["sourceId"]})
    assert refused.status_code == 400
    assert "Connector 'Deep' cannot run" in refused.json()["detail"]
    print(refused.json()["detail"])
    assert workshop.client.get("/health").status_code == 200

import pytest
from airbyte_server.connectors.folders import read_folders

POKEAPI = "6371b14b-bc68-4236-bfbd-468e8df8e968"


def create(workshop, configuration, **more):
    body = {"name": "s", "workspaceId": workshop.workspace_id, "configuration": configuration, **more}
    return workshop.client.post("/sources", json=body)


def test_folders_are_listed_with_the_registrys_ids(workshop):
    path = f"/workspaces/{workshop.workspace_id}/definitions/sources"
    listed = {each["name"]: each for each in workshop.client.get(path).json()["data"]}
    assert listed["PokeAPI"] == {
        "id": POKEAPI,
        "name": "PokeAPI",
        "dockerRepository": "airbyte/source-pokeapi",
        "dockerImageTag": "0.3.30",
        "documentationUrl": "https://docs.airbyte.com/integrations/sources/pokeapi",
    }
    assert workshop.client.get(f"{path}/{POKEAPI}").json() == listed["PokeAPI"]


def test_a_folder_runs_as_a_source_of_its_name_or_of_its_id(workshop, api, configuration):
    given = {"base_url": api.url, "phrase": configuration["access"]["phrase"]}
    named = create(workshop, {"sourceType": "pokeapi", **given}).json()
    by_id = create(workshop, given, definitionId=POKEAPI).json()
    assert named["definitionId"] == by_id["definitionId"] == POKEAPI
    assert named["sourceType"] == by_id["sourceType"] == "pokeapi"
    assert by_id["configuration"]["phrase"] == "**********"
    job = workshop.sync(workshop.connect(by_id["sourceId"]))
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 3)
    assert sorted(workshop.rows("shop_customers", "id, name"))[0] == (0, "customer 0")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("loud", "is a Python component"),
        ("bomb", "more than 1,000,000 values"),
        ("halfway", "'check' is a required property"),
    ],
)
def test_a_folder_that_cannot_run_says_why(workshop, api, name, sentence):
    source = create(workshop, {"sourceType": name, "base_url": api.url}).json()
    refused = workshop.client.get("/streams", params={"sourceId": source["sourceId"]})
    assert refused.status_code == 400
    assert sentence in refused.json()["detail"]
    # Nobody can say any more which of its fields are secret.
    assert source["configuration"] == {"sourceType": name, "base_url": "**********"}
    changed = workshop.client.patch(f"/sources/{source['sourceId']}", json={"configuration": {"base_url": "http://x"}})
    assert changed.status_code == 422


def test_a_folder_without_an_id_is_left_out_and_the_log_says_why(workshop):
    refused = create(workshop, {"sourceType": "unnamed"})
    assert refused.status_code == 422
    assert "Connector source-unnamed is left out" in workshop.server.log.read_text()


@pytest.mark.parametrize(
    "metadata",
    [
        "data: [",
        "data: words",
        "- data",
        "data: {definitionId: none}",
        "[" * 100_000,
        "a: &a [x]\nb: !!python/object/apply:os.system [exit]",
        "x" * 300_000,
    ],
    ids=["no yaml", "text", "list", "no id", "deep", "python", "long"],
)
def test_metadata_that_is_none_stops_no_start(tmp_path, metadata):
    (tmp_path / "source-a").mkdir()
    (tmp_path / "source-a" / "manifest.yaml").write_text("{}")
    (tmp_path / "source-a" / "metadata.yaml").write_text(metadata)
    assert read_folders(tmp_path) == []
    assert read_folders(tmp_path / "nowhere") == []

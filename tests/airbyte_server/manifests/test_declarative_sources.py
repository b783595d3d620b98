import copy

import pytest

MASK = "**********"


def test_a_manifest_that_cannot_run_is_refused_with_the_place(upload, manifest):
    wrong = copy.deepcopy(manifest)
    del wrong["streams"][0]["retriever"]["record_selector"]
    refused = upload(wrong)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("manifest.streams.0.retriever is not as airbyte-cdk has it")
    manifest["streams"][0]["transformations"] = [{"type": "CustomTransformation", "class_name": "os.system"}]
    refused = upload(manifest)
    assert refused.status_code == 422
    assert "manifest.streams.0.transformations.0 is a Python component" in refused.json()["detail"]


def test_a_source_of_a_manifest_shows_no_field_that_its_spec_calls_secret(
    workshop, make_source, manifest, configuration
):
    source = make_source(manifest, configuration)
    assert source["sourceType"] == f"declarative-{source['definitionId']}"
    assert source["configuration"]["access"] == {"phrase": MASK}
    path = f"/sources/{source['sourceId']}"
    assert workshop.client.get(path).json()["configuration"]["access"] == {"phrase": MASK}
    listed = workshop.client.get("/sources", params={"workspaceIds": workshop.workspace_id}).json()["data"]
    assert [each["configuration"]["access"] for each in listed] == [{"phrase": MASK}]
    # What was masked and comes back means what is stored, so the check still reaches the shop.
    kept = workshop.client.patch(path, json={"configuration": {"access": {"phrase": MASK}}}).json()
    assert kept["configuration"]["access"] == {"phrase": MASK}
    checked = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]}).json()
    assert checked["status"] == "succeeded", checked


def test_what_the_api_says_of_a_secret_is_scrubbed_by_the_specs_marks(
    workshop, api, make_source, manifest, configuration
):
    manifest["definitions"]["requester"]["error_handler"] = {
        "type": "DefaultErrorHandler",
        "response_filters": [
            {
                "type": "HttpResponseFilter",
                "http_codes": [403],
                "action": "FAIL",
                "error_message": "It says: {{ response['error'] }}",
            }
        ],
    }
    source = make_source(manifest, configuration)
    connection = workshop.connect(source["sourceId"])
    api.troubles["/customers"] = [(403, {})] * 50
    checked = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]}).json()
    assert checked["status"] == "failed"
    assert "trouble for Bearer" in checked["message"]
    assert configuration["access"]["phrase"] not in str(checked)
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    logs = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}/logs").text
    assert "trouble for Bearer" in logs
    assert configuration["access"]["phrase"] not in logs


def test_a_source_runs_the_manifest_that_is_current(workshop, make_source, manifest, configuration):
    source = make_source(manifest, configuration)
    path = f"/workspaces/{workshop.workspace_id}/definitions/declarative_sources/{source['definitionId']}"
    streams = {"sourceId": source["sourceId"]}
    names = [each["streamName"] for each in workshop.client.get("/streams", params=streams).json()]
    assert names == ["orders", "customers", "notes"]
    manifest["streams"] = manifest["streams"][:2]
    assert workshop.client.put(path, json={"manifest": manifest}).json()["version"] == 2
    names = [each["streamName"] for each in workshop.client.get("/streams", params=streams).json()]
    assert names == ["orders", "customers"]
    assert workshop.client.delete(path).status_code == 409


@pytest.mark.parametrize("name", ["__injected_declarative_manifest", "__injected_components_py"])
def test_a_configuration_that_brings_code_is_refused(workshop, make_source, manifest, configuration, name):
    for kind in ("file", "faker", "pokeapi"):
        body = {"sourceType": kind, "path": "/", name: {}}
        refused = workshop.client.post(
            "/sources", json={"name": "x", "workspaceId": workshop.workspace_id, "configuration": body}
        )
        assert refused.status_code == 422
        assert name in refused.json()["detail"]
    source = make_source(manifest, configuration)
    changed = workshop.client.patch(f"/sources/{source['sourceId']}", json={"configuration": {name: {}}})
    assert changed.status_code == 422


def test_a_type_that_contradicts_the_manifest_is_refused(workshop, make_source, manifest, configuration):
    source = make_source(manifest, configuration)
    body = {
        "name": "x",
        "workspaceId": workshop.workspace_id,
        "definitionId": source["definitionId"],
        "configuration": {"sourceType": "deputy", **configuration},
    }
    refused = workshop.client.post("/sources", json=body)
    assert refused.status_code == 422
    assert "is a manifest; leave sourceType 'deputy' out" in refused.json()["detail"]

import pytest


@pytest.fixture
def source(make_source, manifest, configuration):
    # The first stream's fields are asked of the shop: so that it sees who discovers.
    manifest["streams"][0]["schema_loader"] = {
        "type": "DynamicSchemaLoader",
        "retriever": {**manifest["definitions"]["customers"]["retriever"]},
        "schema_type_identifier": {"schema_pointer": ["fields"], "key_pointer": ["name"]},
    }
    return make_source(manifest, configuration)


def test_discover_is_asked_once_until_something_changes(workshop, api, source, configuration):
    api.customers = [{"id": 1, "fields": [{"name": "total"}]}]
    streams = {"sourceId": source["sourceId"]}
    first = workshop.client.get("/streams", params=streams).json()
    assert isinstance(first, list), first
    assert first[0]["propertyFields"] == [["total"]]
    api.customers = [{"id": 1, "fields": [{"name": "sum"}]}]
    assert workshop.client.get("/streams", params=streams).json() == first
    workshop.connect(source["sourceId"], configurations={"streams": [{"name": "orders"}]})
    found = workshop.client.post("/sources/discover_schema", json={"sourceId": source["sourceId"]}).json()
    assert "catalog" in found, found
    assert list(found["catalog"]["streams"][0]["stream"]["jsonSchema"]["properties"]) == ["total"]
    assert len(api.asked("/customers")) == 1
    anew = workshop.client.get("/streams", params={**streams, "ignoreCache": True}).json()
    assert anew[0]["propertyFields"] == [["sum"]]
    assert workshop.client.get("/streams", params=streams).json() == anew
    path = f"/sources/{source['sourceId']}"
    assert (
        workshop.client.patch(path, json={"configuration": {"start_date": "2024-02-01T00:00:00Z"}}).status_code == 200
    )
    api.customers = [{"id": 1, "fields": [{"name": "amount"}]}]
    changed = workshop.client.get("/streams", params=streams).json()
    assert changed[0]["propertyFields"] == [["amount"]]


def test_check_keeps_a_success_and_no_failure(workshop, api, source):
    def check():
        answer = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]})
        assert answer.status_code == 200
        return answer.json()

    api.troubles["/customers"] = [(404, {})]
    failed = check()
    assert (failed["status"], failed["jobInfo"]["succeeded"]) == ("failed", True)
    assert failed["message"]
    assert check()["status"] == "succeeded"
    asked = len(api.requests)
    succeeded = check()
    assert len(api.requests) == asked
    assert succeeded["status"] == "succeeded"
    assert "message" not in succeeded
    job = succeeded["jobInfo"]
    assert job["configType"] == "check_connection_source"
    assert job["configId"] == source["definitionId"]
    assert job["createdAt"] <= job["endedAt"]


def test_a_schema_that_cannot_be_had_is_an_answer_with_the_reason(workshop, make_source, manifest, configuration):
    del configuration["access"]
    source = make_source(manifest, configuration)
    answer = workshop.client.post("/sources/discover_schema", json={"sourceId": source["sourceId"]})
    assert answer.status_code == 200
    assert "catalog" not in answer.json()
    job = answer.json()["jobInfo"]
    assert job["succeeded"] is False
    assert "'access' is a required property" in job["failureReason"]["externalMessage"]
    refused = workshop.client.get("/streams", params={"sourceId": source["sourceId"]})
    assert refused.status_code == 400
    checked = workshop.client.post("/sources/check_connection", json={"sourceId": source["sourceId"]}).json()
    assert checked["status"] == "failed"
    assert "'access' is a required property" in checked["message"]

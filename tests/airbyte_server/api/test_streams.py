from uuid import uuid4

from airbyte_api import AirbyteAPI, models


def test_a_sources_streams_are_a_bare_array(workshop):
    workshop.write("orders", [{"id": 1, "note": "x"}])
    streams = workshop.client.get("/streams", params={"sourceId": workshop.source(), "ignoreCache": True}).json()
    assert len(streams) == 1
    assert streams[0]["streamName"] == "orders"
    assert "full_refresh_overwrite" in streams[0]["syncModes"]
    assert sorted(streams[0]["propertyFields"]) == [["id"], ["note"]]
    assert streams[0]["sourceDefinedPrimaryKey"] == []


def test_the_sdk_reads_them(workshop):
    workshop.write("orders", [{"id": 1}])
    token = workshop.client.headers["Authorization"].removeprefix("Bearer ")
    api = AirbyteAPI(server_url=workshop.server.url, security=models.Security(bearer_auth=token))
    request = {"source_id": workshop.source(), "destination_id": workshop.destination_id}
    streams = api.streams.get_stream_properties(request=request).stream_properties_response
    assert [stream.stream_name for stream in streams] == ["orders"]


def test_a_source_that_cannot_be_listed_answers_the_connectors_sentence(workshop):
    source = workshop.source(path="/nowhere/at/all", password="hunter2-hunter2")
    response = workshop.client.get("/streams", params={"sourceId": source})
    assert response.status_code == 400
    assert "/nowhere/at/all" in response.json()["detail"]
    assert response.json()["title"]
    assert "hunter2" not in response.text


def test_an_unknown_source_is_404_and_none_is_422(workshop):
    assert workshop.client.get("/streams", params={"sourceId": str(uuid4())}).status_code == 404
    assert workshop.client.get("/streams").status_code == 422

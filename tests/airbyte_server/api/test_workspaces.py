from uuid import uuid4

import pytest
from airbyte_api import AirbyteAPI, models


@pytest.fixture
def api(server):
    token = server.client().headers["Authorization"].removeprefix("Bearer ")
    return AirbyteAPI(server_url=server.url, security=models.Security(bearer_auth=token))


def test_a_workspace_lives_and_dies_through_the_sdk(api):
    created = api.workspaces.create_workspace(request={"name": "acme"}).workspace_response
    workspace = {"workspace_id": created.workspace_id}
    changed = api.workspaces.update_workspace(
        request={**workspace, "workspace_update_request": {"name": "acme two"}}
    ).workspace_response
    assert changed.name == "acme two"
    assert api.workspaces.delete_workspace(request=workspace).status_code == 204
    listed = api.workspaces.list_workspaces(request={"workspace_ids": [created.workspace_id]})
    assert listed.workspaces_response.data == []


def test_lists_come_in_pages_with_addresses_of_their_neighbours(server):
    client = server.client()
    ids = [client.post("/workspaces", json={"name": f"page {n}"}).json()["workspaceId"] for n in range(5)]
    query = {"workspaceIds": ids, "limit": 2}
    page = client.get("/workspaces", params=query).json()
    assert page["previous"] == ""
    seen = []
    pages = [page]
    while page["next"]:
        page = client.get(page["next"]).json()
        pages.append(page)
    for page in pages:
        seen += [item["workspaceId"] for item in page["data"]]
    assert seen == ids
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert client.get(pages[1]["previous"]).json() == pages[0]
    assert client.get(pages[2]["previous"]).json() == pages[1]


def test_a_page_that_ends_exactly_has_no_next(server):
    client = server.client()
    ids = [client.post("/workspaces", json={"name": f"exact {n}"}).json()["workspaceId"] for n in range(2)]
    page = client.get("/workspaces", params={"workspaceIds": ",".join(ids), "limit": 2}).json()
    assert len(page["data"]) == 2
    assert page["next"] == ""


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"workspaceIds": "x"}], ids=str)
def test_a_page_outside_its_bounds_is_refused(server, query):
    response = server.client().get("/workspaces", params=query)
    assert response.status_code == 422
    assert next(iter(query)) in response.json()["detail"]


def test_an_unknown_workspace_is_404(server):
    client = server.client()
    path = f"/workspaces/{uuid4()}"
    for response in (client.get(path), client.patch(path, json={"name": "x"}), client.delete(path)):
        assert response.status_code == 404
        assert response.json()["detail"].startswith("There is no workspace")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "name is missing."),
        ({"name": ""}, "name: String should have at least 1 character."),
        ({"name": "nul\u0000"}, "A value of the request cannot be stored in PostgreSQL."),
    ],
    ids=["missing", "empty", "nul"],
)
def test_a_bad_workspace_is_refused_with_a_sentence(server, body, sentence):
    response = server.client().post("/workspaces", json=body)
    assert (response.status_code, response.json()["detail"]) == (422, sentence)


def test_a_body_that_is_no_json_is_refused(server):
    response = server.client().post("/workspaces", content=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["detail"]) == (422, "The body is not valid JSON.")


def test_unknown_optional_fields_are_accepted(server):
    body = {"name": "more", "organizationId": str(uuid4()), "regionId": str(uuid4()), "somethingNew": 1}
    assert server.client().post("/workspaces", json=body).status_code == 200

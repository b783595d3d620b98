from uuid import uuid4

import pytest


@pytest.fixture
def base(workshop):
    return f"/workspaces/{workshop.workspace_id}/definitions"


def test_what_needs_docker_is_refused_in_a_sentence(workshop, base):
    body = {"name": "MySQL", "dockerRepository": "airbyte/source-mysql", "dockerImageTag": "3.0"}
    refused = workshop.client.post(f"{base}/sources", json=body)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(
        "Image airbyte/source-mysql needs Docker, which this server goes without; it runs embedded/source-file, "
    )
    assert refused.json()["detail"].endswith("A full Airbyte runs the others.")


def test_what_comes_with_the_server_stays_as_it_is(workshop, base):
    known = workshop.client.get(f"{base}/destinations").json()["data"][0]
    path = f"{base}/destinations/{known['id']}"
    assert workshop.client.get(path).json() == known
    assert workshop.client.put(path, json={"name": "x", "dockerImageTag": "1"}).status_code == 422
    assert workshop.client.delete(path).status_code == 422


@pytest.mark.parametrize("manifest", [{}, {"streams": []}, {"type": "Other", "streams": [{}]}], ids=str)
def test_a_manifest_that_is_none_is_refused(workshop, base, manifest):
    refused = workshop.client.post(f"{base}/declarative_sources", json={"name": "x", "manifest": manifest})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("manifest.")


def test_definitions_are_paged_and_of_one_workspace(workshop, base, make_workshop, small_manifest):
    names = [f"number {number}" for number in range(3)]
    for name in names:
        workshop.client.post(f"{base}/declarative_sources", json={"name": name, "manifest": small_manifest})
    image = {"name": "Ours", "dockerRepository": "airbyte/destination-postgres", "dockerImageTag": "3"}
    workshop.client.post(f"{base}/destinations", json=image)
    for kind, expected in (("declarative_sources", names), ("destinations", ["Postgres", "Ours"])):
        seen, address = [], f"{base}/{kind}?limit=1"
        while address:
            page = workshop.client.get(address).json()
            seen += [each["name"] for each in page["data"]]
            address = page["next"]
        assert seen == expected
    other = make_workshop(workshop.server)
    theirs = f"/workspaces/{other.workspace_id}/definitions/declarative_sources"
    assert workshop.client.get(theirs).json()["data"] == []
    assert workshop.client.get(f"/workspaces/{uuid4()}/definitions/sources").status_code == 404

"""Every call that airbyte-api makes, through airbyte-api."""

import pytest
from airbyte_api import errors, models


def test_tags_group_connections(shop, sdk):
    made = [
        sdk.tags.create_tag(
            request=models.TagCreateRequest(name=name, color="FF0000", workspace_id=shop.workspace_id)
        ).tag_response
        for name in ("nightly", "finance")
    ]
    with pytest.raises(errors.SDKError) as twice:
        sdk.tags.create_tag(request={"name": "nightly", "color": "00FF00", "workspace_id": shop.workspace_id})
    assert twice.value.status_code == 409
    tags = [models.Tag.model_validate(tag.model_dump(by_alias=True)) for tag in made]
    source_id = shop.source(catalog=shop.configuration["catalog"])
    body = {"source_id": source_id, "destination_id": shop.destination_id, "tags": tags}
    connection = sdk.connections.create_connection(request=models.ConnectionCreateRequest(**body)).connection_response
    assert [tag.name for tag in connection.tags] == ["nightly", "finance"]
    sdk.tags.update_tag(request={"tag_id": made[0].tag_id, "tag_patch_request": {"name": "daily", "color": "00FF00"}})
    assert sdk.tags.get_tag(request={"tag_id": made[0].tag_id}).tag_response.name == "daily"

    def tagged(tag):
        listed = sdk.connections.list_connections(request={"tag_ids": [tag.tag_id]})
        return [(each.connection_id, each.tags[0].name) for each in listed.connections_response.data]

    assert tagged(made[1]) == [(connection.connection_id, "daily")]
    assert sdk.tags.delete_tag(request={"tag_id": made[1].tag_id}).status_code == 204
    assert tagged(made[1]) == []
    listed = sdk.tags.list_tags(request={"workspace_ids": [shop.workspace_id]})
    assert [tag.name for tag in listed.tags_response.data] == ["daily"]


def test_definitions_of_a_workspace(shop, sdk):
    workspace = {"workspace_id": shop.workspace_id}
    manifest = {"streams": [{"name": "orders"}]}
    made = sdk.declarative_source_definitions.create_declarative_source_definition(
        request={**workspace, "create_declarative_source_definition_request": {"name": "Shop", "manifest": manifest}}
    ).declarative_source_definition_response
    one = {**workspace, "definition_id": made.id}
    found = sdk.declarative_source_definitions.get_declarative_source_definition(request=one)
    assert found.declarative_source_definition_response.manifest == manifest
    changed = sdk.declarative_source_definitions.update_declarative_source_definition(
        request={**one, "update_declarative_source_definition_request": {"manifest": manifest, "name": "Shop"}}
    )
    assert changed.declarative_source_definition_response.version == 2
    listed = sdk.declarative_source_definitions.list_declarative_source_definitions(request=workspace)
    assert [each.id for each in listed.declarative_source_definitions_response.data] == [made.id]
    gone = sdk.declarative_source_definitions.delete_declarative_source_definition(request=one)
    assert gone.declarative_source_definition_response.id == made.id

    known = sdk.destination_definitions.list_destination_definitions(request=workspace).definitions_response.data
    assert [(each.id, each.docker_repository) for each in known] == [
        ("25c5221d-dce2-4163-ade9-739ef790f503", "airbyte/destination-postgres")
    ]
    files = sdk.source_definitions.list_source_definitions(request=workspace).definitions_response.data[0]
    body = {"name": "Ours", "docker_repository": files.docker_repository, "docker_image_tag": "1.0.0"}
    own = sdk.source_definitions.create_source_definition(
        request={**workspace, "create_definition_request": body}
    ).definition_response
    source = {"name": "x", "workspaceId": shop.workspace_id, "definitionId": own.id, "configuration": {"path": "/data"}}
    answered = shop.client.post("/sources", json=source).json()
    assert (answered["sourceType"], answered["definitionId"]) == ("file", own.id)
    with pytest.raises(errors.SDKError, match="is used by") as used:
        sdk.source_definitions.delete_source_definition(request={**workspace, "definition_id": own.id})
    assert used.value.status_code == 409


def test_jobs_are_started_found_and_counted(shop, sdk):
    connection = shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    connection_id = connection["connectionId"]
    job = sdk.jobs.create_job(request={"connection_id": connection_id, "job_type": "sync"}).job_response
    shop.wait({"jobId": job.job_id})
    ended = sdk.jobs.get_job(request={"job_id": job.job_id}).job_response
    assert (ended.status.value, ended.rows_synced, ended.connection_id) == ("succeeded", 5, connection_id)
    assert ended.bytes_synced > 0
    assert ended.duration.startswith("PT")
    request = {"connection_id": connection_id, "job_type": "sync", "status": "succeeded", "workspace_ids": []}
    assert [each.job_id for each in sdk.jobs.list_jobs(request=request).jobs_response.data] == [job.job_id]
    assert sdk.jobs.cancel_job(request={"job_id": job.job_id}).job_response.status.value == "succeeded"


def test_destinations_through_their_typed_models(shop, sdk):
    request = models.DestinationCreateRequest(
        name="typed",
        workspace_id=shop.workspace_id,
        configuration=models.DestinationPostgres(
            host="127.0.0.1", database="warehouse", username="loader", password="hunter2-hunter2", schema_="typed"
        ),
    )
    made = sdk.destinations.create_destination(request=request).destination_response
    assert made.destination_type == "postgres"
    assert made.configuration.password == "**********"
    one = {"destination_id": made.destination_id}
    changed = sdk.destinations.patch_destination(request={**one, "destination_patch_request": {"name": "renamed"}})
    assert changed.destination_response.name == "renamed"
    assert sdk.destinations.delete_destination(request=one).status_code == 204


def test_health(sdk):
    assert sdk.health.get_health_check().status_code == 200

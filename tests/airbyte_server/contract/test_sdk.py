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


def test_definitions_of_a_workspace(shop, sdk, small_manifest):
    workspace = {"workspace_id": shop.workspace_id}
    manifest = small_manifest
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


def test_workspaces_from_their_making_to_their_end(sdk):
    made = sdk.workspaces.create_workspace(request={"name": "acme"}).workspace_response
    one = {"workspace_id": made.workspace_id}
    assert sdk.workspaces.get_workspace(request=one).workspace_response == made
    renamed = sdk.workspaces.update_workspace(request={**one, "workspace_update_request": {"name": "acme two"}})
    assert renamed.workspace_response.name == "acme two"
    listed = sdk.workspaces.list_workspaces(request={"workspace_ids": [made.workspace_id], "limit": 1})
    assert [each.name for each in listed.workspaces_response.data] == ["acme two"]
    assert sdk.workspaces.delete_workspace(request=one).status_code == 204
    with pytest.raises(errors.SDKError) as gone:
        sdk.workspaces.get_workspace(request=one)
    assert gone.value.status_code == 404


def test_connections_and_streams_through_their_models(shop, sdk):
    source_id = shop.source(catalog=shop.configuration["catalog"])
    offered = sdk.streams.get_stream_properties(request={"source_id": source_id, "ignore_cache": True})
    orders = next(each for each in offered.stream_properties_response if each.stream_name == "orders")
    assert (orders.source_defined_primary_key, orders.default_cursor_field) == ([["id"]], ["updated_at"])
    assert models.ConnectionSyncModeEnum.INCREMENTAL_DEDUPED_HISTORY in orders.sync_modes
    stream = models.StreamConfiguration(name="orders", sync_mode="incremental_deduped_history")
    request = models.ConnectionCreateRequest(
        source_id=source_id,
        destination_id=shop.destination_id,
        name="typed",
        namespace_definition="custom_format",
        namespace_format=shop.namespace,
        configurations=models.StreamConfigurations(streams=[stream]),
        schedule=models.AirbyteAPIConnectionSchedule(schedule_type="cron", cron_expression="0 0 4 * * ?"),
    )
    made = sdk.connections.create_connection(request=request).connection_response
    assert (made.schedule.cron_expression, made.status.value) == ("0 0 4 * * ? UTC", "active")
    one = {"connection_id": made.connection_id}
    assert sdk.connections.get_connection(request=one).connection_response == made
    paused = sdk.connections.patch_connection(request={**one, "connection_patch_request": {"status": "inactive"}})
    assert paused.connection_response == made.model_copy(update={"status": models.ConnectionStatusEnum.INACTIVE})
    assert sdk.connections.delete_connection(request=one).status_code == 204
    listed = sdk.connections.list_connections(request={"workspace_ids": [shop.workspace_id]})
    assert listed.connections_response.data == []


@pytest.mark.slow  # the SDK takes seconds to build its union of sources
def test_sources_that_the_sdk_has_a_model_of(shop, sdk):
    configuration = models.SourceFaker(count=5, seed=7)
    request = models.SourceCreateRequest(name="typed", workspace_id=shop.workspace_id, configuration=configuration)
    made = sdk.sources.create_source(request=request).source_response
    assert (made.source_type, made.configuration.count) == ("faker", 5)
    one = {"source_id": made.source_id}
    assert sdk.sources.get_source(request=one).source_response == made
    renamed = sdk.sources.patch_source(request={**one, "source_patch_request": {"name": "renamed"}})
    assert renamed.source_response == made.model_copy(update={"name": "renamed"})
    put = {"name": "put", "configuration": models.SourceFaker(count=6)}
    assert sdk.sources.put_source(request={**one, "source_put_request": put}).source_response.configuration.count == 6
    listed = sdk.sources.list_sources(request={"workspace_ids": [shop.workspace_id]}).sources_response.data
    assert [(each.name, each.source_type) for each in listed] == [("put", "faker")]
    assert sdk.sources.delete_source(request=one).status_code == 204


def test_destinations_are_put_and_listed(shop, sdk):
    configuration = models.DestinationPostgres(host="127.0.0.1", database="d", username="u", password="hunter2-hunter2")
    body = {"name": "put", "configuration": configuration}
    one = {"destination_id": shop.destination_id}
    put = sdk.destinations.put_destination(request={**one, "destination_put_request": body}).destination_response
    assert sdk.destinations.get_destination(request=one).destination_response == put
    listed = sdk.destinations.list_destinations(request={"workspace_ids": [shop.workspace_id]})
    assert listed.destinations_response.data == [put]


@pytest.mark.parametrize(("job_type", "left"), [("refresh", 3), ("clear", 0), ("reset", 0)])
def test_jobs_of_every_type(shop, sdk, job_type, left):
    connection = shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    shop.sync(connection)
    request = {"connection_id": connection["connectionId"], "job_type": job_type}
    job = sdk.jobs.create_job(request=request).job_response
    assert shop.wait({"jobId": job.job_id})["status"] == "succeeded"
    assert len(shop.rows("shop_orders")) == left
    listed = sdk.jobs.list_jobs(request={"connection_id": connection["connectionId"], "order_by": "createdAt|ASC"})
    assert [each.status.value for each in listed.jobs_response.data] == ["succeeded"] * 2

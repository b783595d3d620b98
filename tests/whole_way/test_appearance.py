"""Tenants and sources that somebody else made in Airbyte, as Terraform does, are found, and nobody else's are taken."""

import json
import subprocess
import sys

import pytest

from analysis.errors import PermanentError
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.settings import PROJECT_ROOT
from orchestration.stack.endpoints import load_endpoints
from orchestration.tenancy.adoption import adopt_tenant, find_connections
from orchestration.tenancy.appearance import appeared_sources, appeared_tenants
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.provisioning import connection_request, provision_source, provision_workspace
from orchestration.tenancy.registry import add_tenant
from orchestration.tenancy.sources import parse_source


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Sources of one small file each, by name."""
    folder = tmp_path_factory.mktemp("appearance")
    for name in ("orders", "visits", "notes"):
        lines = [json.dumps({"id": number, "name": f"{name} {number}"}) for number in range(1, 6)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return lambda name: parse_source(f"{name}=file:path={folder / name}.jsonl")


@pytest.fixture(scope="module")
def provision(airbyte, stack, files):
    """What Terraform would make for a tenant: workspace, destination, source, connection."""

    def make(tenant, source):
        names = TenantNames(TenantId(tenant))
        workspace_id, destination_id = provision_workspace(airbyte, load_endpoints(stack.home), names)
        connection, _ = provision_source(airbyte, names, workspace_id, destination_id, files(source))
        return workspace_id, connection

    return make


def run_job(stack, job, tenant):
    code = "import sys; from orchestration.execution import run_job; from orchestration.settings import load_settings;"
    code += "run_job(load_settings(), sys.argv[1], sys.argv[2], print)"
    command = [sys.executable, "-W", "ignore", "-c", code, job, tenant]
    done = subprocess.run(command, env=stack.environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_tenant_then_a_source_that_appear_in_airbyte_are_taken_up(stack, warehouse, airbyte, provision):
    workspace_id, first = provision("terraformed", "orders")
    other = airbyte.ensure_workspace("tenant_Not An Id")
    airbyte.ensure_workspace("somebody else's")
    found = appeared_tenants(warehouse, airbyte)
    assert ("terraformed", workspace_id) in {(each.tenant, each.key) for each in found.new}
    assert [refusal for refusal in found.refused if other in refusal]

    run_job(stack, "onboard_tenant", "terraformed")
    assert stack.published("terraformed") == 1
    assert "terraformed" not in {each.tenant for each in appeared_tenants(warehouse, airbyte).new}
    assert "terraformed" not in {each.tenant for each in appeared_sources(warehouse, airbyte).new}

    _, second = provision("terraformed", "visits")
    assert ("terraformed", second.id) in {(each.tenant, each.key) for each in appeared_sources(warehouse, airbyte).new}
    run_job(stack, "model_tenant", "terraformed")
    assert "terraformed" not in {each.tenant for each in appeared_sources(warehouse, airbyte).new}
    assert stack.published("terraformed") == 1, "the release stays until the next build takes the source in"
    stack.sluice("sync", "terraformed")
    stack.sluice("build", "terraformed")
    assert stack.published("terraformed") == 2
    assert find_connections(airbyte, "terraformed").by_source == {"orders": first, "visits": second}


def test_a_tenant_is_not_taken_up_between_its_first_source_and_its_last(stack, warehouse, airbyte, provision):
    workspace_id, _ = provision("halfadded", "orders")
    add_tenant(warehouse.control, warehouse.key, "halfadded", {"orders": "file", "visits": "file"})
    adopt_tenant(warehouse, airbyte, "halfadded")
    assert "halfadded" not in {each.tenant for each in appeared_tenants(warehouse, airbyte).new}
    provision("halfadded", "visits")
    adopt_tenant(warehouse, airbyte, "halfadded")
    assert ("halfadded", workspace_id) in {(each.tenant, each.key) for each in appeared_tenants(warehouse, airbyte).new}
    stack.sluice("tenant", "remove", "halfadded", "--erase", "--yes")


def test_a_sync_of_another_tenants_connection_is_refused_before_it_starts(airbyte, provision):
    own_workspace, _ = provision("one", "orders")
    _, foreign = provision("two", "orders")
    with pytest.raises(PermanentError, match="not of the tenant's workspace"):
        sync_connection(airbyte, own_workspace, foreign.id, namespace="tenant_one", seconds=10)
    assert airbyte.jobs(foreign.id) == []


def test_a_connection_that_was_renamed_is_still_the_sources_own(airbyte, provision):
    workspace_id, first = provision("four", "orders")
    airbyte.call("PATCH", f"/connections/{first.id}", json={"name": "renamed"})
    assert provision("four", "orders")[1].id == first.id
    assert [each.name for each in airbyte.connections(workspace_id)] == ["renamed"]


def test_a_connection_that_writes_into_another_tenants_schema_is_refused(airbyte, warehouse, provision, files):
    workspace_id, own = provision("three", "orders")
    source_id = airbyte.ensure_source(workspace_id, "notes", files("notes").airbyte_configuration)
    streams = [{"name": "notes", "syncMode": "full_refresh_overwrite"}]
    request = connection_request("notes", source_id, own.destination_id, "tenant_two", "notes_", streams)
    intruder = airbyte.create_connection(request)
    with pytest.raises(PermanentError, match="does not write to its tenant's namespace"):
        adopt_tenant(warehouse, airbyte, "three")
    airbyte.delete_connection(intruder.id)
    assert list(find_connections(airbyte, "three").by_source) == ["orders"]

"""`connector list`: where each connector runs, by what the server itself knows."""

from airbyte_kit.connector import CONNECTORS
from airbyte_kit.matrix import capabilities, table
from airbyte_server.actors.catalogue import Catalogue
from airbyte_server.connectors.folders import read_folders
from airbyte_server.connectors.packages import Packages


def test_what_runs_here_is_what_the_server_lists():
    known = Catalogue(read_folders(CONNECTORS), Packages()).all("source")
    here = {each.connector: each for each in capabilities() if each.runs != "full Airbyte"}
    assert {each.type_name: (each.id, each.docker_image_tag) for each in known} == {
        name: (each.definition_id, each.version) for name, each in here.items()
    }
    assert all(each.licence for each in here.values())


def test_streams_are_those_of_the_manifest():
    found = {each.connector: each for each in capabilities()}
    assert set(found["stripe"].streams) >= {"customers", "subscriptions", "invoice_line_items"}
    assert [len(found[name].streams) for name in ("stripe", "github", "slack", "shopify")] == [14, 21, 5, 17]


def test_nothing_of_a_full_airbyte_runs_here():
    found = capabilities()
    elsewhere = [each for each in found if each.runs == "full Airbyte"]
    here = {(each.connector, each.definition_id) for each in found if each not in elsewhere}
    assert elsewhere and not here & {(each.connector, each.definition_id) for each in elsewhere}
    assert len({each.definition_id for each in found}) == len(found)


def test_a_fresh_connector_is_listed(fresh):
    (found,) = [each for each in capabilities(fresh.parent) if each.runs == "embedded, low-code"]
    assert (found.connector, list(found.streams), found.version) == ("acme-crm", ["customers", "invoices"], "0.1.0")
    assert f"acme-crm    embedded, low-code  2        {found.definition_id}" in table(capabilities(fresh.parent))


def test_a_folder_that_cannot_run_is_listed_with_the_reason(fresh):
    (fresh / "metadata.yaml").unlink()
    (found,) = [each for each in capabilities(fresh.parent) if each.connector == "acme-crm"]
    assert found.runs == "nowhere" and found.problem.startswith("source-acme-crm/metadata.yaml cannot be used")
    assert found.problem in table(capabilities(fresh.parent))

"""`connector new`: what it makes passes the check as it is, against its samples and against its API."""

from uuid import UUID

import pytest
import yaml
from airbyte_kit.connector import find_connector
from airbyte_kit.errors import KitError
from airbyte_kit.scaffolding import scaffold
from airbyte_server.connectors.folders import read_folders

STEPS = ["spec", "check", "discover", "replay", "read", "schema", "keys", "paging", "incremental", "later_day"]


def test_the_fresh_scaffold_passes_by_its_samples(fresh, check_samples):
    findings = check_samples(fresh)
    assert [each for each in findings if each.outcome == "failed"] == []
    steps = list(dict.fromkeys(each.step for each in findings))
    assert steps == [*STEPS, "rate_limit", "server_errors", "unauthorised", "secrets"]
    skipped = {(each.step, each.stream) for each in findings if each.outcome == "skipped"}
    assert skipped == {("later_day", None), ("incremental", "invoices")}


def test_the_fresh_scaffold_passes_against_its_api(fresh, check_live):
    findings = {(each.step, each.stream): each for each in check_live(fresh)}
    assert [each for each in findings.values() if each.outcome == "failed"] == []
    assert findings["read", "invoices"].reason == "21 records"
    assert findings["paging", "customers"].reason == "8 pages hold the same 7 records"
    assert findings["incremental", "customers"].reason == "1 of 7 records again, at the boundary"
    assert findings["later_day", "customers"].reason == "2 records"
    assert findings["rate_limit", None].outcome == findings["server_errors", None].outcome == "ok"


def test_a_scaffold_is_a_connector_of_its_own(tmp_path):
    scaffold("acme-crm", tmp_path)
    scaffold("source-other", tmp_path)
    one, other = read_folders(tmp_path)
    assert (one.name, one.docker_repository) == ("Acme Crm", "sluice/source-acme-crm")
    assert UUID(one.definition_id) != UUID(other.definition_id)
    assert not [file for file in tmp_path.rglob("*.*") if "__" in file.read_text()]
    assert (
        yaml.safe_load((one.path / "manifest.yaml").read_text())["spec"]["connection_specification"]["title"]
        == "Acme Crm"
    )


@pytest.mark.parametrize("name", ["", "Acme", "../acme", "acme_crm", "a" * 41, "acme-", "-acme"])
def test_a_name_that_no_connector_can_have_is_refused(name, tmp_path):
    with pytest.raises(KitError, match="is no connector's name"):
        scaffold(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_connector_is_never_written_over(fresh):
    with pytest.raises(KitError, match="exists already"):
        scaffold("acme-crm", fresh.parent)
    with pytest.raises(KitError, match="is no directory"):
        scaffold("acme-crm", fresh.parent / "nowhere")


def test_connectors_are_found_by_name_and_by_path(fresh):
    assert find_connector("stripe") == find_connector("source-stripe")
    assert find_connector(str(fresh)).name == "acme-crm"
    with pytest.raises(KitError, match=r"There is no connector 'nothing'.*stripe"):
        find_connector("nothing")

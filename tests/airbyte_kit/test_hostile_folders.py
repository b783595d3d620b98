"""Folders that are no connectors, or mean harm: one sentence that names the file, and nothing hangs."""

import json

import pytest
from airbyte_kit.check import examined_against
from airbyte_kit.connector import Connector
from airbyte_kit.errors import KitError

LAUGHS = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "more than 1,000,000 values"),
        ("streams: &streams [*streams]", "levels deep"),
        ("streams: [{$ref: '#/definitions/no'}]", "leads nowhere"),
        ("a: &b *b", "is no YAML"),
        ("- 1", "is no object"),
    ],
    ids=["laughs", "circle", "reference", "alias", "list"],
)
def test_a_manifest_that_cannot_be_one_is_refused(text, says, fresh):
    (fresh / "manifest.yaml").write_text(text)
    with pytest.raises(KitError, match=says):
        assert Connector(fresh).written


@pytest.mark.parametrize(
    ("name", "content"), [("config", []), ("exceptions", [1]), ("exceptions", {"customers": "no"}), ("unauthorized", 3)]
)
def test_a_sample_that_is_none_is_named(name, content, fresh):
    (fresh / "samples" / f"{name}.json").write_text(json.dumps(content))
    connector = Connector(fresh)
    with pytest.raises(KitError, match=rf"source-acme-crm/samples/{name}\.json"):
        assert connector.exceptions == connector.sample_configuration("") == connector.refusal()


def test_metadata_that_the_server_cannot_use_fails_the_first_step(fresh, check_samples):
    (fresh / "metadata.yaml").write_text("data: {definitionId: none}")
    found, *others = check_samples(fresh)
    assert (found.step, found.outcome) == ("spec", "failed")
    assert found.reason.startswith("source-acme-crm/metadata.yaml cannot be used: ")
    assert {each.outcome for each in others} == {"skipped"}


def test_streams_that_are_not_there_end_the_check_at_discover(fresh, forks):
    findings = list(examined_against(Connector(fresh), None, forks, ["nosuch"]))
    failed = [each for each in findings if each.outcome == "failed"]
    assert [(each.step, each.reason) for each in failed] == [
        ("discover", "There is no stream 'nosuch'; it has customers, invoices.")
    ]
    assert {each.step for each in findings} == {"spec", "check", "discover", "secrets"}

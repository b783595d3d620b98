"""Each connector beside the shared catalog and records of its name: a tenant can move between the two."""

import json
from collections import defaultdict

import pytest
from jsonschema import Draft7Validator

POINTS = {"primary_key", "cursor", "fields"}
pytestmark = pytest.mark.filterwarnings("ignore::Warning:airbyte_cdk", "ignore:`cache_name`:DeprecationWarning")


@pytest.fixture
def differences(connector):
    """What the connector says differs, by stream, and why."""
    file = connector.path / "samples" / "differences.json"
    return json.loads(file.read_text()) if file.is_file() else {}


@pytest.fixture
def catalog(shared, connector, differences):
    """The shared streams of the connector's name, by name."""
    file = shared / "catalogs" / f"{connector.name}.json"
    assert file.is_file() != bool(differences.get("_catalog")), "say in differences.json why there is no catalog"
    streams = json.loads(file.read_text())["streams"] if file.is_file() else []
    return {each["name"]: each for each in streams if each["name"] in connector.discovered}


def test_a_difference_has_a_reason_and_a_stream(connector, catalog, differences):
    listed = {name: each for name, each in differences.items() if not name.startswith("_")}
    assert listed.keys() <= catalog.keys()
    for name, each in listed.items():
        assert each and each.keys() <= POINTS, name
        reasons = [*(each[point] for point in each if point != "fields"), *each.get("fields", {}).values()]
        assert reasons and all(isinstance(reason, str) and len(reason) > 10 for reason in reasons), name


def test_keys_and_cursors_are_the_catalogs(connector, catalog, differences):
    wrong = {}
    for name, shared_stream in catalog.items():
        ours = connector.discovered[name]
        for point, field in (("primary_key", "source_defined_primary_key"), ("cursor", "default_cursor_field")):
            theirs = shared_stream.get(field) or []
            if not theirs and shared_stream["x-key-source"] is None:
                continue  # it does not know
            differs = sorted(ours.get(field) or []) != sorted(theirs)
            if differs != (point in differences.get(name, {})):
                wrong[name, point] = f"here {ours.get(field)}, there {theirs}, listed: {not differs}"
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


def test_shared_records_are_as_our_schemas_say(connector, catalog, differences, shared):
    wrong = {}
    for name in catalog:
        validator = Draft7Validator(connector.discovered[name]["json_schema"])
        file = shared / "records" / connector.name / f"{name}.jsonl"
        found = defaultdict(list)
        for line in file.read_text().splitlines() if file.is_file() else ():
            for error in validator.iter_errors(json.loads(line)):
                found[".".join(each for each in error.absolute_path if isinstance(each, str))].append(error.message)
        allowed = differences.get(name, {}).get("fields", {}).keys()
        wrong |= {f"{name}.{field}": found[field][0][:200] for field in found.keys() - allowed}
        wrong |= {f"{name}.{field}": "is listed and does not differ" for field in allowed - found.keys()}
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in sorted(wrong.items()))

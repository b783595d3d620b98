"""Each connector against its samples: what it reads, how it asks, and what it never says."""

import base64
import json
import re
from collections import Counter
from datetime import datetime
from uuid import UUID

import pytest
import yaml
from airbyte_server.actors.catalogue import Catalogue
from airbyte_server.connectors.folders import read_folders
from jsonschema import Draft7Validator, FormatChecker

from orchestration.settings import PROJECT_ROOT

ROOT = PROJECT_ROOT / "airbyte" / "connectors"
SENTENCE = re.compile(r"[A-Z](?:(?![.!?] )[^\n])*\.")
LONGEST_SENTENCE = 250
CLIENT_FILTERS = ("is_client_side_incremental", "is_data_feed", "RecordFilter")
METADATA = (
    "connectorType",
    "definitionId",
    "dockerImageTag",
    "dockerRepository",
    "documentationUrl",
    "license",
    "name",
)

formats = FormatChecker(formats=())
pytestmark = pytest.mark.filterwarnings("ignore::Warning:airbyte_cdk", "ignore:`cache_name`:DeprecationWarning")


@formats.checks("date-time", raises=ValueError)
def is_moment(value):
    return not isinstance(value, str) or bool("T" in value and datetime.fromisoformat(value))


@formats.checks("date", raises=ValueError)
def is_day(value):
    return not isinstance(value, str) or bool(datetime.strptime(value, "%Y-%m-%d"))


def test_every_folder_is_a_connector_of_its_own():
    folders = read_folders(ROOT)
    assert {each.path for each in folders} == {each for each in ROOT.glob("source-*") if each.is_dir()}
    assert len({each.definition_id for each in folders}) == len(folders)
    catalogue = Catalogue(folders)
    for folder in folders:
        assert catalogue.by_id("source", folder.definition_id).folder == folder
        assert catalogue.by_image("source", folder.docker_repository).folder == folder


def test_metadata_is_complete(connector):
    data = yaml.safe_load((connector.path / "metadata.yaml").read_text())["data"]
    assert {name for name in METADATA if not data.get(name)} == set()
    assert str(UUID(data["definitionId"])) == data["definitionId"]
    assert (data["connectorType"], data["license"]) == ("source", "Apache-2.0")
    assert data["dockerRepository"] == f"sluice/source-{connector.name}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["dockerImageTag"])
    assert data["documentationUrl"].startswith("https://")


def test_the_readme_names_every_stream(connector):
    readme = (connector.path / "README.md").read_text()
    assert connector.discovered.keys() - set(re.findall(r"[\w-]+", readme)) == set()


def test_the_specification_marks_what_is_secret(connector):
    run = connector.run("spec", connector.refusal())
    assert (run.code, run.asked) == (0, [])
    (specification,) = run.of("SPEC")
    schema = specification["connectionSpecification"]
    Draft7Validator.check_schema(schema)
    errors = [error.message for error in Draft7Validator(schema).iter_errors(connector.config)]
    assert not errors
    assert connector.secrets and all(len(each) >= 8 for each in connector.secrets)
    assert "base_url" in schema["properties"] and "base_url" not in schema.get("required", [])


def test_streams_are_described(connector):
    for name, stream in connector.discovered.items():
        schema = stream["json_schema"]
        assert schema.get("additionalProperties") is True, name
        keys = [path[0] for path in stream.get("source_defined_primary_key") or []]
        fields = {*keys, *(stream.get("default_cursor_field") or [])[:1]}
        assert fields <= schema["properties"].keys(), name
        assert ("incremental" in stream["supported_sync_modes"]) == bool(stream.get("default_cursor_field")), name


def test_the_check_succeeds_and_says_why_it_does_not(connector, every_sample):
    run = connector.run("check", every_sample)
    (status,) = run.of("CONNECTION_STATUS")
    assert (run.code, status["status"]) == (0, "SUCCEEDED"), status
    assert_secrets_are_kept(connector, run)
    refused = connector.run("check", connector.refusal())
    (status,) = refused.of("CONNECTION_STATUS")
    assert status["status"] == "FAILED" and status["message"]
    assert_secrets_are_kept(connector, refused)


def test_a_stream_reads_its_sample_to_the_end(connector, sample):
    run, script = connector.reading(sample).run, connector.reading(sample).script
    assert not script.unanswered, f"no exchange for {script.unanswered[0]}; unused: {script.unused}\n{run.told()}"
    assert run.code == 0, run.told()
    assert run.statuses(sample)[-1] == "COMPLETE"
    assert not run.errors
    assert run.rows
    assert not script.unused
    assert_secrets_are_kept(connector, run)
    assert any(secret in credentials(run.asked) for secret in connector.secrets)


def test_a_limit_is_waited_for(connector, samples):
    limits = 0
    for sample in samples:
        reading = connector.reading(sample)
        told = [one.answer for one in reading.script.exchanges if one.answer.status == 429 or one.answer.status >= 500]
        assert len(reading.run.waited) >= len(told), sample
        for wait, answer in zip(reading.run.waited, told, strict=False):
            assert wait >= float(answer.headers.get("Retry-After", 0)), sample
        limits += sum(answer.status == 429 for answer in told)
    assert limits, "no sample has a 429"


def test_records_are_as_their_schema_says(connector, sample):
    stream, rows = connector.discovered[sample], connector.reading(sample).run.rows
    validator = Draft7Validator(stream["json_schema"], format_checker=formats)
    errors = [f"{error.json_path}: {error.message}" for row in rows for error in validator.iter_errors(row)]
    assert not errors, "\n".join(errors[:10])
    keys = stream.get("source_defined_primary_key") or []
    cursor = stream.get("default_cursor_field")
    for row in rows:
        assert [path for path in [*keys, *([cursor] if cursor else [])] if at(row, path) is None] == [], row
    described = stream["json_schema"]["properties"].keys()
    unknown = {name for row in rows for name in row} - described
    assert not unknown, f"fields that the schema does not describe: {sorted(unknown)}"
    assert rows
    seen = Counter(json.dumps([at(row, path) for path in keys] or row, sort_keys=True) for row in rows)
    assert max(seen.values()) == 1, f"twice: {seen.most_common(3)}"


def test_a_second_read_asks_only_for_what_is_new(connector, sample):
    stream = connector.discovered[sample]
    if "incremental" not in stream["supported_sync_modes"]:
        assert not stream.get("default_cursor_field")
        return
    first = connector.reading(sample)
    assert first.run.state, "no state was emitted"
    again, api = connector.again(sample)
    assert not api.unanswered, f"no exchange has the path of {api.unanswered[0]}"
    assert again.code == 0, again.told()
    assert again.statuses(sample)[-1] == "COMPLETE"
    assert_secrets_are_kept(connector, again)
    before = {asked for asked, _ in first.script.asked}
    old, new = first.run.rows, again.rows
    moments = [moment(at(row, stream["default_cursor_field"])) for row in old]
    boundary = [row for row, when in zip(old, moments, strict=True) if when == max(moments)]
    if [asked for asked in api.asked if asked not in before and "grant_type=" not in asked.body]:
        # An API that was asked for what is new had nothing; a parent's rows may be there again at its boundary.
        assert len(new) <= max(len(boundary), partitions(first.run.state))
    else:
        assert any(word in json.dumps(connector.manifest) for word in CLIENT_FILTERS), "does not ask with its cursor"
        assert len(new) < len(old) or len(boundary) == len(old), "neither asks with its cursor nor leaves rows out"
        if partitions(first.run.state) <= 1:
            assert all(row in boundary for row in new)


def test_a_refusal_is_one_sentence_for_whoever_set_it_up(connector, samples):
    run = connector.run("read", connector.refusal(repeats=True), samples)
    assert run.code == 1
    of_streams = [each["error"] for each in run.errors if (each["error"].get("stream_descriptor") or {}).get("name")]
    refused = {each["stream_descriptor"]["name"] for each in of_streams}
    assert refused == set(samples)
    for error in of_streams:
        assert error["failure_type"] == "config_error", error["message"]
        assert SENTENCE.fullmatch(error["message"]), f"not one sentence: {error['message']}"
        assert len(error["message"]) <= LONGEST_SENTENCE
        # airbyte-cdk quotes the response in its internal message, which the server scrubs.
        assert not [secret for secret in connector.secrets if secret in error["message"]]
    assert not run.waited, "what is refused is asked again"


def at(row, path):
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def moment(value):
    """A cursor's value, to be compared."""
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return str(value)


def partitions(states):
    """How many cursors a state has."""
    found = [(each["stream"].get("stream_state") or {}).get("states") or [] for each in states]
    return max(map(len, found), default=0)


def credentials(asked):
    """All that requests say of who asks; what is encoded is decoded."""
    words = []
    for one in asked:
        words += [*(value for _, value in one.headers), one.body, json.dumps(one.values)]
        for _, value in one.headers:
            if value.startswith("Basic "):
                words.append(base64.b64decode(value.removeprefix("Basic ")).decode())
    return "\n".join(words)


def assert_secrets_are_kept(connector, run):
    encoded = {value.split()[-1] for one in run.asked for name, value in one.headers if name == "Authorization"}
    for secret in {*connector.secrets, *encoded}:
        found = [line.decode() for line in run.lines if secret.encode() in line]
        assert not found, f"a secret is told: {found[0][:500]}"


@pytest.fixture
def samples(connector):
    """The connector's streams that have a sample."""
    found = sorted(each for each in connector.discovered if (connector.path / "samples" / f"{each}.json").is_file())
    assert found, "there is no sample"
    return found


@pytest.fixture
def every_sample(connector, samples, script):
    """All of them together, those of the check first."""
    first = connector.manifest["check"]["stream_names"]
    ordered = sorted(samples, key=lambda name: (name not in first, name))
    return script([one for name in ordered for one in connector.exchanges(name)])

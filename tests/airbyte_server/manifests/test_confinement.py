"""Hostile manifests, run as a job runs them: in a forked child."""

import json
from dataclasses import replace

import pytest
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.starting import ConnectorCall
from airbyte_server.errors import RefusedError

from tests.airbyte_server.manifests.forking import forker


@pytest.fixture
def program(manifest):
    return ConnectorProgram(source_type="shop", version="1", manifest=manifest)


@pytest.fixture(scope="module")
def forking():
    with forker() as started:
        yield started


@pytest.fixture
def run(forking):
    """Runs a command of a program: its messages, and what it wrote on stderr."""

    def run(program, command, configuration, streams=(), **surroundings):
        catalog = {
            "streams": [
                {
                    "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                    "sync_mode": "full_refresh",
                    "destination_sync_mode": "overwrite",
                }
                for name in streams
            ]
        }
        call = ConnectorCall(program=program, command=command, configuration=configuration, configured_catalog=catalog)
        out, err = forking.run(call, **surroundings)
        return [json.loads(line) for line in out.splitlines()], err.decode()

    return run


def errors(messages):
    found = [each["trace"]["error"]["message"] for each in messages if each.get("trace", {}).get("type") == "ERROR"]
    return " ".join(found)


def schemas(messages):
    (catalog,) = [each["catalog"] for each in messages if each["type"] == "CATALOG"]
    return {stream["name"]: stream["json_schema"] for stream in catalog["streams"]}


def records(messages):
    return [each["record"]["data"] for each in messages if each["type"] == "RECORD"]


def note(manifest, field, value):
    """Let customers' records have what an expression gives in the connector's process; the Python that does it."""
    manifest["definitions"]["customers"]["transformations"] = [
        {"type": "CustomTransformation", "class_name": "source_declarative_manifest.components.Look"}
    ]
    return f"""
import os
from dataclasses import dataclass
from airbyte_cdk.sources.declarative.transformations import RecordTransformation

@dataclass
class Look(RecordTransformation):
    def transform(self, record, config=None, stream_state=None, stream_slice=None):
        record[{field!r}] = {value}
"""


def way_to(path):
    """From an installed package to any file, as pkgutil takes it."""
    return f"airbyte_cdk/{'../' * 20}{str(path).lstrip('/')}"


def test_no_schema_is_read_from_a_file(run, program, manifest, configuration, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"type": "object", "properties": {"stolen": {"type": "string"}}}))
    manifest["streams"][0]["schema_loader"] = {"type": "JsonFileSchemaLoader", "file_path": way_to(secret)}
    messages, _ = run(program, "discover", configuration)
    assert "stolen" not in str(messages)
    assert "reads no schema from a file here" in errors(messages)


def test_the_name_of_a_stream_leads_to_no_file(run, program, manifest, configuration, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"type": "object", "properties": {"stolen": {"type": "string"}}}))
    del manifest["streams"][0]["schema_loader"]
    manifest["streams"][0]["name"] = way_to(secret.with_suffix(""))
    messages, _ = run(program, "discover", configuration)
    assert schemas(messages)[manifest["streams"][0]["name"]] == {}


def test_the_schema_of_a_record_leads_to_no_file(run, program, manifest, configuration, tmp_path, api):
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"type": "integer"}))
    stream = manifest["definitions"]["customers"]
    stream["retriever"]["record_selector"]["schema_normalization"] = "Default"
    stream["schema_loader"]["schema"]["properties"]["name"] = {"allOf": [{"type": "string"}]}
    # A manifest's own references are resolved before; a template of streams can still bring one.
    manifest["dynamic_streams"] = [
        {
            "type": "DynamicDeclarativeStream",
            "name": "made",
            "stream_template": {**stream, "name": "made"},
            "components_resolver": {
                "type": "HttpComponentsResolver",
                "retriever": manifest["streams"][0]["retriever"],
                "components_mapping": [
                    {
                        "type": "ComponentMappingDefinition",
                        "field_path": ["schema_loader", "schema", "properties", "name"],
                        "value": f"{{{{ {{'$ref': '{secret.as_uri()}'}} }}}}",
                    }
                ],
            },
        }
    ]
    api.orders = api.orders[:1]
    messages, complaints = run(program, "read", configuration, ["made"])
    assert "integer" not in str(messages) + complaints


@pytest.mark.parametrize(
    "attempt",
    [
        "{{ config.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ config | attr('__class__') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ now_utc.__globals__['__builtins__'] }}",
        "{{ '{0.__class__.__init__}'.format(config) }}",
        "{% import 'os' as os %}{{ os.environ }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_templates_do_not_reach_python(run, program, manifest, configuration, api, attempt):
    manifest["definitions"]["customers"]["transformations"] = [
        {"type": "AddFields", "fields": [{"path": ["reached"], "value": attempt}]}
    ]
    messages, _ = run(program, "read", configuration, ["customers"])
    reached = {str(record.get("reached")) for record in records(messages)}
    assert reached <= {"", "None", attempt}
    assert len(records(messages)) == 3 or errors(messages)


def test_python_that_only_a_template_brings_does_not_run(run, program, manifest, configuration, tmp_path, api):
    marker = tmp_path / "ran"
    manifest["dynamic_streams"] = [
        {
            "type": "DynamicDeclarativeStream",
            "name": "made",
            "stream_template": {
                **manifest["definitions"]["customers"],
                "name": "made",
                "transformations": [{"type": "RemoveFields", "field_pointers": [["x"]]}],
            },
            "components_resolver": {
                "type": "HttpComponentsResolver",
                "retriever": manifest["streams"][0]["retriever"],
                "components_mapping": [
                    {
                        "type": "ComponentMappingDefinition",
                        "field_path": ["transformations"],
                        "value": "{{ [{'type': 'Custom' ~ 'Transformation', 'class_name': 'os.sys' ~ 'tem', "
                        f"'command': 'touch {marker}'}}] }}}}",
                    }
                ],
            },
        }
    ]
    api.orders = api.orders[:1]
    messages, _ = run(program, "discover", configuration)
    assert "is a Python component" in errors(messages) or "not permitted" in errors(messages)
    assert not marker.exists()


def test_the_environment_that_allows_code_elsewhere_allows_none_here(run, program, manifest, configuration):
    manifest["streams"][0]["transformations"] = [{"type": "CustomTransformation", "class_name": "os.system"}]
    messages, _ = run(program, "discover", configuration, environment={"AIRBYTE_ENABLE_UNSAFE_CODE": "true"})
    assert "is a Python component" in errors(messages)


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_a_stored_configuration_that_brings_a_manifest_does_not_run(run, program, configuration, command):
    hostile = {**configuration, "__injected_declarative_manifest": program.manifest}
    messages, complaints = run(program, command, hostile)
    assert "cannot bring code or a manifest" in errors(messages) + complaints


def test_a_program_of_its_own_gets_no_code_either(run, tmp_path):
    program = ConnectorProgram(source_type="x", version="1", executable="/bin/true", scratch=str(tmp_path))
    with pytest.raises(RefusedError, match="cannot bring code or a manifest"):
        run(program, "check", {"__injected_components_py": "import os"})


def test_components_beside_the_manifest_run_where_they_are_allowed(run, program, manifest, configuration, api):
    manifest["definitions"]["customers"]["transformations"] = [
        {"type": "CustomTransformation", "class_name": "source_declarative_manifest.components.Shout"}
    ]
    components = """
from dataclasses import dataclass
from airbyte_cdk.sources.declarative.transformations import RecordTransformation

@dataclass
class Shout(RecordTransformation):
    def transform(self, record, config=None, stream_state=None, stream_slice=None):
        record["name"] = record["name"].upper()
"""
    allowed = replace(program, components=components, allows_python=True)
    messages, _ = run(allowed, "read", configuration, ["customers"])
    assert [record["name"] for record in records(messages)] == ["CUSTOMER 0", "CUSTOMER 1", "CUSTOMER 2"]
    messages, _ = run(replace(allowed, allows_python=False), "read", configuration, ["customers"])
    assert records(messages) == []
    assert "is a Python component" in errors(messages)


def test_a_connector_has_no_descriptor_of_whoever_started_it(run, program, manifest, configuration, tmp_path):
    link = "f'/proc/self/fd/{fd}'"
    opened = f"[os.readlink({link}) for fd in os.listdir('/proc/self/fd') if os.path.exists({link})]"
    components = note(manifest, "open", opened)
    allowed = replace(program, components=components, allows_python=True)
    messages, _ = run(allowed, "read", configuration, ["customers"], opened=[tmp_path / "private"])
    assert records(messages)
    assert "private" not in str(records(messages))


def test_a_connector_has_no_variable_that_configurations_may_name(run, program, manifest, configuration):
    components = note(manifest, "environment", "list(os.environ)")
    surroundings = {
        "AIRBYTE_SERVER_SECRET_VARIABLE_PREFIX": "SHOP_",
        "SHOP_KEY": "sk_live",
        "AIRBYTE_SECRET_KEY": "sk_live",
        "OTHER": "x",
    }
    allowed = replace(program, components=components, allows_python=True)
    messages, _ = run(allowed, "read", configuration, ["customers"], environment=surroundings)
    (names,) = {tuple(record["environment"]) for record in records(messages)}
    assert "OTHER" in names
    assert not {name for name in surroundings if name != "OTHER"} & set(names)


def test_the_pages_of_a_parent_stream_stay_in_the_runs_own_folder(run, program, manifest, configuration, tmp_path):
    manifest["definitions"]["customers"]["name"] = "../../../customers"
    messages, _ = run(replace(program, scratch=str(tmp_path / "runs")), "read", configuration, ["notes"])
    assert len(records(messages)) == 6, errors(messages)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    (cache,) = [path for path in files if path.suffix == ".sqlite"]
    assert cache.parent.parent == tmp_path / "runs"

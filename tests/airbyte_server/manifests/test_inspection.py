import pytest
from airbyte_server.connectors.components import python_components, refuse_injection
from airbyte_server.connectors.inspection import inspected
from airbyte_server.errors import RefusedError

CUSTOM = {"type": "CustomTransformation", "class_name": "os.system"}


def test_a_manifest_that_can_run_gives_its_specification(manifest):
    assert inspected(manifest, allows_python=False)["required"] == ["base_url", "access"]


def change(manifest, path, value):
    *names, last = path
    for name in names:
        manifest = manifest[name]
    if value is None:
        del manifest[last]
    else:
        manifest[last] = value


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["check"], None, r"^manifest is not as airbyte-cdk has it: 'check' is a required property"),
        (["definitions", "requester", "url_base"], 7, r"^manifest\.streams\.\d\.retriever\.requester\.url_base"),
        (["streams", 0, "retriever", "record_selector"], {}, r"record_selector is not as.*'extractor' is a required"),
        (["streams", 0, "retriever", "paginator"], "#/definitions/pages", r"Reference #/definitions/pages .* nowhere"),
        (["definitions", "loop"], {"a": {"$ref": "#/definitions/loop"}}, "leads back to itself"),
        (["definitions", "other"], "#/definitions/other", "leads back to itself"),
        (["spec", "connection_specification", "properties", "base_url"], {"type": "words"}, "is no JSON schema"),
        (["streams", 0, "type"], "Stream", r"^manifest\.streams\.0"),
    ],
    ids=["no check", "number", "no extractor", "nowhere", "loop", "itself", "no schema", "no stream"],
)
def test_what_is_wrong_is_said_with_its_place(manifest, path, value, sentence):
    change(manifest, path, value)
    with pytest.raises(RefusedError, match=sentence):
        inspected(manifest, allows_python=False)


def test_a_few_references_that_stand_for_billions_are_refused_before_they_are_resolved(manifest):
    manifest["definitions"] |= {f"level_{n}": [f"#/definitions/level_{n + 1}"] * 10 for n in range(30)}
    manifest["definitions"]["level_30"] = "end"
    with pytest.raises(RefusedError, match="more than 1,000,000 values"):
        inspected(manifest, allows_python=False)


def test_aliases_that_stand_for_billions_are_refused(manifest):
    node = ["end"]
    for _ in range(40):
        node = [node, node]
    manifest["definitions"]["bomb"] = node
    with pytest.raises(RefusedError, match="more than 1,000,000 values"):
        inspected(manifest, allows_python=False)


def test_a_manifest_that_is_too_deep_is_refused(manifest):
    node = {}
    for _ in range(5000):
        node = {"below": node}
    manifest["definitions"]["deep"] = node
    with pytest.raises(RefusedError, match="more than 100 levels deep"):
        inspected(manifest, allows_python=False)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["streams", 0, "transformations"], [CUSTOM]),
        (["streams", 0, "transformations"], [{"class_name": "os.system"}]),
        (["streams", 0, "transformations"], [{"$ref": "#/definitions/mine"}]),
        (["streams", 0, "$parameters"], {"class_name": "os.system"}),
        (["definitions", "requester", "authenticator"], {"type": "CustomAuthenticator", "class_name": "os.system"}),
        (["definitions", "customers", "retriever"], {"type": "CustomRetriever", "class_name": "a.B"}),
        (["spec", "config_normalization_rules"], {"validations": [{"type": "CustomValidationStrategy"}]}),
        (["dynamic_streams"], [{"stream_template": {"schema_loader": {"type": "CustomSchemaLoader"}}}]),
    ],
    ids=["type", "class name", "reference", "parameters", "authenticator", "retriever", "spec", "dynamic"],
)
def test_python_in_a_manifest_is_refused_wherever_it_stands(manifest, path, value):
    manifest["definitions"]["mine"] = CUSTOM
    change(manifest, path, value)
    with pytest.raises(RefusedError, match=r"^manifest\..* is a Python component, and this server runs none"):
        inspected(manifest, allows_python=False)


def test_a_record_may_have_a_field_of_that_name(manifest):
    manifest["streams"][0]["schema_loader"]["schema"]["properties"]["class_name"] = {"type": "string"}
    assert inspected(manifest, allows_python=False)
    assert list(python_components(manifest)) == []


def test_python_passes_where_it_is_allowed(manifest):
    manifest["streams"][0]["transformations"] = [CUSTOM]
    assert inspected(manifest, allows_python=True)


@pytest.mark.parametrize(
    "configuration",
    [
        {"__injected_components_py": "import os"},
        {"__injected_declarative_manifest": {}},
        {"credentials": [{"__injected_components_py_checksums": {}}]},
    ],
    ids=["code", "manifest", "below"],
)
def test_a_configuration_brings_no_code(configuration):
    with pytest.raises(RefusedError, match="cannot bring code or a manifest"):
        refuse_injection({"path": "x", **configuration})

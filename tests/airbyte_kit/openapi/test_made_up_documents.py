"""Documents that nobody wrote: whatever they say, the draft is whole or refused in a sentence."""

import json
from typing import Any

import pytest
import yaml
from airbyte_kit.errors import KitError
from airbyte_kit.openapi.document import Document
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.readme import readme
from airbyte_kit.openapi.schemas import stream_schema
from airbyte_kit.openapi.shapes import Shapes
from airbyte_kit.openapi.stand_in import serving
from airbyte_kit.openapi.stand_in_records import Library
from airbyte_kit.openapi.trimming import trimmed
from airbyte_kit.openapi.writing import written
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.airbyte_kit.openapi.documents import content

COMPONENTS = ("A", "B", "C")
ODD = ["{{ 1 }}", "{%x%}", "$ref", "$parameters", "#/x", "a.b", "é", "a b", "", "type", "__class__", "*", "a'b", 'a"b']
FIELDS = [
    "id",
    "name",
    "updated_at",
    "created",
    "key",
    "project_id",
    "items",
    "data",
    "next",
    "next_cursor",
    "has_more",
]
SEGMENTS = ["tasks", "projects", "v1", "tasks.json", "..", "{id}", "{project_id}", "{a}-{b}", "{}", "a b", "{{x}}", "é"]
PARAMETERS = [
    "page",
    "limit",
    "offset",
    "cursor",
    "since",
    "updated_at[gte]",
    "starting_after",
    "q",
    "filter",
    "per_page",
]
references = st.sampled_from(COMPONENTS).map(lambda name: {"$ref": f"#/components/schemas/{name}"})
names = st.sampled_from(FIELDS + ODD)
kinds = st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])
scalars = st.fixed_dictionaries(
    {"type": st.one_of(kinds, st.lists(st.one_of(kinds, st.just("null")), min_size=1, max_size=3))},
    optional={
        "format": st.sampled_from(["date-time", "date", "uuid", "uri", "unix-time", "odd"]),
        "enum": st.lists(st.one_of(st.text(max_size=3), st.integers(), st.none()), max_size=3),
        "nullable": st.booleans(),
        "minimum": st.integers(-5, 5),
        "maximum": st.integers(5, 200),
        "maxLength": st.integers(0, 40),
        "default": st.one_of(st.integers(), st.text(max_size=3)),
    },
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(names, inner, max_size=5)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries(
            {"properties": fields},
            optional={"type": st.just("object"), "required": st.lists(names, max_size=3), "nullable": st.booleans()},
        ),
        *(st.fixed_dictionaries({word: st.lists(inner, max_size=3)}) for word in ("allOf", "oneOf", "anyOf")),
        st.tuples(inner, references).map(lambda both: {**both[0], **both[1]} if isinstance(both[0], dict) else both[1]),
    )


schemas = st.recursive(st.one_of(scalars, references, st.just({}), st.just(True)), _larger, max_leaves=12)
records = st.dictionaries(names, schemas, max_size=5).map(
    lambda fields: {"type": "object", "properties": {"id": {"type": "integer"}, **fields}}
)
lists = st.one_of(records, schemas).map(lambda item: {"type": "array", "items": item})
answers = st.one_of(
    lists,
    st.tuples(names, lists, st.dictionaries(names, schemas, max_size=3)).map(
        lambda parts: {"type": "object", "properties": {**parts[2], parts[0]: parts[1]}}
    ),
    schemas,
)
parameters = st.fixed_dictionaries(
    {"name": st.sampled_from(PARAMETERS + ODD), "in": st.sampled_from(["query", "path", "header", "odd"])},
    optional={"schema": schemas, "required": st.booleans(), "description": st.text(max_size=5)},
)
operations = st.builds(
    lambda answer, given, headers: {
        "get": {
            "parameters": given,
            "responses": {"200": {"content": {"application/json": {"schema": answer}}, "headers": headers}},
        }
    },
    answers,
    st.lists(parameters, max_size=4),
    st.sampled_from([{}, {"Link": {}}]),
)
paths = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
documents = st.builds(
    lambda paths, version, components: content(paths, version, components={"schemas": components}),
    st.dictionaries(paths, operations, min_size=1, max_size=5),
    st.sampled_from(["3.0.3", "3.1.0"]),
    st.fixed_dictionaries(dict.fromkeys(COMPONENTS, schemas)),
)
# Documents this large take minutes to make smaller.
QUICK = (Phase.explicit, Phase.generate)
# The same documents each time: what a search finds belongs into a test of its own.
patient = settings(deadline=None, derandomize=True, phases=QUICK, suppress_health_check=list(HealthCheck))


def _drafted(made: dict[str, Any]) -> Any:
    try:
        return draft(Document.of(made))
    except KitError as error:
        assert "\n" not in str(error)
        return None


@settings(patient, max_examples=50)
@given(documents)
def test_a_draft_is_whole_or_refused(made):
    found = _drafted(made)
    if found is None:
        return
    assert yaml.safe_load(written(found.manifest)) == found.manifest
    assert "{{ 1 }}" not in json.dumps({**found.manifest, "schemas": {}})
    for schema in found.manifest["schemas"].values():
        Draft202012Validator.check_schema(schema)
        assert all("null" in each["type"] for each in schema.get("properties", {}).values())
    cut = trimmed(found.document, {each.path for each in found.streams})
    assert draft(Document.of(cut)).manifest == found.manifest
    assert readme(found, "source-x")


@settings(patient, max_examples=50)
@given(documents)
def test_what_a_stand_in_has_is_what_the_draft_says(made):
    shapes = Shapes(Document.of(made))
    library = Library(shapes)
    for listing in library.listings:
        validator = Draft202012Validator(stream_schema(shapes, listing.item))
        for record in [record for shelf in library.whole(listing)[:3] for record in shelf.records]:
            validator.validate(json.loads(json.dumps(record)))


@pytest.mark.slow
@settings(patient, max_examples=12)
@given(documents.filter(lambda made: _drafted(made) is not None))
def test_every_page_of_a_made_up_api_is_read(drafted, made):
    document = Document.of(made)
    found = drafted(document)
    with serving(document, found.connector.manifest) as stand_in:
        run = found.read(stand_in)
        assert run.code == 0, run.told()
        assert stand_in.unread() == []

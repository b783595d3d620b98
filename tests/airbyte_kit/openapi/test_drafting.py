"""What a draft makes of a document."""

import pytest
from airbyte_kit.errors import KitError
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.readme import guesses, readme
from airbyte_kit.openapi.schemas import stream_schema
from airbyte_kit.openapi.shapes import Shapes

from tests.airbyte_kit.openapi.documents import TASK, array, document, envelope, listing, query

TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
PLACES = {
    "array": (array(), []),
    "data": (envelope(), ["data"]),
    "of-the-path": ({"properties": {"tasks": array(), "included": array()}}, ["tasks"]),
    "in-an-envelope": ({"properties": {"data": {"properties": {"items": array()}}}}, ["data", "items"]),
    "embedded": ({"properties": {"_embedded": {"properties": {"tasks": array()}}}}, ["_embedded", "tasks"]),
    "nullable": ({"anyOf": [envelope(), {"type": "null"}]}, ["data"]),
    "all-of": ({"allOf": [{"properties": {"total": {"type": "integer"}}}, envelope()]}, ["data"]),
}


@pytest.mark.parametrize(("answer", "place"), PLACES.values(), ids=PLACES)
def test_the_records_are_found(answer, place):
    (stream,) = draft(document({"/tasks": listing(answer)})).streams
    assert stream.component["retriever"]["record_selector"]["extractor"]["field_path"] == place


NO_LISTS = {
    "one-record": {"/tasks/{id}": listing(envelope())},
    "texts": {"/tasks": listing(array(TEXT))},
    "object": {"/profile": listing({"properties": {"a": TEXT, "b": TEXT, "addresses": array()}})},
    "post": {"/tasks": {"post": listing(array())["get"]}},
    "no-json": {"/tasks": {"get": {"responses": {"200": {"content": {"text/csv": {"schema": array()}}}}}}},
}


@pytest.mark.parametrize("paths", NO_LISTS.values(), ids=NO_LISTS)
def test_what_is_no_list_is_no_stream(paths):
    with pytest.raises(KitError, match="no GET that answers with a list of objects"):
        draft(document(paths))


def test_schemas_are_whole_nullable_and_bounded():
    parts = {
        "Node": {"type": "object", "properties": {"id": TEXT, "up": {"$ref": "#/components/schemas/Node"}}},
        "Named": {"type": "object", "properties": {"name": {"type": "string", "nullable": True}}},
        "Card": {"type": "object", "properties": {"kind": {"enum": ["card"]}, "last4": TEXT}},
        "Bank": {
            "type": "object",
            "properties": {"kind": {"enum": ["bank"]}, "iban": TEXT, "secret": {"writeOnly": True}},
        },
    }
    item = {
        "allOf": [{"$ref": "#/components/schemas/Node"}, {"$ref": "#/components/schemas/Named"}],
        "properties": {
            "method": {"oneOf": [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Bank"}]},
            "amount": {"type": ["integer", "null"]},
            "at": MOMENT,
            "either": {"anyOf": [TEXT, {"type": "integer"}, {"type": "null"}]},
            "tags": {"type": "array", "items": TEXT},
            "free": {},
        },
    }
    schema = stream_schema(Shapes(document({"/a": {}}, "3.1.0", components={"schemas": parts})), item)
    fields = schema["properties"]
    assert schema["type"] == "object" and schema["additionalProperties"] is True
    assert list(fields) == ["method", "amount", "at", "either", "tags", "free", "id", "up", "name"]
    assert fields["name"] == {"type": ["null", "string"]} and fields["amount"] == {"type": ["null", "integer"]}
    assert fields["at"] == {"type": ["null", "string"], "format": "date-time"}
    assert fields["either"] == {"type": ["null", "string", "integer"]}
    assert fields["tags"] == {"type": ["null", "array"], "items": {"type": ["null", "string"]}}
    assert set(fields["method"]["properties"]) == {"kind", "last4", "iban"}
    assert fields["free"]["type"] == ["null", "string", "number", "boolean", "array", "object"]
    # A node in a node: the third level is open.
    assert fields["up"]["properties"]["up"]["properties"]["up"] == {
        "type": ["null", "object"],
        "additionalProperties": True,
    }


def test_a_schema_of_too_many_fields_keeps_the_upper_levels():
    wide = {"type": "object", "properties": {f"f{number}": TEXT for number in range(300)}}
    item = {"type": "object", "properties": {f"g{number}": wide for number in range(10)}}
    fields = stream_schema(Shapes(document({"/a": {}})), item)["properties"]
    assert len(fields) == 10 and all("properties" not in each for each in fields.values())


KEYS = {
    "id": ({"id": TEXT, "task_id": TEXT}, {}, "id"),
    "by-its-path": ({"number": {"type": "integer"}, "slug": TEXT}, {"/tasks/{slug}": {"get": {}}}, "slug"),
    "without-the-noun": ({"name": TEXT}, {"/tasks/{task_name}": {"get": {}}}, "name"),
    "of-the-noun": ({"task_id": TEXT, "project_id": TEXT}, {}, "task_id"),
    "another-s": ({"project_id": TEXT, "text": TEXT}, {}, None),
    "no-scalar": ({"id": {"type": "object"}}, {}, None),
}


@pytest.mark.parametrize(("fields", "more", "key"), KEYS.values(), ids=KEYS)
def test_the_key_is_what_names_a_record(fields, more, key):
    made = draft(document({"/tasks": listing(array({"type": "object", "properties": fields})), **more}))
    assert made.streams[0].key == ([key] if key else [])
    assert ("no field looks like a key" in " ".join(guesses(made))) == (key is None)


FILTERS = {
    "gte": (query("updated_at[gte]", MOMENT), ("updated_at", "%Y-%m-%dT%H:%M:%SZ")),
    "deep-object": (
        query("created", {"type": "object", "properties": {"gte": {"type": "integer"}}}),
        ("created", "%s"),
    ),
    "since": (query("since", TEXT), ("updated_at", "%Y-%m-%dT%H:%M:%SZ")),
    "updated-after": (query("updatedAfter", MOMENT), ("updated_at", "%Y-%m-%dT%H:%M:%SZ")),
    "from-a-date": (query("modified_from", {"type": "string", "format": "date"}), ("updated_at", "%Y-%m-%d")),
    "record-id": (query("since", {"type": "integer"}), None),
    "cursor": (query("after", TEXT), None),
    "upper": (query("updated_before", MOMENT), None),
    "other-field": (query("due_date_gte", MOMENT), None),
}


@pytest.mark.parametrize(("parameter", "expected"), FILTERS.values(), ids=FILTERS)
def test_a_list_is_incremental_where_a_parameter_says_so(parameter, expected):
    fields = {"id": TEXT, "updated_at": MOMENT, "created": {"type": "integer"}, "due_date": MOMENT}
    item = {"type": "object", "properties": fields}
    (stream,) = draft(document({"/tasks": listing(array(item), [parameter])})).streams
    found = stream.component.get("incremental_sync")
    assert (found and (found["cursor_field"], found["datetime_format"])) == expected


def test_children_are_read_for_each_parent():
    made = document(
        {
            "/projects": listing(array()),
            "/projects/{project_id}/tasks": listing(array()),
            "/projects/{project_id}/tasks/{id}/comments": listing(array()),
            "/teams/{team}/members": listing(array()),
            "/teams/{team}/members/{member_id}/badges": listing(array()),
            "/search": listing(array(), [query("q", TEXT, required=True)]),
            "/stats": listing(array(), [query("unit", {"enum": ["day", "week"]}, required=True)]),
        }
    )
    found = draft(made)
    streams = {each.name: each for each in found.streams}
    assert list(streams) == ["projects", "stats", "tasks", "comments"]
    assert streams["comments"].key == ["project_id", "task_id", "id"]
    requester = streams["comments"].component["retriever"]["requester"]
    assert requester["path"] == (
        "/projects/{{ stream_partition['parent_slice']['project_id'] | urlencode }}"
        "/tasks/{{ stream_partition['task_id'] | urlencode }}/comments"
    )
    assert streams["stats"].component["retriever"]["requester"]["request_parameters"] == {"unit": "day"}
    assert dict(found.choices.left_out) == {
        "/teams/{team}/members": "needs team, which no list gives",
        "/teams/{team}/members/{member_id}/badges": "its parent /teams/{team}/members is left out",
        "/search": "needs q",
    }


def test_a_list_that_is_named_brings_its_parent_and_asks_for_the_rest():
    made = document(
        {
            "/teams/{team}/members": listing(array()),
            "/teams/{access_token}/members/{member_id}/badges": listing(array(), operationId="listBadges"),
            "/other": listing(array()),
        }
    )
    found = draft(made, ["listBadges"])
    assert [each.name for each in found.streams] == ["members", "badges"]
    specification = found.manifest["spec"]["connection_specification"]
    assert specification["required"] == ["team"]
    assert [each.name for each in draft(made, ["/other", "badges"]).streams] == ["members", "other", "badges"]
    with pytest.raises(KitError, match="No list is called memberz; there are members"):
        draft(made, ["memberz"])


def test_a_path_never_takes_a_secret_of_the_configuration():
    made = document({"/teams/{access_token}/members/{api_key}/badges": listing(array())})
    found = draft(made, ["badges"])
    assert found.manifest["spec"]["connection_specification"]["required"] == [
        "access_token_parameter",
        "api_key_parameter",
    ]


def test_streams_of_one_word_are_told_apart():
    made = document({"/tasks": listing(array()), "/archive/tasks": listing(array()), "/v2/tasks": listing(array())})
    assert [each.name for each in draft(made).streams] == ["tasks", "archive_tasks", "v2_tasks"]


def test_servers_and_their_variables_are_configuration():
    server = {
        "url": "https://{region}.example.com/{base_url}",
        "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "base_url": {"default": "v2"}},
    }
    made = draft(document({"/tasks": listing(array())}, servers=[{"url": "http://old.example.com"}, server]))
    fields = made.manifest["spec"]["connection_specification"]["properties"]
    assert made.manifest["definitions"]["requester"]["url_base"] == (
        "{{ (config.get('base_url') or ('https://' ~ (config.get('region') or 'eu') ~ '.example.com/' ~ "
        "(config.get('base_url_parameter') or 'v2'))).rstrip('/') }}"
    )
    assert fields["region"]["enum"] == ["eu", "us"] and made.server.path == "/v2"
    without = draft(document({"/tasks": listing(array())}, servers=[{"url": "/v3"}]))
    assert "base_url" in without.manifest["spec"]["connection_specification"]["required"]
    assert without.server.path == "/v3" and "names no host" in guesses(without)[0]


def test_guesses_are_told_and_certain_things_are_not():
    paged = [query("page", {"type": "integer", "default": 1}), query("per_page", {"type": "integer", "maximum": 50})]
    certain = draft(document({"/tasks": listing(array(TASK), paged)}))
    assert guesses(certain) == ["The document names no credentials that can be used, so requests are sent without any."]
    guessed = draft(document({"/tasks": listing(array(), [query("page"), query("limit")])}))
    assert [each.split(": ")[0] for each in guesses(guessed)][1:] == ["tasks", "tasks"]
    assert "is taken to begin with 1" in readme(guessed, "source-task")


def test_a_list_that_cannot_be_drafted_is_left_out_with_the_reason():
    paths = {
        "/tasks": listing(array()),
        "/elsewhere": listing(array({"$ref": "other.yaml#/Task"})),
        "/missing": {"$ref": "#/paths/~1none"},
        "/unnamed": listing(array({"type": "object", "additionalProperties": TEXT})),
        "/two": listing({"properties": {"users": array(), "groups": array()}}),
        "/keyed": listing({"type": "object", "additionalProperties": TASK}),
    }
    found = draft(document(paths))
    assert [each.name for each in found.streams] == ["tasks"]
    reasons = dict(found.choices.left_out)
    assert "outside of it" in reasons["/elsewhere"] and "does not have" in reasons["/missing"]
    assert reasons["/unnamed"] == "the document names no field of its records"
    assert reasons["/two"] == "its answer holds several lists (users, groups)"
    assert reasons["/keyed"] == "it answers with records by name, which is no list"
    with pytest.raises(KitError, match=r"/two of tasks.yaml cannot be drafted: its answer holds several lists"):
        draft(document(paths), ["tasks", "two"])

"""The stand-in answers as the document says, the same each time, and refuses what it does not say."""

import httpx
import pytest
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.stand_in import serving

from tests.airbyte_kit.openapi.documents import array, document, envelope, listing, query

TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
TASK = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "kind": {"enum": ["bug", "idea"]},
        "updated_at": MOMENT,
        "size": {"type": "integer", "minimum": 100, "maximum": 105},
        "note": {"type": "string", "nullable": True, "maxLength": 4},
    },
}
MADE = document(
    {
        "/tasks": listing(
            envelope(TASK, total={"type": "integer"}, next_cursor=TEXT),
            [query("cursor", TEXT), query("limit", {"type": "integer", "maximum": 4}), query("updated_at[gt]", MOMENT)],
        ),
        "/tasks/{task_id}/notes": listing(array(), [query("lang", TEXT, required=True)]),
    },
    components={"securitySchemes": {"main": {"type": "apiKey", "in": "query", "name": "key"}}},
    security=[{"main": []}],
)


@pytest.fixture(scope="module")
def stand_in():
    with serving(MADE, draft(MADE, ["/tasks"]).manifest) as running:
        yield running


@pytest.fixture
def ask(stand_in):
    def get(path, **parameters):
        return httpx.get(f"{stand_in.configuration['base_url']}{path}", params={"key": "stand-in-key", **parameters})

    return get


def test_records_are_of_the_schema_and_the_same_each_time(ask):
    answer = ask("/tasks").json()
    assert answer == ask("/tasks").json()
    assert {each["kind"] for each in answer["data"]} == {"bug", "idea"}
    assert all(100 <= each["size"] <= 105 for each in answer["data"] if "size" in each)
    assert all(len(each["note"]) <= 4 for each in answer["data"] if each.get("note"))
    assert len({each["id"] for each in answer["data"]}) == 3 and answer["total"] >= 12


def test_pages_are_as_large_as_allowed_and_follow_each_other(ask):
    first = ask("/tasks", limit=50).json()
    second = ask("/tasks", limit=50, cursor=first["next_cursor"]).json()
    assert len(first["data"]) == len(second["data"]) == 4
    assert not {each["id"] for each in first["data"]} & {each["id"] for each in second["data"]}
    assert ask("/tasks", limit=4, cursor=f"next-{first['total'] - 1}").json().get("next_cursor") is None


def test_a_filter_leaves_out_what_is_older(ask):
    data = ask("/tasks", limit=4).json()["data"]
    after = ask("/tasks", limit=4, **{"updated_at[gt]": data[1]["updated_at"]}).json()["data"]
    assert after[:2] == data[2:]


REFUSALS = {
    "no-credentials": ("/tasks", {"key": ""}, 401),
    "wrong-credentials": ("/tasks", {"key": "x"}, 401),
    "no-path": ("/users", {}, 404),
    "no-parent": ("/tasks/none/notes", {"lang": "en"}, 404),
    "token": ("/tasks", {"cursor": "made-up"}, 400),
    "size": ("/tasks", {"limit": "many"}, 400),
    "moment": ("/tasks", {"updated_at[gt]": "yesterday"}, 400),
    "missing-parameter": ("/tasks/x/notes", {}, 400),
}


@pytest.mark.parametrize(("path", "parameters", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_the_document_does_not_say_is_refused(ask, path, parameters, status):
    answer = ask(path, **parameters)
    assert answer.status_code == status and answer.json()["error"]["message"]


def test_it_keeps_a_book_of_what_it_gave_out(stand_in, ask):
    stand_in.forget()
    assert stand_in.unread() == []
    total = ask("/tasks").json()["total"]
    assert stand_in.unread() == [f"GET /tasks: 3 of {total} records were given out."]
    for start in range(0, total, 3):
        ask("/tasks", cursor=f"next-{start}")
    assert stand_in.unread() == []


def test_whatever_speaks_of_pages_is_true():
    fields = {
        "last": {"type": "boolean"},
        "hasMore": {"type": "boolean"},
        "totalPages": {"type": "integer"},
        "prev_page": TEXT,
        "_links": {"type": "object", "properties": {"next": {"type": "object", "properties": {"href": TEXT}}}},
    }
    made = document({"/tasks": listing(envelope(TASK, **fields), [query("page")])})
    with serving(made, draft(made).manifest) as running:
        address = f"{running.configuration['base_url']}/tasks"
        first = httpx.get(address).json()
        assert (first["last"], first["hasMore"]) == (False, True) and "prev_page" not in first
        assert httpx.get(first["_links"]["next"]["href"]).json()["data"] != first["data"]
        final = httpx.get(address, params={"page": first["totalPages"]}).json()
        assert (final["last"], final["hasMore"]) == (True, False) and "next" not in final["_links"]


def test_no_record_is_empty():
    item = {"type": "object", "properties": {"of": {"type": "object", "properties": {"id": TEXT}, "nullable": True}}}
    made = document({"/tasks": listing(array(item))})
    with serving(made, draft(made).manifest) as running:
        assert all(httpx.get(f"{running.configuration['base_url']}/tasks").json())

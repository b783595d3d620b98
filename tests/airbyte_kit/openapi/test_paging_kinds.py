"""Every kind of paging is read to its end, and a draft that pages wrongly is found out."""

import copy

from airbyte_kit.openapi.stand_in import serving

from tests.airbyte_kit.openapi.documents import array, document, envelope, listing, query

TEXT, WHOLE, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
SIZE = query("limit", {"type": "integer", "maximum": 50})
LINK = {"Link": {"schema": TEXT}}
KINDS = {
    "page": listing(array(), [query("page"), SIZE]),
    "page_from_zero": listing(array(), [query("pageNumber", {"type": "integer", "default": 0}), SIZE]),
    "page_without_size": listing(array(), [query("page")]),
    "offset": listing(envelope(total=WHOLE), [query("offset"), SIZE]),
    "cursor": listing(envelope(next_cursor={**TEXT, "nullable": True}), [query("cursor", TEXT), SIZE]),
    "numbered_cursor": listing(envelope(paging={"properties": {"after": WHOLE}}), [query("after", WHOLE), SIZE]),
    "page_token": listing(
        envelope(meta={"properties": {"nextPageToken": TEXT, "has_more": TRUTH}}), [query("pageToken", TEXT), SIZE]
    ),
    "last_record": listing(envelope(has_more=TRUTH), [query("starting_after", TEXT), SIZE]),
    "link": listing(envelope(links={"properties": {"next": {**TEXT, "format": "uri"}}}), [query("page"), SIZE]),
    "hal_link": listing(envelope(_links={"properties": {"next": {"properties": {"href": TEXT}}}})),
    "link_header": listing(array(), [query("page"), SIZE], headers=LINK),
    "children": listing(array(), [query("page"), SIZE]),
}
PATHS = {f"/{name}" if name != "children" else "/page/{page_id}/children": each for name, each in KINDS.items()}


def test_every_page_of_every_kind_is_read(drafted):
    made = document(PATHS)
    draft = drafted(made)
    with serving(made, draft.connector.manifest) as stand_in:
        run = draft.read(stand_in)
        assert run.code == 0, run.told()
        assert stand_in.unread() == []
        assert {name: len({row["id"] for row in rows}) for name, rows in run.rows_by_stream.items()} == {
            each.listing.path.split("/")[-1]: sum(len(shelf.records) for shelf in [each, *others])
            for each, *others in map(stand_in.api.library.whole, stand_in.api.library.listings)
        }


def test_a_draft_without_paging_misses_what_the_stand_in_has(drafted):
    made = document(PATHS)
    draft = drafted(made)
    broken = copy.deepcopy(draft.connector.manifest)
    for stream in broken["definitions"]["streams"].values():
        del stream["retriever"]["paginator"]
    with serving(made, draft.connector.manifest) as stand_in:
        assert draft.read(stand_in, broken).code == 0
        assert [each.split(":")[0] for each in stand_in.unread()] == [f"GET {path}" for path in PATHS]


def test_a_draft_that_pages_wrongly_misses_what_the_stand_in_has(drafted):
    made = document(PATHS)
    draft = drafted(made)
    broken = copy.deepcopy(draft.connector.manifest)
    for paginator in broken["definitions"]["paginators"].values():
        strategy = paginator["pagination_strategy"]
        if strategy["type"] == "PageIncrement":
            strategy["start_from_page"] += 1
        elif strategy["type"] == "OffsetIncrement":
            # A page that is shorter than it was thought to be looks like the last one.
            del paginator["page_size_option"]
            strategy["page_size"] = 100
        else:
            strategy["stop_condition"] = "{{ last_page_size < 4 }}"
    with serving(made, draft.connector.manifest) as stand_in:
        assert draft.read(stand_in, broken).code == 0
        found = {each.split(":")[0].removeprefix("GET ") for each in stand_in.unread()}
    assert found == set(PATHS)

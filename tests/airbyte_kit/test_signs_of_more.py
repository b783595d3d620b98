"""How APIs say that there is another page."""

import pytest
from airbyte_kit.running.more import says_more


@pytest.mark.parametrize(
    ("body", "headers", "more"),
    [
        ({"data": [], "has_more": True}, {}, True),
        ({"data": [1], "has_more": False, "next_cursor": "x"}, {}, False),
        ({"meta": {"has_more": False, "after_cursor": "x"}, "links": {"next": "https://x"}}, {}, False),
        ({"end_of_stream": True, "next_page": "https://x"}, {}, False),
        ({"paging": {"next": {"after": "20"}}}, {}, True),
        ({"response_metadata": {"next_cursor": ""}}, {}, False),
        ({"response_metadata": {"next_cursor": "x"}}, {}, True),
        ([], {"link": '<https://x?page=2>; rel="next", <https://x?page=9>; rel="last"'}, True),
        ([], {"link": '<https://x?page=1>; rel="prev"'}, False),
        ({"next_page": None}, {}, False),
        ({"_links": {"next": {"href": None}}}, {}, False),
        ({"_links": {"next": {"href": "https://x"}}}, {}, True),
        (None, {}, False),
    ],
)
def test_a_page_says_whether_there_is_another(body, headers, more):
    assert says_more(body, headers) is more

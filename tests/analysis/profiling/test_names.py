import pytest

from analysis.profiling.names import singular, words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customer_ids", ("customer", "ids")),
        ("customerIDs", ("customer", "id")),
        ("HTMLBody", ("html", "body")),
        ("address1", ("address", "1")),
        ("Created-At", ("created", "at")),
        ("campaign.id", ("campaign", "id")),
        ("Größe", ("größe",)),
        ("", ()),
    ],
)
def test_names_fall_into_words(name, expected):
    assert words(name) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("companies", "company"), ("addresses", "address"), ("statuses", "status"), ("status", "status"),
        ("branches", "branch"), ("taxes", "tax"), ("people", "person"), ("purchases", "purchase"),
        ("business", "business"), ("analysis", "analysis"), ("orders", "order"), ("id", "id"),
    ],
)  # fmt: skip
def test_plurals_become_singular(word, expected):
    assert singular(word) == expected

"""What the UI shows in place must be short, and needs no network."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from orchestration.assets.charts import BAR_WIDTH, COLUMNS, HEIGHT, bar, column_chart

SHOWN_IN_PLACE = 1000
"""The UI hides longer Markdown behind a button."""


def drawn(chart):
    """The columns of a chart: their heights, from the only image that it has."""
    (source,) = re.findall(r"!\[[^\]]*\]\((\S+)\)", chart.value)
    kind, _, svg = source.partition(",")
    assert kind == "data:image/svg+xml"
    (path,) = ElementTree.fromstring(unquote(svg))
    return [HEIGHT - int(top) for top in re.findall(r"V(\d+)", path.attrib["d"])]


@pytest.mark.parametrize(
    ("value", "largest", "text"),
    [(0, 5, ""), (-1, 5, ""), (3, 0, ""), (5, 5, "█" * BAR_WIDTH), (9, 5, "█" * BAR_WIDTH), (1, 10**9, "▏")],
    ids=["nothing", "below nothing", "nothing to compare with", "the largest", "larger than the largest", "a trace"],
)
def test_a_bar_is_as_long_as_its_share(value, largest, text):
    assert bar(value, largest) == text


def test_bars_never_shorten_as_values_grow():
    lengths = [(text.count("█"), "▏▎▍▌▋▊▉".find(text[-1:])) for text in (bar(value, 200) for value in range(1, 201))]
    assert lengths == sorted(lengths) and len(set(lengths)) == BAR_WIDTH * 8


def test_columns_are_in_proportion_and_nought_has_none():
    assert drawn(column_chart([1, 0, 2, 4], "orders")) == [HEIGHT / 4, HEIGHT / 2, HEIGHT]


def test_the_last_days_fit_where_the_ui_shows_them():
    chart = column_chart([1000.0 + day for day in range(400)], "gross revenue in EUR by day, a year and more")
    assert len(drawn(chart)) == COLUMNS and len(chart.value) < SHOWN_IN_PLACE


def test_no_values_are_said_to_be_none():
    assert column_chart([], "orders").value == column_chart([0, -1], "orders").value == "*Nothing to draw:* orders"

import pytest

from analysis.mapping.readings import common_prefixes, readings
from analysis.mapping.similarity import likeness

CASES = [
    (("properties", "annualrevenue"), ("annualrevenue",)),
    (("fields", "status", "name"), ("status",)),
    (("owner", "login"), ("owner", "login")),
    (("email", "[]", "value"), ("email",)),
    (("dealname",), ("name",)),
    (("deal_stage",), ("stage",)),
    (("Priority__c",), ("priority",)),
]


@pytest.mark.parametrize(("path", "expected"), CASES, ids=[".".join(case[0]) for case in CASES])
def test_a_path_can_be_read_as_a_fields_name(path, expected):
    found = {reading.name: reading.factor for reading in readings(path, [("deal",)])}
    assert found[expected] >= 0.75


def test_the_innermost_name_alone_is_a_weak_reading():
    found = {reading.name: reading.factor for reading in readings(("billing", "email"))}
    assert found[("email",)] < 0.6 < found[("billing", "email")]


def test_a_prefix_that_many_columns_share_says_nothing():
    names = [f"hs_{word}" for word in ("createdate", "priority", "owner", "body", "status")]
    assert common_prefixes(names) == {"hs"}
    assert {reading.name for reading in readings(("hs_priority",), (), frozenset({"hs"}))} == {("priority",)}


@pytest.mark.parametrize(
    ("left", "right", "least", "most"),
    [
        (("annual", "revenue"), ("annualrevenue",), 1, 1),
        (("date", "created"), ("created", "date"), 0.95, 0.95),
        (("due", "date"), ("due", "on"), 0.3, 0.8),
        (("name",), ("stage",), 0, 0.3),
        ((), ("name",), 0, 0),
    ],
)
def test_likeness_is_between_nothing_and_one(left, right, least, most):
    assert least <= likeness(left, right) <= most

from airbyte_server.secrets.marks import UNTOLD, marks_of
from airbyte_server.secrets.masking import MASK, masked, secrets_in, unmasked

SPECIFICATION = {
    "type": "object",
    "properties": {
        "shop": {"type": "string"},
        "phrase": {"type": "string", "airbyte_secret": True},
        "access": {
            "oneOf": [
                {"properties": {"kind": {"const": "plain"}, "code": {"type": "string", "airbyte_secret": True}}},
                {"properties": {"kind": {"const": "pair"}, "pair": {"properties": {"code": {"type": "string"}}}}},
            ]
        },
        "hosts": {"type": "array", "items": {"properties": {"word": {"airbyte_secret": True}}}},
        "words": {"type": "array", "items": {"type": "string", "airbyte_secret": True}},
        "any": {"additionalProperties": {"airbyte_secret": True}},
        "whole": {"type": "object", "airbyte_secret": True},
    },
}
STORED = {
    "shop": "mine",
    "phrase": "open sesame",
    "access": {"kind": "plain", "code": "ab12cd", "pair": {"code": "shown"}},
    "hosts": [{"name": "one", "word": "xyzzy"}, {"name": "two", "word": "plugh"}],
    "words": ["first word", "second word"],
    "any": {"thing": "hidden thing"},
    "whole": {"a": "all of it", "b": [12345]},
    "code": "no secret here",
}


def test_what_the_specification_marks_is_masked_wherever_it_stands():
    assert masked(STORED, marks=marks_of(SPECIFICATION)) == {
        "shop": "mine",
        "phrase": MASK,
        "access": {"kind": "plain", "code": MASK, "pair": {"code": "shown"}},
        "hosts": [{"name": "one", "word": MASK}, {"name": "two", "word": MASK}],
        "words": [MASK, MASK],
        "any": {"thing": MASK},
        "whole": {"a": MASK, "b": [MASK]},
        "code": "no secret here",
    }


def test_a_mask_that_comes_back_means_the_stored_secret():
    marks = marks_of(SPECIFICATION)
    given = {**masked(STORED, marks=marks), "shop": "yours"}
    assert unmasked(given, STORED, marks=marks) == {**STORED, "shop": "yours"}


def test_marked_secrets_are_scrubbed_like_named_ones():
    found = secrets_in({"source": STORED}, marks={"source": marks_of(SPECIFICATION)})
    expected = (
        "open sesame",
        "ab12cd",
        "xyzzy",
        "plugh",
        "first word",
        "second word",
        "hidden thing",
        "all of it",
        "12345",
    )
    assert all(secret in found for secret in expected)
    assert not {"mine", "shown", "no secret here", "plain"} & set(found)


def test_names_still_count_without_a_specification():
    assert masked({"password": "x", "phrase": "y"}, marks=marks_of({})) == {"password": MASK, "phrase": "y"}


def test_a_specification_that_is_none_marks_nothing():
    for odd in ({"properties": []}, {"oneOf": {"a": 1}}, {"properties": {"a": True, "b": None}}, {"items": "x"}):
        assert marks_of(odd) == {}


def test_while_nothing_is_known_texts_are_masked_and_numbers_stay():
    stored = {"sourceType": "tiny", "pin": "4711-0815", "count": 3, "on": True, "deep": {"list": ["abcd", 5]}}
    shown = masked(stored, marks=UNTOLD)
    assert shown == {"sourceType": "tiny", "pin": MASK, "count": 3, "on": True, "deep": {"list": [MASK, 5]}}
    assert unmasked({**shown, "count": 4}, stored, marks=UNTOLD) == {**stored, "count": 4}
    assert {"4711-0815", "abcd"} <= set(secrets_in(stored, marks=UNTOLD))
    assert "tiny" not in secrets_in(stored, marks=UNTOLD)

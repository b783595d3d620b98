from datetime import UTC, datetime

import pytest

from orchestration.resources.narrowed_sources import is_known, narrowed

SINCE = datetime(2026, 5, 1, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("configuration", "fields", "begins"),
    [
        ({"start_date": "2020-01-01"}, {}, {"start_date": "2026-05-01"}),
        ({"start_date": "2020-01-01T00:00:00Z"}, {}, {"start_date": "2026-05-01T13:30:00Z"}),
        ({"start_datetime": "2020-01-01T00:00:00.000Z"}, {}, {"start_datetime": "2026-05-01T13:30:00.000Z"}),
        ({"replication_start_date": "2020-01-01 00:00:00"}, {}, {"replication_start_date": "2026-05-01 13:30:00"}),
        ({"start_date": "2026-05-02"}, {}, None),
        ({"start_date": "last summer"}, {}, None),
        ({"start_date": 1577836800}, {}, None),
        ({"starting_from": "2020-01-01"}, {}, None),
        ({}, {"start_date": {"type": "string", "format": "date"}}, {"start_date": "2026-05-01"}),
        ({}, {"start_date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}}, {"start_date": "2026-05-01"}),
        ({}, {"start_date": {"type": "string"}}, {"start_date": "2026-05-01T13:30:00Z"}),
        ({}, {"start_date": {"type": "string", "pattern": "^Q[1-4]$"}}, None),
        ({}, {"start_date": {"type": "string", "pattern": "^(?<year>"}}, None),
        ({}, {"start_date": {"type": "integer"}}, None),
    ],
)
def test_a_beginning_is_moved_later_and_written_as_it_was_or_as_the_spec_wants_it(configuration, fields, begins):
    found = narrowed({"shop": "acme", **configuration}, fields, SINCE)
    assert found == (begins and {"shop": "acme", **begins})


@pytest.mark.parametrize(
    ("configuration", "known"),
    [
        ({"shop": "acme", "pages": ["a*b", "**"]}, True),
        ({"api_key": "**********"}, False),
        ({"access": {"keys": [{"token": "******"}]}}, False),
    ],
)
def test_a_configuration_with_a_mask_is_not_known(configuration, known):
    assert is_known(configuration) is known

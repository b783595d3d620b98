"""The transforms against PostgreSQL: right where a value is of the type, null where it is not, never an error."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import jinja2
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.settings import PROJECT_ROOT

MACROS = "".join(
    (PROJECT_ROOT / "dbt_project" / "macros" / f"{name}.sql").read_text("utf-8")
    for name in ("transforms", "money", "statuses", "customers")
)
Evaluate = Callable[..., Any]


JINJA = jinja2.Environment(autoescape=False)
# Inside dbt a package's macros find each other by the package's name only.
JINJA.globals["sluice"] = SimpleNamespace()
vars(JINJA.globals["sluice"]).update(vars(JINJA.from_string(MACROS).module))


@cache
def rendered(*calls: str) -> str:
    return ", ".join(JINJA.from_string("{{ sluice." + call + " }}").render().strip() for call in calls)


@pytest.fixture(scope="module")
def evaluate(warehouse: str) -> Iterator[Evaluate]:
    """Evaluate a macro call over columns of a row; the session is far from UTC to show what depends on it."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("set timezone = 'America/New_York'")

        def run(*calls: str, **values: object) -> Any:
            text = rendered(*calls)
            columns = ", ".join(f"%({name})s::text as {name}" for name in values)
            statement = f"select {text} from (select {columns} offset 0) as row"
            row = connection.execute(statement.replace("'%", "'%%").replace("%'", "%%'"), values).fetchone()
            return row[0] if row else None

        yield run


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("12", "bigint", 12),
        ("12.0", "bigint", 12),
        ("12.5", "bigint", None),
        ("9223372036854775807", "bigint", 9223372036854775807),
        ("9223372036854775808", "bigint", None),
        ("twelve", "bigint", None),
        ("", "bigint", None),
        ("40000", "smallint", None),
        ("1.50", "numeric", Decimal("1.50")),
        ("NaN", "numeric", None),
        ("-Infinity", "numeric", None),
        ("1,5", "numeric", None),
        ("yes", "boolean", True),
        ("maybe", "boolean", None),
        ("2024-02-29", "date", date(2024, 2, 29)),
        ("2024-02-30", "date", None),
        ("2024-01-01T23:30:00-01:00", "date", date(2024, 1, 2)),
        ("today", "date", None),
        ("2024-01-01T10:00:00Z", "timestamptz", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("2024-01-01T10:00:00+02:00", "timestamptz", datetime(2024, 1, 1, 8, tzinfo=UTC)),
        ("2024-01-01 10:00:00.5", "timestamptz", datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2024-01-01 10:00 PM", "timestamptz", datetime(2024, 1, 1, 22, tzinfo=UTC)),
        ("2024-01-01", "timestamptz", datetime(2024, 1, 1, tzinfo=UTC)),
        ("Mon, 01 Jan 2024 10:00:00 +0000", "timestamptz", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("20240101T100000+0200", "timestamptz", datetime(2024, 1, 1, 8, tzinfo=UTC)),
        ("infinity", "timestamptz", None),
        ("12024-01-01", "timestamptz", None),
        ("0044-03-15 BC", "timestamptz", None),
        ("J0", "timestamptz", None),
        ("now", "timestamptz", None),
        (None, "timestamptz", None),
        (" as is ", "text", " as is "),
    ],
)
def test_a_cast_gives_the_value_or_null(evaluate: Evaluate, value: str | None, type_: str, expected: object):
    assert evaluate(f"try_cast('value', '{type_}')", value=value) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1050", "usd", "10.50"),
        ("1050", "JPY", "1050"),
        ("1050", " kwd", "1.050"),
        ("1050", "isk", "10.50"),
        ("1050", None, "10.50"),
        ("-1", "eur", "-0.01"),
        ("redacted", "eur", None),
        (None, "eur", None),
    ],
)
def test_minor_units_follow_the_currency(evaluate: Evaluate, amount: str, currency: str, expected: str | None):
    found = evaluate("minor_units_to_amount('amount', 'currency')", amount=amount, currency=currency)
    assert found == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("macro", "value", "expected"),
    [
        ("epoch_seconds_to_timestamp", "1715026235", datetime(2024, 5, 6, 20, 10, 35, tzinfo=UTC)),
        ("epoch_seconds_to_timestamp", "1715026235.123456", datetime(2024, 5, 6, 20, 10, 35, 123456, tzinfo=UTC)),
        ("epoch_milliseconds_to_timestamp", "1715026235123", datetime(2024, 5, 6, 20, 10, 35, 123000, tzinfo=UTC)),
        ("epoch_seconds_to_timestamp", "-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("epoch_seconds_to_timestamp", "1715026235123", None),
        ("epoch_seconds_to_timestamp", "soon", None),
        ("epoch_seconds_to_timestamp", "NaN", None),
        ("epoch_milliseconds_to_timestamp", "1e400", None),
        ("epoch_milliseconds_to_timestamp", None, None),
    ],
)
def test_an_epoch_is_a_time_or_null(evaluate: Evaluate, macro: str, value: str | None, expected: datetime | None):
    assert evaluate(f"{macro}('value')", value=value) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [(["a", "b"], "x"), (["a", "missing"], None), (["it's"], "quoted"), (["list", "1"], "2"), (["a"], '{"b": "x"}')],
)
def test_json_text_reads_a_path(evaluate: Evaluate, path: list[str], expected: str | None):
    document = '{"a": {"b": "x"}, "it\'s": "quoted", "list": [1, 2]}'
    assert evaluate(f"json_text('value::jsonb', {path!r})", value=document) == expected


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    | st.decimals(allow_nan=True).map(str)
    | st.integers().map(str)
    | st.datetimes().map(str)
    | st.from_regex(r"[0-9:. TZ+-]{1,25}", fullmatch=True)
)
def test_no_text_makes_a_transform_fail(evaluate: Evaluate, value: str):
    calls = [f"try_cast('value', '{type_}')" for type_ in ("bigint", "numeric", "boolean", "date", "timestamptz")]
    calls += [f"epoch_{unit}_to_timestamp('value')" for unit in ("seconds", "milliseconds")]
    calls += ["minor_units_to_amount('value', 'value')", "payment_outcome('value', '1')"]
    evaluate(*calls, value=value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.datetimes(min_value=datetime(1, 1, 4), max_value=datetime(9999, 12, 30)))
def test_a_time_without_offset_is_utc(evaluate: Evaluate, value: datetime):
    assert evaluate("try_cast('value', 'timestamptz')", value=value.isoformat()) == value.replace(tzinfo=UTC)

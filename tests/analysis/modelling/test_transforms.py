"""The catalogue against PostgreSQL: no value fails, and what comes out is what the value means."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from analysis.errors import PermanentError
from analysis.modelling.fragments import text
from analysis.modelling.transforms import RAW_TYPES, TRANSFORMS, apply, lossless_transform, value_at

MACROS = ("transforms.sql", "money.sql")
VALUES = [
    None,
    "",
    " x ",
    "ÄÖ",
    "1",
    "12.0",
    "-3.5",
    "1e400",
    "NaN",
    "Infinity",
    "now",
    "today",
    "yes",
    "off",
    "9" * 40,
]
VALUES += ["2024-02-29", "2023-02-29", "2024-02-29T12:00:00Z", "2024-02-29 12:00", "2024-02-29T23:00:00-05:00", "{}"]
TEXTS = st.one_of(
    st.sampled_from(VALUES),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
)


class Dbt:
    """What the macros use of dbt's own."""

    @staticmethod
    def string_literal(value: str) -> str:
        return f"'{value}'"

    @staticmethod
    def escape_single_quotes(value: str) -> str:
        return value.replace("'", "''")


class Package:
    """The shared package's macros, each a function from texts to SQL."""

    def __init__(self, folder) -> None:
        environment = Environment()
        source = "\n".join((folder / "macros" / name).read_text() for name in MACROS)
        self.module = environment.from_string(source, globals={"sluice": self, "dbt": Dbt}).module
        self.environment = environment

    def __getattr__(self, name: str) -> object:
        return getattr(self.module, name)

    def sql(self, fragment) -> str:
        return self.environment.from_string(fragment.template()).render(sluice=self)


@pytest.fixture(scope="module")
def package(package_folder):
    return Package(package_folder)


@pytest.fixture
def evaluate(package, database):
    """The results of a transform for values of a raw type, each also as text inside a JSON column."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("set timezone to 'America/New_York'")

        def run(name, values, sql_type="text", path=(), arguments=()):
            fragment = apply(name, *value_at("value", sql_type, path), arguments)
            rows = json.dumps([[place, value] for place, value in enumerate(values)])
            raw = "(item -> 1)" if sql_type == "jsonb" else f"(item ->> 1)::{sql_type}"
            query = f"""with given as (select (item ->> 0)::int as place, {raw} as value
                from jsonb_array_elements(%s::jsonb) as item)
                select {package.sql(fragment).replace("%", "%%")} from given order by place"""
            return [row[0] for row in connection.execute(query, [rows])]

        yield run


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXTS, min_size=1, max_size=40))
def test_no_text_makes_a_transform_fail(evaluate, values):
    for transform in TRANSFORMS.values():
        arguments = (text("'usd'"),) * transform.argument_count
        for sql_type, path in (("text", ()), ("jsonb", ())):
            if sql_type in transform.accepts:
                assert len(evaluate(transform.name, values, sql_type, path, arguments)) == len(values)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXTS, min_size=1, max_size=40))
def test_numbers_are_the_finite_decimals_of_their_text(evaluate, values):
    for value, number, whole in zip(values, evaluate("numeric", values), evaluate("integer", values), strict=True):
        assert number is None or number.is_finite()
        if value is not None and re.fullmatch(r"-?\d{1,30}(\.\d{1,20})?", value):
            assert number == Decimal(value)
            is_whole = Decimal(value) == int(Decimal(value)) and -(2**63) <= int(Decimal(value)) < 2**63
            assert whole == (int(Decimal(value)) if is_whole else None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), min_size=1, max_size=30))
def test_times_without_an_offset_are_utc_whatever_the_session_says(evaluate, moments):
    expected = [moment.replace(tzinfo=UTC) for moment in moments]
    assert evaluate("timestamp", [moment.isoformat() for moment in moments]) == expected
    assert evaluate("timestamp", [moment.isoformat() for moment in expected]) == expected
    assert evaluate("timestamp", [moment.isoformat() for moment in moments], "timestamp") == expected
    assert evaluate("date", [moment.isoformat() for moment in expected]) == [moment.date() for moment in moments]
    assert evaluate("date", [moment.isoformat() for moment in expected], "timestamptz") == [m.date() for m in moments]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seconds=st.lists(st.integers(-62135500000, 253402214399), min_size=1, max_size=30))
def test_an_epoch_is_its_moment_in_every_type(evaluate, seconds):
    expected = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second) for second in seconds]
    for sql_type in ("bigint", "numeric", "text", "jsonb"):
        assert evaluate("epoch_seconds", seconds, sql_type) == expected
        assert evaluate("epoch_milliseconds", [second * 1000 for second in seconds], sql_type) == expected


@pytest.mark.parametrize(
    ("currency", "amount"), [("usd", Decimal("12.34")), ("JPY", 1234), ("kwd", Decimal("1.234"))], ids=str
)
def test_minor_units_become_an_amount_of_their_currency(evaluate, currency, amount):
    arguments = (text(f"'{currency}'"),)
    for sql_type in ("bigint", "numeric", "text", "jsonb"):
        assert evaluate("minor_units", [1234], sql_type, arguments=arguments) == [amount]
    assert evaluate("minor_units", ["redacted", None], "text", arguments=arguments) == [None, None]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=4),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_json_text_finds_the_value_at_any_path(evaluate, path, value):
    nested: object = value
    for key in reversed(path):
        nested = {key: nested}
    assert evaluate("json_text", [nested, {}, None], "jsonb", tuple(path)) == [value, None, None]
    assert evaluate("lower_trim", [nested], "jsonb", tuple(path)) == evaluate("lower_trim", [value])


def test_plain_casts_keep_what_fits_and_drop_what_does_not(evaluate):
    assert evaluate("boolean", ["true", "no", "1", "maybe", None]) == [True, False, True, None, None]
    assert evaluate("boolean", [1, 0, 2], "bigint") == [True, False, None]
    assert evaluate("integer", [1.0, 2.5], "numeric") == [1, None]
    assert evaluate("text", [{"a": 1}, "x", None], "jsonb") == ['{"a": 1}', "x", None]
    assert evaluate("date", ["2024-02-29"], "date") == [date(2024, 2, 29)]
    assert evaluate("timestamp", ["2024-02-29"], "date") == [datetime(2024, 2, 29, tzinfo=UTC)]
    assert evaluate("lower_trim", ["  A@B.C "]) == ["a@b.c"]


@pytest.mark.parametrize("raw_type", sorted(set(RAW_TYPES.values())))
def test_every_raw_type_has_a_transform_that_keeps_it(raw_type):
    assert raw_type in TRANSFORMS[lossless_transform(raw_type)].accepts


@pytest.mark.parametrize(
    ("name", "sql_type", "arguments"),
    [
        ("drop_table", "text", ()),
        ("date", "boolean", ()),
        ("minor_units", "bigint", ()),
        ("text", "text", (text("1"),)),
    ],
    ids=["unknown", "wrong type", "missing argument", "surplus argument"],
)
def test_what_is_not_in_the_catalogue_is_an_error(name, sql_type, arguments):
    with pytest.raises(PermanentError):
        apply(name, text("value"), sql_type, arguments)


def test_every_decimal_that_python_reads_and_postgres_reads_is_the_same(evaluate):
    values = ["1e3", "1_000", " 5 ", "+7", ".5", "5.", "0x1F", "1e-7"]
    for value, number in zip(values, evaluate("numeric", values), strict=True):
        try:
            expected = Decimal(value)
        except InvalidOperation:
            continue
        assert number in (expected, None)

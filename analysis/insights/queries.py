"""The SQL behind facts: complete texts that run as they stand and answer in a column `value`."""

from collections.abc import Mapping
from datetime import date

from psycopg import sql

from analysis.insights.measures import CUSTOMERS, CustomerMeasure, Mart, Measure, Rate

# `day - back` walks from the reported day to 63 days before it, so that nine of each weekday are in sight.
_DAILY = """
with seen as (
    select {day_column} as day, {expression} as value
    from {mart}
    where {day_column} between {day} - 63 and {day}{narrowed}
    group by {day_column}
), days as (
    select {day} - back as day, coalesce(seen.value, {fill}) as value
    from generate_series(0, 63) as back
    left join seen on seen.day = {day} - back
    where {day} - back >= (select min(day) from seen where value <> 0)
)
select
    coalesce(max(value) filter (where day = {day}), {fill}) as value,
    max(value) filter (where day = {day} - 1) as day_before,
    max(value) filter (where day = {day} - 7) as same_weekday,
    case when min(day) <= {day} - 28
        then round(avg(value) filter (where day between {day} - 28 and {day} - 1), 4) end as mean_28_days,
    case when count(value) filter (where day < {day} and ({day} - day) % 7 = 0) >= 4
        then percentile_disc(0.5) within group (order by value)
            filter (where day < {day} and ({day} - day) % 7 = 0) end as usual_weekday,
    array_agg(value order by day) as series
from days"""

_WINDOW = """
with seen as (
    select {day_column} as day, {expression} as value
    from {mart}
    where {day_column} <= {day}{narrowed}
    group by {day_column}
)
select
    coalesce(sum(value) filter (where day >= {day} - 27), 0)::{type} as value,
    case when min(day) filter (where value <> 0) <= {day} - 55
        then coalesce(sum(value) filter (where day between {day} - 55 and {day} - 28), 0)::{type}
        end as previous_28_days
from seen"""

_RATE = """
select
    round(100.0 * sum({numerator}) filter (where {day_column} >= {day} - 27)
        / nullif(sum({denominator}) filter (where {day_column} >= {day} - 27), 0), 4) as value,
    case when min({day_column}) <= {day} - 55
        then round(100.0 * sum({numerator}) filter (where {day_column} between {day} - 55 and {day} - 28)
            / nullif(sum({denominator}) filter (where {day_column} between {day} - 55 and {day} - 28), 0), 4)
        end as previous_28_days
from {mart}
where {day_column} <= {day}"""

_EXTREME_DAY = """
select {day_column} as day, {expression} as value
from {mart}
where {day_column} between {day} - 27 and {day}{narrowed}
group by {day_column}
order by value {order}, day
limit 1"""

_RANKING = """
select {column} as subject, {expression} as value
from {mart}
where {day_column} between {day} - 27 and {day}
group by {column}
having {expression} > 0
order by value {order}, subject
limit {limit}"""

_TOP_COUNTRY = """
select country as subject, count(*) filter (where is_paying) as value
from {mart}
where country is not null
group by country
order by value desc, subject
limit 1"""

_CUSTOMERS = "\nselect {expression} as value, {before} as previous_28_days\nfrom {mart}"

_CONCENTRATION = """
with spent as (
    select (lifetime_value ->> {currency})::numeric as amount
    from {mart}
    where jsonb_typeof(lifetime_value -> {currency}) = 'number'
)
select round(100.0 * max(amount) / nullif(sum(amount), 0), 4) as value
from spent
where amount > 0"""

_COVERAGE = "\nselect count(*) as value, max({day_column}) as last_day\nfrom {mart}\nwhere {day_column} <= {day}"
_ROWS = "\nselect count(*) as value\nfrom {mart}"
_FRESHNESS = "\nselect {day} - max({day_column}) as value\nfrom {mart}\nwhere {day_column} <= {day}"


class Queries:
    """Queries on one schema's marts for one day; names and values are quoted, expressions are this package's own."""

    def __init__(self, schema: str, day: date) -> None:
        self._schema = schema
        self._day = sql.Literal(day)

    def daily(self, measure: Measure, subject: str | None) -> str:
        """The day, the periods to compare it with, and the series until then; one row."""
        fill = sql.SQL("0" if measure.is_additive else "null")
        return self._measured(_DAILY, measure, subject, fill=fill)

    def window(self, measure: Measure, subject: str | None) -> str:
        """The last 28 days and the 28 before; one row."""
        return self._measured(
            _WINDOW, measure, subject, type=sql.SQL("bigint" if measure.unit == "count" else "numeric")
        )

    def extreme_day(self, measure: Measure, subject: str | None, *, highest: bool) -> str:
        """The best or worst day of the last 28; a row or none."""
        return self._measured(_EXTREME_DAY, measure, subject, order=sql.SQL("desc" if highest else "asc"))

    def ranking(self, measure: Measure, column: str, *, highest: bool = True, limit: int = 1) -> str:
        """The greatest (or smallest) values of a column by a measure over 28 days; zeros are left out."""
        order = sql.SQL("desc" if highest else "asc")
        return self._measured(
            _RANKING, measure, None, column=sql.Identifier(column), order=order, limit=sql.Literal(limit)
        )

    def rate(self, rate: Rate) -> str:
        """The rate of the last 28 days and of the 28 before; one row."""
        parts = {"numerator": sql.SQL(rate.numerator), "denominator": sql.SQL(rate.denominator)}
        return self._daily_mart(_RATE, rate.mart, parts)

    def customers(self, measure: CustomerMeasure) -> str:
        """A number of the customers by the end of the day; one row."""
        after = sql.SQL("(({} + 1)::timestamp at time zone 'UTC')").format(self._day)
        parts = (sql.SQL(text or "null").format(after=after) for text in (measure.expression, measure.before))
        expression, before = parts
        return self._render(_CUSTOMERS, CUSTOMERS, {"expression": expression, "before": before})

    def top_country(self) -> str:
        """The country with the most paying customers; a row or none."""
        return self._render(_TOP_COUNTRY, CUSTOMERS, {})

    def concentration(self, currency: str) -> str:
        """Percent of the customers' lifetime value in a currency that is the greatest customer's; one row."""
        return self._render(_CONCENTRATION, CUSTOMERS, {"currency": sql.Literal(currency)})

    def coverage(self, mart: Mart) -> str:
        """How many rows a mart has until the day, and the day of the last."""
        return self._daily_mart(_COVERAGE, mart, {})

    def customer_rows(self) -> str:
        """How many rows the customers' mart has."""
        return self._render(_ROWS, CUSTOMERS, {})

    def freshness(self, mart: Mart) -> str:
        """How many days before the day a mart ends."""
        return self._daily_mart(_FRESHNESS, mart, {})

    def _measured(self, template: str, measure: Measure, subject: str | None, **parts: sql.Composable) -> str:
        narrowed: sql.Composable = sql.SQL("")
        if measure.per and subject is not None:
            narrowed = sql.SQL(" and {} = {}").format(sql.Identifier(measure.per), sql.Literal(subject))
        measured = {"expression": sql.SQL(measure.expression), "narrowed": narrowed}
        return self._daily_mart(template, measure.mart, {**measured, **parts})

    def _daily_mart(self, template: str, mart: Mart, parts: Mapping[str, sql.Composable]) -> str:
        return self._render(template, mart.name, {"day_column": sql.Identifier(mart.day_column), **parts})

    def _render(self, template: str, mart: str, parts: Mapping[str, sql.Composable]) -> str:
        table = sql.Identifier(self._schema, mart)
        return sql.SQL(template).format(mart=table, day=self._day, **parts).as_string(None).strip()

"""Facts of one day, collected from a tenant's published marts by SQL alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from analysis.insights.building import FactBuilder, named, number, slug
from analysis.insights.facts import NO_DATA, NOT_ENOUGH_HISTORY, Fact, Period, clean_name
from analysis.insights.measures import (
    CUSTOMER_MEASURES,
    DAILY_MARTS,
    DAILY_MEASURES,
    MERGED_BY_REPOSITORY,
    RATES,
    SUMMARY,
    WINDOW_MEASURES,
    Measure,
)
from analysis.insights.patterns import find_anomaly, find_trend
from analysis.insights.queries import Queries
from analysis.insights.reading import MartReader

_CURRENCIES, _REPOSITORIES = 8, 5


def collect_facts(connection: Connection, schema: str, day: date, release: int) -> tuple[Fact, ...]:
    """Every fact that the marts of a schema hold on a day; empty or short marts are facts too, never errors.

    Where the data ends before `day`, `freshness.days_behind` says by how much, and all others are about its last day.
    """
    reader = MartReader(connection, release)
    coverage = tuple(_coverage(reader, Queries(schema, day), FactBuilder(day, release)))
    last_day = reader.row(Queries(schema, day).coverage(SUMMARY))["last_day"]
    if last_day is None:
        return coverage
    return (*coverage, *_Day(reader, Queries(schema, last_day), FactBuilder(last_day, release)).facts())


def _coverage(reader: MartReader, queries: Queries, build: FactBuilder) -> Iterator[Fact]:
    """How many rows each mart has until the day, and how far behind the day the newest is."""
    for mart in DAILY_MARTS:
        query = queries.coverage(mart)
        row = reader.row(query)
        last_day = row["last_day"] or build.day
        period, note = Period(start=last_day, end=last_day), "" if row["value"] else NO_DATA
        name = f"coverage.{mart.name}"
        yield build.fact(name, f"rows of {mart.name}", "count", query, row["value"], period, note=note)
        if mart is SUMMARY:
            query, label = queries.freshness(mart), "days between the newest data and the day"
            days = reader.row(query)["value"]
            yield build.fact("freshness.days_behind", label, "days", query, days, period, note=note)
    query = queries.customer_rows()
    rows = reader.row(query)["value"]
    note = "" if rows else NO_DATA
    yield build.fact("coverage.unified_customers", "rows of unified_customers", "count", query, rows, note=note)


@dataclass(frozen=True)
class _Day:
    """The facts of a day that has data."""

    reader: MartReader
    queries: Queries
    build: FactBuilder

    def facts(self) -> Iterator[Fact]:
        currencies = self._subjects("revenue.transactions", "currency", _CURRENCIES)
        repositories = self._subjects("pull_requests.closed", "repository", _REPOSITORIES)
        subjects: dict[str | None, Sequence[str | None]] = {"currency": currencies, "repository": repositories}
        for measure in DAILY_MEASURES:
            yield from (self._daily(measure, subject) for subject in subjects.get(measure.per, [None]))
        for measure in WINDOW_MEASURES:
            yield from (self._window(measure, subject) for subject in subjects.get(measure.per, [None]))
        yield from self._rates()
        yield from self._extreme_days(currencies)
        yield from self._repositories()
        yield from self._customers()
        yield from self._concentrations(currencies)

    def _daily(self, measure: Measure, subject: str | None) -> Fact:
        query = self.queries.daily(measure, subject)
        row = self.reader.row(query)
        series = [number(value) for value in row["series"] or ()]
        compared = (
            self.build.comparison("day_before", row, 1, 1),
            self.build.comparison("same_weekday", row, 7, 7),
            self.build.comparison("mean_28_days", row, 28, 1),
            self.build.comparison("usual_weekday", row, 63, 7),
        )
        fact = self.build.of_measure(measure, subject, "", query, row, compared)
        note = fact.note or ("" if row["mean_28_days"] is not None else NOT_ENOUGH_HISTORY)
        anomaly = find_anomaly(series, is_count=measure.unit == "count")
        return fact.model_copy(update={"anomaly": anomaly, "trend": find_trend(series), "note": note})

    def _window(self, measure: Measure, subject: str | None) -> Fact:
        query = self.queries.window(measure, subject)
        row = self.reader.row(query)
        compared = (self.build.comparison("previous_28_days", row, 55, 28),)
        period = self.build.days_back(27, 0)
        return self.build.of_measure(measure, subject, ".last_28_days", query, row, compared, period)

    def _rates(self) -> Iterator[Fact]:
        for rate in RATES:
            query = self.queries.rate(rate)
            row = self.reader.row(query)
            compared = (self.build.comparison("previous_28_days", row, 55, 28),)
            period = self.build.days_back(27, 0)
            yield self.build.fact(rate.name, rate.label, "percent", query, row["value"], period, comparison=compared)

    def _extreme_days(self, currencies: Iterable[str]) -> Iterator[Fact]:
        revenue = _measure("revenue.gross_amount")
        for currency in currencies:
            for name, highest in (("highest_day", True), ("lowest_day", False)):
                query = self.queries.extreme_day(revenue, currency, highest=highest)
                for row in self.reader.rows(query):
                    period = Period(start=row["day"], end=row["day"])
                    yield self.build.of_measure(revenue, currency, f".{name}", query, row, (), period)

    def _repositories(self) -> Iterator[Fact]:
        for name, highest in (("top_repository", True), ("bottom_repository", False)):
            query = self.queries.ranking(MERGED_BY_REPOSITORY, "repository", highest=highest)
            for row in self.reader.rows(query):
                fact_id, period = f"pull_requests.merged.{name}", self.build.days_back(27, 0)
                yield self.build.ranked(fact_id, "merged pull requests of", query, row, period)

    def _customers(self) -> Iterator[Fact]:
        for measure in CUSTOMER_MEASURES:
            query = self.queries.customers(measure)
            row = self.reader.row(query)
            compared = (self.build.comparison("previous_28_days", row, 28, 28),) if measure.before else ()
            value = row["value"]
            yield self.build.fact(measure.name, measure.label, measure.unit, query, value, comparison=compared)
        query = self.queries.top_country()
        for row in self.reader.rows(query):
            yield self.build.ranked("customers.paying.top_country", "paying customers in", query, row)

    def _concentrations(self, currencies: Iterable[str]) -> Iterator[Fact]:
        for currency in currencies:
            query = self.queries.concentration(currency)
            value = self.reader.row(query)["value"]
            label = f"greatest customer's share of the lifetime value in {named(currency)}"
            fact_id = f"revenue.concentration.{slug(currency)}"
            yield self.build.fact(fact_id, label, "percent", query, value, subject=clean_name(currency))

    def _subjects(self, measure: str, column: str, limit: int) -> list[str]:
        """The currencies or repositories with the most of a measure in 28 days; others have no facts of their own."""
        query = self.queries.ranking(_measure(measure), column, limit=limit)
        return [row["subject"] for row in self.reader.rows(query)]


def _measure(name: str) -> Measure:
    return next(measure for measure in DAILY_MEASURES if measure.name == name)

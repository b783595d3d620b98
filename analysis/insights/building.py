"""Building facts from rows: ids, labels, periods and values that are safe to store and to show."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from analysis.insights.facts import (
    NO_DATA,
    NOT_ENOUGH_HISTORY,
    Comparison,
    ComparisonName,
    Fact,
    Number,
    Period,
    clean_name,
    is_currency,
)
from analysis.insights.measures import Measure
from analysis.insights.reading import Row


@dataclass(frozen=True)
class FactBuilder:
    """Builds the facts of one day and release."""

    day: date
    release: int

    def fact(
        self,
        fact_id: str,
        label: str,
        unit: str,
        query: str,
        value: Any,
        period: Period | None = None,
        subject: str | None = None,
        *,
        comparison: tuple[Comparison, ...] = (),
        note: str = "",
    ) -> Fact:
        """A fact of the builder's day unless a period is given; its note says what is missing."""
        found = number(value)
        short = bool(comparison) and all(compared.value is None for compared in comparison)
        missing = NO_DATA if found is None else NOT_ENOUGH_HISTORY if short else ""
        return Fact(
            id=fact_id,
            measure=fact_id.removesuffix(".last_28_days"),
            label=label,
            unit=unit,
            value=found,
            period=period or self.days_back(0, 0),
            subject=subject,
            comparison=comparison,
            note=note or missing,
            sql=query,
            release=self.release,
        )

    def of_measure(
        self,
        measure: Measure,
        subject: str | None,
        suffix: str,
        query: str,
        row: Row,
        comparison: tuple[Comparison, ...],
        period: Period | None = None,
    ) -> Fact:
        """A fact of a measure, of one currency or repository where it is split by them."""
        if subject is None:
            return self.fact(
                measure.name + suffix, measure.label, measure.unit, query, row["value"], period, comparison=comparison
            )
        fact_id, label = f"{measure.name}.{slug(subject)}{suffix}", f"{measure.label} in {named(subject)}"
        unit = subject if measure.unit == "money" and is_currency(subject) else measure.unit
        return self.fact(fact_id, label, unit, query, row["value"], period, clean_name(subject), comparison=comparison)

    def ranked(self, fact_id: str, label: str, query: str, row: Row, period: Period | None = None) -> Fact:
        """A fact about whoever leads a ranking."""
        subject = row["subject"]
        return self.fact(
            fact_id, f"{label} {named(subject)}", "count", query, row["value"], period, clean_name(subject)
        )

    def comparison(self, name: ComparisonName, row: Row, first: int, last: int) -> Comparison:
        """The column `name` as a comparison with the days from `first` to `last` before the day."""
        return Comparison(name=name, period=self.days_back(first, last), value=number(row[name]))

    def days_back(self, first: int, last: int) -> Period:
        """The period from `first` to `last` days before the day."""
        return Period(start=self.day - timedelta(days=first), end=self.day - timedelta(days=last))


def number(value: Any) -> Number | None:
    """A value as a fact holds it; NaN and infinity, which numeric columns may hold, are no values."""
    if value is None or (isinstance(value, Decimal) and not value.is_finite()):
        return None
    return value if isinstance(value, int) else Decimal(value)


def named(subject: str) -> str:
    """A tenant's name as labels carry it: a currency code as it is, anything else in quotes."""
    return subject if is_currency(subject) else f"“{clean_name(subject)}”"


def slug(subject: str) -> str:
    """A name as part of a fact's id; whatever it loses is made up for by a few letters of its hash."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in subject)[:40]
    return kept if kept == subject else f"{kept}-{sha256(subject.encode()).hexdigest()[:8]}"

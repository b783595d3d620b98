"""A fact: one number of a published mart, with everything needed to find it again."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from analysis.insights.patterns import Anomaly, Trend

Number = int | Decimal
ComparisonName = Literal["day_before", "same_weekday", "mean_28_days", "usual_weekday", "previous_28_days"]

# How sentences call what a fact is compared with; the checker takes these phrases out before it looks for numbers.
COMPARISON_PHRASES: Mapping[ComparisonName, str] = {
    "day_before": "the day before",
    "same_weekday": "the same weekday a week before",
    "mean_28_days": "the mean of the 28 days before",
    "usual_weekday": "the usual value of this weekday",
    "previous_28_days": "the 28 days before",
}
NOT_ENOUGH_HISTORY = "not enough history"
NO_DATA = "no data"
_DECIMALS = {"count": 0, "mean count": 1, "days": 0, "hours": 1, "percent": 1}
_WHOLE_CURRENCIES = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)


class Frozen(BaseModel):
    """A value that never changes after it was made, and takes no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(Frozen):
    """The days a number is about, both ends included."""

    start: date
    end: date


class Comparison(Frozen):
    """The same measure in another period; None where there is not enough history."""

    name: ComparisonName
    period: Period
    value: Number | None


class Fact(Frozen):
    """One number; `sql` is a query that anyone with the tenant's reader can run to see it in column `value`."""

    id: str
    measure: str
    label: str
    unit: str
    """count, days, hours, percent, money (currency unknown) or an upper-case currency code."""
    value: Number | None
    period: Period
    subject: str | None = None
    """Whose number it is, where a measure is split: a currency, repository or country."""
    comparison: tuple[Comparison, ...] = ()
    anomaly: Anomaly | None = None
    trend: Trend | None = None
    note: str = ""
    sql: str
    release: int

    def compared(self, name: ComparisonName) -> Comparison | None:
        """The comparison of that name, if it has a value."""
        return next((found for found in self.comparison if found.name == name and found.value is not None), None)

    def change(self, name: ComparisonName) -> Decimal | None:
        """Percent by which the value differs from a comparison; None without both or from zero."""
        compared = self.compared(name)
        if self.value is None or compared is None or not compared.value:
            return None
        base = Decimal(compared.value)
        return (Decimal(self.value) - base) / abs(base) * 100


def display(value: Number, unit: str) -> str:
    """The one way a value of a unit is written: 1,234.50 for dollars, 1,235 for yen and counts; no unit, half up."""
    places = _DECIMALS.get(unit, 0 if unit in _WHOLE_CURRENCIES else 2)
    exact = Decimal(value)
    digits = Context(prec=max(28, exact.adjusted() + places + 2))
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=digits)
    return f"{rounded if rounded else rounded.copy_abs():,}"


def unit_suffix(unit: str) -> str:
    """What follows a displayed value, such as ` USD` or ` %`."""
    if unit == "percent":
        return " %"
    return f" {unit}" if is_currency(unit) else ""


def is_currency(text: str) -> bool:
    """Whether a text has the form of a currency code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def clean_name(text: str) -> str:
    """A tenant's name for something, fit for a sentence: one line, no quotes or control characters, 60 letters."""
    kept = (" " if letter.isspace() else letter for letter in text if letter.isspace() or _is_shown(letter))
    line = " ".join("".join(kept).split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _is_shown(letter: str) -> bool:
    return letter not in '"“”`' and not unicodedata.category(letter).startswith("C")

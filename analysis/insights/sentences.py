"""Sentences that cite facts, and the only way in which a cited number, change or direction may be written."""

from decimal import Decimal

from analysis.insights.facts import COMPARISON_PHRASES, ComparisonName, Fact, Frozen, display, unit_suffix


class Sentence(Frozen):
    """A text and what it cites: `<fact id>`, `…:<comparison>`, `…:<comparison>:change`, `…:anomaly`, `…:trend`."""

    text: str
    facts: tuple[str, ...] = ()


ANOMALY_WORDS = {"spike": "unusually high", "drop": "unusually low"}
TREND_WORDS = {"rising": "rising", "falling": "falling"}


class Writer:
    """Writes one sentence and keeps what it cites; asking for a number that a fact does not have is an error."""

    def __init__(self) -> None:
        self._cited: list[str] = []

    def value(self, fact: Fact) -> str:
        """The fact's value with its unit."""
        self._cite(fact.id)
        return shown_value(fact)

    def compared(self, fact: Fact, name: ComparisonName) -> str:
        """What the fact is compared with: its name, and its value in brackets."""
        self._cite(f"{fact.id}:{name}")
        return f"{COMPARISON_PHRASES[name]} ({shown_comparison(fact, name)})"

    def change(self, fact: Fact, name: ComparisonName) -> str:
        """`up 3.0 %`, `down 3.0 %` or `unchanged`."""
        self._cite(f"{fact.id}:{name}:change")
        return shown_change(fact, name)

    def anomaly(self, fact: Fact) -> str:
        """`unusually high` or `unusually low`."""
        self._cite(f"{fact.id}:anomaly")
        return ANOMALY_WORDS[fact.anomaly.verdict if fact.anomaly else ""]

    def trend(self, fact: Fact) -> str:
        """`rising` or `falling`."""
        self._cite(f"{fact.id}:trend")
        return TREND_WORDS[fact.trend.verdict if fact.trend else ""]

    def day(self, fact: Fact) -> str:
        """The last day the fact is about."""
        self._cite(fact.id)
        return fact.period.end.isoformat()

    def sentence(self, text: str) -> Sentence:
        """The sentence, beginning with a capital letter."""
        return Sentence(text=text[:1].upper() + text[1:], facts=tuple(dict.fromkeys(self._cited)))

    def _cite(self, reference: str) -> None:
        self._cited.append(reference)


def shown_value(fact: Fact) -> str:
    """A fact's value as sentences and tables show it."""
    return _shown(fact.value, fact.unit, fact.id)


def shown_comparison(fact: Fact, name: ComparisonName) -> str:
    """A comparison's value as sentences and tables show it."""
    compared = fact.compared(name)
    # A mean of counts is no count: 0.3 new customers a day would be shown as none.
    unit = "mean count" if (fact.unit, name) == ("count", "mean_28_days") else fact.unit
    return _shown(compared.value if compared else None, unit, fact.id)


def shown_change(fact: Fact, name: ComparisonName) -> str:
    """A change against a comparison as sentences and tables show it."""
    change = fact.change(name)
    if change is None:
        raise ValueError(f"A change needs two values, the second not zero. (fact={fact.id!r}, comparison={name!r})")
    size = display(abs(change), "percent")
    if not Decimal(size.replace(",", "")):
        return "unchanged"
    return f"{'up' if change > 0 else 'down'} {size} %"


def _shown(value: int | Decimal | None, unit: str, fact_id: str) -> str:
    if value is None:
        raise ValueError(f"A fact without a value cannot be shown. (fact={fact_id!r})")
    return display(value, unit) + unit_suffix(unit)

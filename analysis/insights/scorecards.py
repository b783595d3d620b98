"""Health and churn risk: versioned score cards whose every factor is a fact, weighed and explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from analysis.insights.facts import ComparisonName, Fact, Frozen
from analysis.insights.sentences import Sentence, Writer

_ENOUGH_WEIGHT = 40
_PREVIOUS: ComparisonName = "previous_28_days"


class Factor(Frozen):
    """One factor of a card: `score` of 0 to 100, and `contribution`, its share of the card's score."""

    name: str
    weight: int
    score: int | None
    contribution: Decimal | None
    explanation: Sentence


class ScoreCard(Frozen):
    """A score of 0 to 100; None where the factors that have data weigh too little."""

    name: str
    version: int
    score: int | None
    factors: tuple[Factor, ...]
    note: str = ""


@dataclass(frozen=True)
class _Rule:
    """A factor: the measured number at which it scores 0, and the one at which it scores 100."""

    name: str
    weight: int
    fact: str
    worst: int
    best: int
    of_change: bool = False


HEALTH = (
    _Rule("revenue", 30, "revenue.gross_amount.{currency}.last_28_days", -30, 20, of_change=True),
    _Rule("payments that succeed", 20, "payments.failure_rate", 25, 2),
    _Rule("new customers", 15, "customers.new.last_28_days", -50, 25, of_change=True),
    _Rule("engagement", 20, "customers.active_share", 10, 70),
    _Rule("delivery", 10, "pull_requests.merge_rate", 40, 90),
    _Rule("support", 5, "tickets.closing_rate", 40, 95),
)
CHURN = (
    _Rule("quiet customers", 60, "customers.quiet_paying_share", 10, 70),
    _Rule("revenue", 20, "revenue.gross_amount.{currency}.last_28_days", 20, -30, of_change=True),
    _Rule("failed payments", 20, "payments.failure_rate", 2, 25),
)


def score_health(facts: Sequence[Fact]) -> ScoreCard:
    """How well the tenant does: 100 is best."""
    return _card("health", 1, HEALTH, facts)


def score_churn(facts: Sequence[Fact]) -> ScoreCard:
    """How likely its customers leave: 100 is worst; never without knowing how many are quiet."""
    return _card("churn risk", 1, CHURN, facts)


def main_currency(facts: Sequence[Fact]) -> str | None:
    """The part of fact ids that names the currency with the most payments and orders in 28 days."""
    prefix, suffix = "revenue.transactions.", ".last_28_days"
    counted = [fact for fact in facts if fact.id.startswith(prefix) and fact.id.endswith(suffix) and fact.value]
    best = max(counted, key=lambda fact: (fact.value or 0, fact.id), default=None)
    return best.id.removeprefix(prefix).removesuffix(suffix) if best else None


def _card(name: str, version: int, rules: Sequence[_Rule], facts: Sequence[Fact]) -> ScoreCard:
    by_id = {fact.id: fact for fact in facts}
    currency = main_currency(facts) or ""
    judged = [(rule, *_judge(rule, by_id.get(rule.fact.format(currency=currency)))) for rule in rules]
    known = sum(rule.weight for rule, score, _ in judged if score is not None)
    enough = known >= _ENOUGH_WEIGHT
    factors = tuple(
        Factor(
            name=rule.name,
            weight=rule.weight,
            score=None if score is None else _whole(score),
            contribution=None if score is None or not enough else _tenths(score * rule.weight / known),
            explanation=explanation,
        )
        for rule, score, explanation in judged
    )
    if not enough:
        return ScoreCard(name=name, version=version, score=None, factors=factors, note="insufficient data")
    total = sum((score * rule.weight for rule, score, _ in judged if score is not None), Decimal(0))
    return ScoreCard(name=name, version=version, score=_whole(total / known), factors=factors)


def _judge(rule: _Rule, fact: Fact | None) -> tuple[Decimal | None, Sentence]:
    """A factor's score and the sentence that explains it."""
    if fact is None or fact.value is None:
        return None, Sentence(text="There is no data.")
    writer = Writer()
    change = fact.change(_PREVIOUS)
    if not rule.of_change:
        return _scaled(rule, Decimal(fact.value)), writer.sentence(f"{fact.label}: {writer.value(fact)}.")
    if change is None:
        return None, Sentence(text="There is not enough history.")
    against = f"{writer.change(fact, _PREVIOUS)} against {writer.compared(fact, _PREVIOUS)}"
    return _scaled(rule, change), writer.sentence(f"{fact.label}: {against}.")


def _scaled(rule: _Rule, measured: Decimal) -> Decimal:
    share = (measured - rule.worst) / (rule.best - rule.worst) * 100
    return min(max(share, Decimal(0)), Decimal(100))


def _whole(score: Decimal) -> int:
    return int(score.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _tenths(score: Decimal) -> Decimal:
    return score.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)

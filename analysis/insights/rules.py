"""The rule-based analyst: what is worth saying of a day, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from analysis.insights.facts import ComparisonName, Fact, Frozen
from analysis.insights.scorecards import ScoreCard, main_currency
from analysis.insights.sentences import ANOMALY_WORDS, TREND_WORDS, Sentence, Writer

_PREVIOUS: ComparisonName = "previous_28_days"
_HEADLINES = (
    "revenue.gross_amount.{currency}",
    "orders.count",
    "customers.new",
    "pull_requests.merged",
    "tickets.opened",
)
# Measures whose anomalies and trends are told; all others stay facts.
_TOLD = (
    "revenue.gross_amount",
    "payments.count",
    "payments.failed",
    "orders.count",
    "customers.new",
    "pull_requests.opened",
    "pull_requests.merged",
    "tickets.opened",
)
_DROPS = ("payments.count", "orders.count", "revenue.gross_amount")
_GOOD, _POOR = 75, 40

Action = Literal[
    "check_syncs",
    "investigate_drop",
    "review_failed_payments",
    "review_revenue",
    "win_back_quiet_customers",
    "reduce_ticket_backlog",
    "reduce_dependence",
]
Priority = Literal["high", "medium", "low"]
_PRIORITIES: Mapping[Priority, int] = {"high": 0, "medium": 1, "low": 2}
_ADVICE: Mapping[Action, str] = {
    "check_syncs": "Look at the last syncs of the sources: newer data is missing.",
    "investigate_drop": "Find out what happened on this day: an outage, a missing export or a lost customer.",
    "review_failed_payments": "Go through the failed payments by reason and retry or remind.",
    "review_revenue": "Look at which customers and products the lost revenue belongs to.",
    "win_back_quiet_customers": "Write to the paying customers that were not seen lately.",
    "reduce_ticket_backlog": "Plan time for open tickets: they arrive faster than they are closed.",
    "reduce_dependence": "Win further customers: much of the revenue depends on a single one.",
}


class Recommendation(Frozen):
    """Something to do: how urgent, what, why, and the facts it stands on."""

    priority: Priority
    action: Action
    advice: str
    reason: Sentence
    evidence: tuple[str, ...]


def find_insights(facts: Sequence[Fact]) -> tuple[Sentence, ...]:
    """What is worth saying, the most pressing first."""
    by_id = {fact.id: fact for fact in facts}
    return (
        *_on_freshness(by_id),
        *_on_anomalies(facts),
        *_headlines(by_id, main_currency(facts)),
        *_on_months(facts),
        *_on_trends(facts),
        *_on_leaders(by_id),
    )


def find_strengths(card: ScoreCard) -> tuple[Sentence, ...]:
    """The explanations of the factors that do well."""
    return tuple(factor.explanation for factor in card.factors if factor.score is not None and factor.score >= _GOOD)


def find_improvements(card: ScoreCard) -> tuple[Sentence, ...]:
    """The explanations of the factors that do poorly."""
    return tuple(factor.explanation for factor in card.factors if factor.score is not None and factor.score <= _POOR)


def find_recommendations(facts: Sequence[Fact]) -> tuple[Recommendation, ...]:
    """What to do, the most urgent first."""
    by_id = {fact.id: fact for fact in facts}
    found = [*_recommend(facts, by_id, main_currency(facts) or "")]
    return tuple(sorted(found, key=lambda recommendation: _PRIORITIES[recommendation.priority]))


def _on_freshness(facts: Mapping[str, Fact]) -> Iterator[Sentence]:
    fact = facts.get("freshness.days_behind")
    writer = Writer()
    if fact is None or fact.value is None:
        yield Sentence(text="The published marts hold no data until this day.")
    elif fact.value:
        yield writer.sentence(f"The newest data is of {writer.day(fact)}; {fact.label}: {writer.value(fact)}.")


def _on_anomalies(facts: Sequence[Fact]) -> Iterator[Sentence]:
    for fact in facts:
        told = fact.id.startswith(_TOLD) and fact.compared("usual_weekday") is not None
        if told and fact.anomaly and fact.anomaly.verdict in ANOMALY_WORDS:
            yield _anomaly(fact)


def _anomaly(fact: Fact) -> Sentence:
    writer = Writer()
    value = f"{fact.label} on {writer.day(fact)}: {writer.value(fact)}"
    return writer.sentence(f"{value}, {writer.anomaly(fact)} against {writer.compared(fact, 'usual_weekday')}.")


def _headlines(facts: Mapping[str, Fact], currency: str | None) -> Iterator[Sentence]:
    for fact_id in _HEADLINES:
        fact = facts.get(fact_id.format(currency=currency))
        if fact is None or fact.value is None or fact.compared("mean_28_days") is None:
            continue
        writer = Writer()
        text = f"{fact.label} on {writer.day(fact)}: {writer.value(fact)}"
        if fact.change("same_weekday") is not None:
            text += f", {writer.change(fact, 'same_weekday')} against {writer.compared(fact, 'same_weekday')}"
        yield writer.sentence(f"{text}; compare {writer.compared(fact, 'mean_28_days')}.")


def _on_months(facts: Sequence[Fact]) -> Iterator[Sentence]:
    for fact in facts:
        if fact.id.startswith("revenue.gross_amount.") and fact.change(_PREVIOUS) is not None:
            writer = Writer()
            text = f"{fact.label} of the last 28 days: {writer.value(fact)}, {writer.change(fact, _PREVIOUS)} against"
            yield writer.sentence(f"{text} {writer.compared(fact, _PREVIOUS)}.")


def _on_trends(facts: Sequence[Fact]) -> Iterator[Sentence]:
    for fact in facts:
        if fact.id.startswith(_TOLD) and fact.trend and fact.trend.verdict in TREND_WORDS:
            writer = Writer()
            yield writer.sentence(f"{fact.label}: {writer.trend(fact)} from week to week.")


def _on_leaders(facts: Mapping[str, Fact]) -> Iterator[Sentence]:
    for fact_id in ("pull_requests.merged.top_repository", "customers.paying.top_country"):
        fact = facts.get(fact_id)
        if fact is not None and fact.value:
            writer = Writer()
            yield writer.sentence(f"Leading: {fact.label} ({writer.value(fact)}).")


def _recommend(facts: Sequence[Fact], by_id: Mapping[str, Fact], currency: str) -> Iterator[Recommendation]:
    yield from _if_at_least(by_id.get("freshness.days_behind"), 2, "high", "check_syncs")
    for fact in facts:
        drops = fact.id.startswith(_DROPS) and fact.compared("usual_weekday") is not None
        if drops and fact.anomaly and fact.anomaly.verdict == "drop":
            yield _recommendation("high", "investigate_drop", _anomaly(fact))
    yield from _if_at_least(by_id.get("payments.failure_rate"), 10, "high", "review_failed_payments")
    revenue = by_id.get(f"revenue.gross_amount.{currency}.last_28_days")
    if revenue is not None and (revenue.change(_PREVIOUS) or 0) <= -10:
        writer = Writer()
        against = f"{writer.change(revenue, _PREVIOUS)} against {writer.compared(revenue, _PREVIOUS)}"
        yield _recommendation("high", "review_revenue", writer.sentence(f"{revenue.label}: {against}."))
    yield from _if_at_least(by_id.get("customers.quiet_paying_share"), 30, "medium", "win_back_quiet_customers")
    tickets = by_id.get("tickets.closing_rate")
    if tickets is not None and tickets.value is not None and tickets.value < 80:
        yield _recommendation("medium", "reduce_ticket_backlog", _plain(tickets))
    yield from _if_at_least(by_id.get(f"revenue.concentration.{currency}"), 30, "low", "reduce_dependence")


def _if_at_least(fact: Fact | None, limit: int, priority: Priority, action: Action) -> Iterator[Recommendation]:
    if fact is not None and fact.value is not None and fact.value >= limit:
        yield _recommendation(priority, action, _plain(fact))


def _plain(fact: Fact) -> Sentence:
    writer = Writer()
    return writer.sentence(f"{fact.label}: {writer.value(fact)}.")


def _recommendation(priority: Priority, action: Action, reason: Sentence) -> Recommendation:
    evidence = tuple(dict.fromkeys(reference.partition(":")[0] for reference in reason.facts))
    return Recommendation(priority=priority, action=action, advice=_ADVICE[action], reason=reason, evidence=evidence)

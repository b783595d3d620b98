"""The daily report: scores, insights and recommendations of one tenant and day, written by rules from facts alone."""

from collections.abc import Iterator, Sequence
from datetime import date

from analysis.errors import PermanentError
from analysis.insights.checker import check_sentences
from analysis.insights.facts import ComparisonName, Fact, Frozen
from analysis.insights.rules import (
    Recommendation,
    find_improvements,
    find_insights,
    find_recommendations,
    find_strengths,
)
from analysis.insights.scorecards import ScoreCard, main_currency, score_churn, score_health
from analysis.insights.sentences import Sentence, shown_change, shown_comparison, shown_value

_FIGURES = (
    "revenue.gross_amount.{currency}",
    "payments.count",
    "payments.failed",
    "orders.count",
    "customers.new",
    "pull_requests.opened",
    "pull_requests.merged",
    "tickets.opened",
    "tickets.closed",
)
_COMPARED: tuple[ComparisonName, ...] = ("day_before", "same_weekday", "mean_28_days")


class Figure(Frozen):
    """One line of the table of numbers, as shown; an empty text where there is no number."""

    label: str
    value: str
    day_before: str
    same_weekday: str
    mean_28_days: str
    change: str
    """Against the same weekday a week before."""
    fact: str


class DailyReport(Frozen):
    """What a tenant's published marts say of a day; equal facts give an equal report."""

    schema_version: int = 1
    tenant: str
    day: date
    release: int
    health_score: int | None
    health_score_before: int | None = None
    """That of the newest earlier report."""
    churn_risk: int | None
    health: ScoreCard
    churn: ScoreCard
    figures: tuple[Figure, ...]
    strengths: tuple[Sentence, ...]
    improvements: tuple[Sentence, ...]
    insights: tuple[Sentence, ...]
    recommendations: tuple[Recommendation, ...]

    def sentences(self) -> Iterator[Sentence]:
        """Every sentence of the report."""
        for card in (self.health, self.churn):
            yield from (factor.explanation for factor in card.factors)
        yield from (*self.strengths, *self.improvements, *self.insights)
        yield from (recommendation.reason for recommendation in self.recommendations)

    def as_markdown(self) -> str:
        """The report for people."""
        from analysis.insights.markdown import render_report

        return render_report(self)


def write_report(tenant: str, day: date, facts: Sequence[Fact], history: Sequence[DailyReport] = ()) -> DailyReport:
    """Write a day's report from its facts and check it against them; `history` are earlier reports, in any order."""
    releases = {fact.release for fact in facts}
    if len(releases) != 1:
        raise PermanentError(
            "A report is written from the facts of one release.", tenant=tenant, releases=sorted(releases)
        )
    health, churn = score_health(facts), score_churn(facts)
    earlier = [report for report in history if report.tenant == tenant and report.day < day]
    report = DailyReport(
        tenant=tenant,
        day=day,
        release=releases.pop(),
        health_score=health.score,
        health_score_before=max(earlier, key=lambda found: found.day).health_score if earlier else None,
        churn_risk=churn.score,
        health=health,
        churn=churn,
        figures=_figures(facts),
        strengths=find_strengths(health),
        improvements=find_improvements(health),
        insights=find_insights(facts),
        recommendations=find_recommendations(facts),
    )
    check_report(report, facts)
    return report


def check_report(report: DailyReport, facts: Sequence[Fact]) -> None:
    """Recompute what the report says from the facts; the first difference is a PermanentError."""
    check_sentences(report.sentences(), facts)
    health, churn = score_health(facts), score_churn(facts)
    same_scores = (report.health_score, report.churn_risk) == (health.score, churn.score)
    if (report.health, report.churn) != (health, churn) or not same_scores:
        raise PermanentError("The report is refused: its scores are not those of its facts.", tenant=report.tenant)
    if report.figures != _figures(facts):
        raise PermanentError("The report is refused: its table is not that of its facts.", tenant=report.tenant)
    unknown = {cited for found in report.recommendations for cited in found.evidence} - {fact.id for fact in facts}
    if unknown:
        raise PermanentError(
            "The report is refused: a recommendation stands on facts that do not exist.", facts=sorted(unknown)
        )


def _figures(facts: Sequence[Fact]) -> tuple[Figure, ...]:
    by_id = {fact.id: fact for fact in facts}
    currency = main_currency(facts)
    found = (by_id.get(fact_id.format(currency=currency)) for fact_id in _FIGURES)
    return tuple(_figure(fact) for fact in found if fact is not None and _was_ever(fact))


def _was_ever(fact: Fact) -> bool:
    """Whether the day or any compared one has something to show."""
    return bool(fact.value) or any(compared.value for compared in fact.comparison)


def _figure(fact: Fact) -> Figure:
    day_before, same_weekday, mean = (shown_comparison(fact, name) if fact.compared(name) else "" for name in _COMPARED)
    return Figure(
        label=fact.label,
        value="" if fact.value is None else shown_value(fact),
        day_before=day_before,
        same_weekday=same_weekday,
        mean_28_days=mean,
        change="" if fact.change("same_weekday") is None else shown_change(fact, "same_weekday"),
        fact=fact.id,
    )

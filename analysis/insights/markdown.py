"""A report as Markdown; a tenant's names arrive as plain text, whatever they contain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from analysis.insights.scorecards import ScoreCard
from analysis.insights.sentences import Sentence

if TYPE_CHECKING:
    from analysis.insights.report import DailyReport

_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def render_report(report: DailyReport) -> str:
    """The whole report: scores, insights, recommendations, the table of numbers, then the score cards."""
    before = "" if report.health_score_before is None else f" (before: {report.health_score_before})"
    parts = [
        f"# {plain(report.tenant)}, {report.day.isoformat()}",
        f"Health: **{_score(report.health)}**{before} · Churn risk: **{_score(report.churn)}**",
        f"Release {report.release}; every number is that of a published fact.",
        _section("Insights", (_cited(sentence) for sentence in report.insights)),
        _section(
            "Recommendations",
            (_recommended(found.priority, found.advice, found.reason) for found in report.recommendations),
        ),
        _section("Strengths", (_cited(sentence) for sentence in report.strengths)),
        _section("To improve", (_cited(sentence) for sentence in report.improvements)),
        _numbers(report),
        _card("Health", report.health),
        _card("Churn risk", report.churn),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """A text that Markdown and HTML show as it is."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", escaped)


def _score(card: ScoreCard) -> str:
    return card.note if card.score is None else f"{card.score} of 100"


def _section(title: str, lines: Iterable[str]) -> str:
    listed = "\n".join(f"- {line}" for line in lines)
    return f"## {title}\n\n{listed}" if listed else ""


def _cited(sentence: Sentence) -> str:
    facts = dict.fromkeys(reference.partition(":")[0] for reference in sentence.facts)
    cited = ", ".join(f"`{fact}`" for fact in facts)
    return f"{plain(sentence.text)} {cited}".rstrip()


def _recommended(priority: str, advice: str, reason: Sentence) -> str:
    return f"**{priority}**: {plain(advice)} {_cited(reason)}"


def _numbers(report: DailyReport) -> str:
    if not report.figures:
        return ""
    head = (
        "| measure | day | day before | week before | mean of 28 days | change in a week |\n|---|--:|--:|--:|--:|--:|"
    )
    rows = (
        f"| {plain(line.label)} | {line.value} | {line.day_before} | {line.same_weekday} | {line.mean_28_days} "
        f"| {line.change} |"
        for line in report.figures
    )
    return "## Numbers\n\n" + "\n".join((head, *rows))


def _card(title: str, card: ScoreCard) -> str:
    head = "| factor | weight | score | contribution | because |\n|---|--:|--:|--:|---|"
    rows = (
        f"| {factor.name} | {factor.weight} | {_or_dash(factor.score)} | {_or_dash(factor.contribution)} "
        f"| {plain(factor.explanation.text)} |"
        for factor in card.factors
    )
    return f"## {title}, score card {card.version}\n\n" + "\n".join((head, *rows))


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)

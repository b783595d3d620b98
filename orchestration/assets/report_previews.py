"""The report as the UI shows it in place: what is worth saying, the scores as bars, what the run's steps took."""

from __future__ import annotations

import dagster as dg

from analysis.insights import DailyReport
from analysis.insights.markdown import plain
from orchestration.assets.charts import bar
from orchestration.assets.tables import rows_table

SAID = 3
"""Sentences that stay below what the UI shows in place."""


def worth_saying(report: DailyReport) -> dg.MetadataValue:
    """The scores and the first insights and recommendations, as a few lines."""
    scores = f"Health **{shown(report.health_score)}**, churn risk **{shown(report.churn_risk)}**"
    insights = [f"- {plain(each.text)}" for each in report.insights[:SAID]]
    advice = [f"- **{each.priority}:** {plain(each.advice)}" for each in report.recommendations[:SAID]]
    return dg.MetadataValue.md("\n".join([scores, "", *insights, *advice]))


def shown(score: int | None) -> str:
    """A score of 100; too little data gives none."""
    return "not known yet" if score is None else f"{score} of 100"


def score_table(report: DailyReport) -> dg.MetadataValue:
    """Every factor of the health score with its bar."""
    return rows_table(
        [
            {
                "factor": each.name,
                "weight": each.weight,
                "score": "-" if each.score is None else each.score,
                "bar": bar(each.score or 0, 100),
            }
            for each in report.health.factors
        ]
    )


def step_timings(context: dg.AssetExecutionContext, own_seconds: float) -> dg.MetadataValue:
    """What each step of this run took, in the order in which they began; the last is still at it."""
    stats = context.instance.get_run_step_stats(context.run.run_id)
    begun = sorted((each.start_time, each.end_time, each.step_key) for each in stats if each.start_time)
    taken = {key.replace("__", "/"): end - start if end else own_seconds for start, end, key in begun}
    longest = max(taken.values(), default=0.0)
    rows = [
        {"step": step, "seconds": round(seconds, 1), "bar": bar(seconds, longest)} for step, seconds in taken.items()
    ]
    return rows_table(rows, limit=len(rows))

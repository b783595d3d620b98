"""One small chart per mart: a number by day, from the build that is about to be published."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

import dagster as dg
from psycopg import sql
from sqlalchemy import Engine

from orchestration.assets.charts import COLUMNS, column_chart
from orchestration.assets.tables import text_cell
from orchestration.tenancy.statements import run, transaction


@dataclass(frozen=True)
class DailyChart:
    """A column summed by day; of a split column the part with most of it, since parts such as currencies never add."""

    day: str
    column: str
    label: str
    split: str | None = None
    weight: str | None = None
    """What tells the largest part, where the column itself does not."""


CHARTS = {
    "revenue_analytics": DailyChart(
        "revenue_date", "gross_amount", "gross revenue", split="currency", weight="paying_customer_count"
    ),
    "developer_activity": DailyChart("activity_date", "pull_requests_merged", "merged pull requests"),
    "unified_customers": DailyChart("first_seen_at", "1", "customers first seen"),
    "dashboard_summary": DailyChart("summary_date", "customer_count", "customers"),
}

_BY_DAY = """
    with split as (
        select {part}::text as part, {day}::date as day, {value}::numeric as value, {weight}::numeric as weight
        from {schema}.{mart}
        where {day}::date between date '0001-06-01' and date '9999-12-31'
    ),
    chosen as (select part from split group by 1 order by sum(weight) desc nulls last, 1 limit 1),
    newest as (select max(day) as day from split join chosen using (part) where value <> 0),
    days as (
        select generate_series(newest.day - {back}, newest.day, interval '1 day')::date as day
        from newest where newest.day is not null
    )
    select chosen.part, days.day, coalesce(sum(split.value), 0)
    from days cross join chosen left join split on split.day = days.day and split.part = chosen.part
    group by 1, 2 order by 2
"""


def mart_chart(builder: Engine, schema: str, mart: str) -> dict[str, dg.MetadataValue]:
    """The mart's chart as metadata; empty for a mart that has none."""
    chart = CHARTS.get(mart)
    if chart is None:
        return {}
    parts = {
        "day": sql.Identifier(chart.day),
        "value": sql.Literal(1) if chart.column == "1" else sql.Identifier(chart.column),
        "weight": sql.Identifier(chart.weight) if chart.weight else sql.Literal(1),
        "part": sql.Identifier(chart.split) if chart.split else sql.Literal("all"),
        "back": sql.Literal(COLUMNS - 1),
        "schema": sql.Identifier(schema),
        "mart": sql.Identifier(mart),
    }
    with transaction(builder) as connection:
        rows = [
            (part, day, _drawn(value)) for part, day, value in run(connection, "{}", sql.SQL(_BY_DAY).format(**parts))
        ]
    subject = f" in {text_cell(rows[-1][0])}" if rows and chart.split else ""
    span = f", {rows[0][1]} to {rows[-1][1]}, at most {max(row[2] for row in rows):,.0f}" if rows else ""
    return {"chart": column_chart([row[2] for row in rows], f"{chart.label}{subject} by day{span}")}


def _drawn(value: Decimal | int) -> float:
    """A number as a column can show it: numeric columns hold NaN and infinity, too."""
    number = float(value)
    return number if isfinite(number) else 0.0

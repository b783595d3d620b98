"""Facts and the daily report that cites them: one of each per tenant and day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.store.connect import Record, one_record
from analysis.store.fleet import ai_workflow_analysis
from analysis.store.tables import facts, reports


class ReportRow(Record):
    """A tenant's report of a day."""

    report_id: int
    tenant_id: str
    day: date
    release: int
    report: Mapping[str, Any]
    markdown: str
    written_at: datetime


def save_facts(
    connection: Connection, tenant_id: str, day: date, release: int, found: Mapping[str, Mapping[str, Any]]
) -> None:
    """Keep a day's facts (JSON by fact id), replacing those of the day."""
    connection.execute(delete(facts).where(facts.c.tenant_id == tenant_id, facts.c.day == day))
    place = {"tenant_id": tenant_id, "day": day, "release": release}
    rows = [place | {"fact_id": fact_id, "fact": dict(fact)} for fact_id, fact in found.items()]
    if rows:
        connection.execute(insert(facts), rows)


def save_report(
    connection: Connection, tenant_id: str, day: date, release: int, report: Mapping[str, Any], markdown: str
) -> None:
    """Keep a day's report, replacing the day's."""
    content = {"release": release, "report": dict(report), "markdown": markdown}
    statement = upsert(reports).values(tenant_id=tenant_id, day=day, **content)
    key = [reports.c.tenant_id, reports.c.day]
    renewed = content | {"written_at": func.now()}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=renewed))


def find_report(connection: Connection, tenant_id: str, day: date | None = None) -> ReportRow | None:
    """The report of a day, or the newest, or None."""
    statement = select(reports).where(reports.c.tenant_id == tenant_id)
    chosen = statement if day is None else statement.where(reports.c.day == day)
    return one_record(ReportRow, connection.execute(chosen.order_by(reports.c.day.desc()).limit(1)).one_or_none())


def append_analysis(
    connection: Connection,
    tenant_id: str,
    release: int,
    day: date,
    *,
    health_score: Decimal | float | None,
    churn_risk: Decimal | float | None,
    insights: Sequence[Any],
    recommendations: Sequence[Any],
) -> None:
    """Add an analysis to the fleet's journal, where nothing is ever changed."""
    values = {
        "tenant_id": tenant_id,
        "release": release,
        "analysis_date": day,
        "health_score": health_score,
        "churn_risk": churn_risk,
        "insights": list(insights),
        "recommendations": list(recommendations),
    }
    connection.execute(insert(ai_workflow_analysis).values(values))

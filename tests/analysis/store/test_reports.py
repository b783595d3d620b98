from datetime import date

import pytest
from sqlalchemy import exc, select, text

from analysis.store import reports
from analysis.store.tables import facts

DAY = date(2026, 3, 1)


def test_rerun_replaces_the_days_report(store):
    reports.save_report(store, "acme", DAY, 1, {"score": 1}, "# one")
    reports.save_report(store, "acme", DAY, 2, {"score": 2}, "# two")
    found = reports.find_report(store, "acme")
    assert (found.day, found.release, found.markdown) == (DAY, 2, "# two")
    assert reports.find_report(store, "acme", date(2026, 3, 2)) is None


def test_rerun_replaces_the_days_facts(store):
    reports.save_facts(store, "acme", DAY, 1, {"revenue": {"value": 1}, "orders": {"value": 2}})
    reports.save_facts(store, "acme", DAY, 2, {"revenue": {"value": 3}})
    (fact,) = store.execute(select(facts).where(facts.c.tenant_id == "acme")).all()
    assert (fact.fact_id, fact.fact, fact.release) == ("revenue", {"value": 3}, 2)


@pytest.mark.parametrize("statement", ["update {} set tenant_id = 'b'", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("journal", ["analytics.ai_workflow_analysis", "analytics.airbyte_sync_history"])
def test_a_journal_is_only_ever_added_to(store, journal, statement):
    reports.append_analysis(
        store, "acme", 1, DAY, health_score=0.5, churn_risk=None, insights=[{"text": "…"}], recommendations=[]
    )
    with pytest.raises(exc.ProgrammingError, match="permission denied"):
        store.execute(text(statement.format(journal)))

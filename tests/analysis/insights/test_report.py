"""The report: deterministic, explained, and about what was planted."""

from datetime import date
from decimal import Decimal

import pytest
from airbyte_sandbox.anomalies import planted

from analysis.errors import PermanentError
from analysis.insights import DailyReport, Fact, Period, check_report, collect_facts, write_report
from analysis.insights.facts import display
from analysis.insights.scorecards import score_churn, score_health

DAY = date(2026, 6, 30)


def test_equal_facts_give_an_equal_report_in_any_order(facts):
    report = write_report("acme", DAY, facts)
    assert write_report("acme", DAY, facts) == report
    assert write_report("acme", DAY, facts).as_markdown() == report.as_markdown()
    shuffled = tuple(sorted(facts, key=lambda fact: fact.id))
    assert write_report("acme", DAY, shuffled).health == report.health


def test_a_report_and_its_facts_survive_json(facts):
    report = write_report("acme", DAY, facts)
    assert DailyReport.model_validate_json(report.model_dump_json()) == report
    assert DailyReport.model_validate(report.model_dump(mode="json")) == report
    kept = tuple(Fact.model_validate(fact.model_dump(mode="json")) for fact in facts)
    assert kept == facts
    check_report(report, kept)


def test_scores_are_explained_by_their_factors(facts):
    health = score_health(facts)
    assert 0 <= health.score <= 100
    contributions = sum(factor.contribution for factor in health.factors if factor.contribution is not None)
    assert contributions == pytest.approx(Decimal(health.score), abs=Decimal(1))
    assert all(factor.explanation.facts for factor in health.factors if factor.score is not None)
    assert score_churn(facts).score is not None


def test_the_report_names_the_planted_anomalies(published, world):
    measures = {
        "payment_count": "payments.count",
        "failed_payment_count": "payments.failed",
        "order_count": "orders.count",
        "pull_requests_opened": "pull_requests.opened",
    }
    told, planted_later = 0, [found for found in planted(world) if (found.day - world.start).days >= 35]
    for found in planted_later:
        report = write_report("acme", found.day, collect_facts(published, "tenant_acme_analytics", found.day, 3))
        word = {"spike": "unusually high", "drop": "unusually low"}[found.kind]
        told += any(
            f"{measures[found.measure]}:anomaly" in insight.facts and word in insight.text
            for insight in report.insights
        )
    assert told >= len(planted_later) * 0.75


def test_the_report_remembers_the_score_before(facts):
    first = write_report("acme", date(2026, 6, 29), facts)
    other = first.model_copy(update={"tenant": "globex", "health_score": 1})
    report = write_report("acme", DAY, facts, [other, first])
    assert report.health_score_before == first.health_score
    assert f"(before: {first.health_score})" in report.as_markdown()


def test_facts_of_two_releases_are_no_report(facts):
    mixed = (facts[0].model_copy(update={"release": 4}), *facts[1:])
    with pytest.raises(PermanentError, match="one release"):
        write_report("acme", DAY, mixed)
    with pytest.raises(PermanentError, match="one release"):
        write_report("acme", DAY, ())


def test_many_failed_payments_are_a_recommendation_with_evidence(facts):
    failing = tuple(
        fact.model_copy(update={"value": Decimal("31.25")}) if fact.id == "payments.failure_rate" else fact
        for fact in facts
    )
    report = write_report("acme", DAY, failing)
    found = next(found for found in report.recommendations if found.action == "review_failed_payments")
    assert (found.priority, found.evidence) == ("high", ("payments.failure_rate",))
    assert found.reason.text == "Share of payments that failed: 31.3 %."
    assert any("31.3 %" in sentence.text for sentence in report.improvements)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Decimal("1234.565"), "USD", "1,234.57"),
        (Decimal("1234.5"), "JPY", "1,235"),
        (Decimal("-0.001"), "EUR", "0.00"),
        (1234567, "count", "1,234,567"),
        (Decimal("12.35"), "percent", "12.4"),
        (Decimal("-3.14"), "hours", "-3.1"),
        (Decimal(10) ** 40, "JPY", f"{10**40:,}"),
    ],
)
def test_values_are_shown_rounded_half_up(value, unit, shown):
    assert display(value, unit) == shown


def test_a_fact_without_history_changes_nothing(facts):
    lonely = Fact(
        id="x.y", measure="x.y", label="x", unit="count", value=3, period=Period(start=DAY, end=DAY), sql="", release=3
    )
    assert lonely.change("day_before") is None
    write_report("acme", DAY, (*facts, lonely))

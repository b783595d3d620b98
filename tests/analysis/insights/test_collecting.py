"""Facts against pandas on the same marts, and marts that are empty, short, stale or hostile."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from sqlalchemy import Connection

from analysis.errors import PermanentError
from analysis.insights import Fact, collect_facts, write_report

LAST_DAY = date(2026, 6, 30)
Load = Callable[..., str]


def by_id(facts: tuple[Fact, ...]) -> dict[str, Fact]:
    return {fact.id: fact for fact in facts}


def daily(frame: pd.DataFrame, day_column: str, column: str) -> pd.Series:
    """A measure for every day of the mart's time, zero where there is no row."""
    summed = frame.groupby(day_column)[column].sum()
    return summed.reindex(pd.date_range(min(summed.index), LAST_DAY).date, fill_value=0)


def back(first: int, last: int) -> tuple[date, date]:
    return LAST_DAY - timedelta(days=first), LAST_DAY - timedelta(days=last)


@pytest.mark.parametrize(
    ("mart", "day_column", "column", "fact_id"),
    [
        ("dashboard_summary", "summary_date", "payment_count", "payments.count"),
        ("dashboard_summary", "summary_date", "order_count", "orders.count"),
        ("dashboard_summary", "summary_date", "new_customer_count", "customers.new"),
        ("dashboard_summary", "summary_date", "pull_requests_merged", "pull_requests.merged"),
        ("revenue_analytics", "revenue_date", "failed_payment_count", "payments.failed"),
        ("developer_activity", "activity_date", "pull_requests_closed", "pull_requests.closed"),
    ],
)
def test_a_days_count_and_what_it_is_compared_with_equal_pandas(facts, marts, mart, day_column, column, fact_id):
    fact, series = by_id(facts)[fact_id], daily(marts[mart], day_column, column)
    compared = {found.name: found.value for found in fact.comparison}
    weekdays = [series[LAST_DAY - timedelta(days=7 * week)] for week in range(1, 10)]
    assert fact.value == series[LAST_DAY]
    assert compared["day_before"] == series[LAST_DAY - timedelta(days=1)]
    assert compared["same_weekday"] == weekdays[0]
    assert compared["usual_weekday"] == sorted(weekdays)[4]
    assert float(compared["mean_28_days"]) == pytest.approx(series[slice(*back(28, 1))].mean(), abs=1e-4)


@pytest.mark.parametrize("currency", ["USD", "EUR", "GBP", "JPY"])
def test_revenue_of_each_currency_equals_pandas_to_the_cent(facts, marts, currency):
    mart = marts["revenue_analytics"]
    series = daily(mart[mart["currency"] == currency], "revenue_date", "gross_amount").round(2)
    found = by_id(facts)
    window = found[f"revenue.gross_amount.{currency}.last_28_days"]
    assert found[f"revenue.gross_amount.{currency}"].value == Decimal(str(series[LAST_DAY]))
    assert window.value == Decimal(str(series[slice(*back(27, 0))].sum().round(2)))
    assert window.compared("previous_28_days").value == Decimal(str(series[slice(*back(55, 28))].sum().round(2)))
    assert window.unit == currency
    highest = found[f"revenue.gross_amount.{currency}.highest_day"]
    assert highest.value == Decimal(str(series[slice(*back(27, 0))].max()))
    assert series[highest.period.start] == float(highest.value)


def test_rates_shares_and_leaders_equal_pandas(facts, marts):
    found, revenue, people = by_id(facts), marts["revenue_analytics"], marts["unified_customers"]
    last = revenue[revenue["revenue_date"].between(*back(27, 0))]
    failed, paid = last["failed_payment_count"].sum(), last["payment_count"].sum()
    assert float(found["payments.failure_rate"].value) == pytest.approx(100 * failed / (failed + paid), abs=1e-4)
    edge = pd.Timestamp(LAST_DAY - timedelta(days=27), tz="UTC")
    quiet = people[people["is_paying"] & (people["last_seen_at"] < edge)]
    share = 100 * len(quiet) / people["is_paying"].sum()
    assert float(found["customers.quiet_paying_share"].value) == pytest.approx(share, abs=1e-4)
    assert found["customers.total"].value == len(people)
    assert found["customers.total"].compared("previous_28_days").value == (people["first_seen_at"] < edge).sum()
    activity = marts["developer_activity"]
    merged = (
        activity[activity["activity_date"].between(*back(27, 0))].groupby("repository")["pull_requests_merged"].sum()
    )
    top = found["pull_requests.merged.top_repository"]
    assert (top.subject, top.value) == (merged.idxmax(), merged.max())


def test_the_sql_of_every_fact_gives_its_value_when_run_alone(facts, published: Connection):
    for fact in facts:
        rows = published.exec_driver_sql(fact.sql, execution_options={"no_parameters": True}).mappings().all()
        assert rows[0]["value"] == fact.value, fact.id


def test_the_same_release_and_day_give_the_same_facts(facts, published):
    assert collect_facts(published, "tenant_acme_analytics", LAST_DAY, release=3) == facts
    assert len(by_id(facts)) == len(facts)


def test_empty_marts_give_facts_that_say_so(load: Load, connection):
    facts = collect_facts(connection, load({}), LAST_DAY, release=1)
    assert {fact.id for fact in facts} == {
        "coverage.dashboard_summary",
        "coverage.revenue_analytics",
        "coverage.developer_activity",
        "coverage.unified_customers",
        "freshness.days_behind",
    }
    assert {fact.note for fact in facts} == {"no data"}
    report = write_report("acme", LAST_DAY, facts)
    assert (report.health_score, report.churn_risk, report.recommendations) == (None, None, ())
    assert "insufficient data" in report.as_markdown()


def test_a_few_days_are_not_enough_history(load: Load, connection, marts):
    first = LAST_DAY - timedelta(days=3)
    frame = marts["revenue_analytics"]
    short = {"revenue_analytics": frame[frame["revenue_date"] >= first]}
    summary = marts["dashboard_summary"]
    short["dashboard_summary"] = summary[summary["summary_date"] >= first]
    found = by_id(collect_facts(connection, load(short), LAST_DAY, release=1))
    fact = found["revenue.gross_amount.USD"]
    assert fact.value is not None and fact.note == "not enough history"
    assert fact.compared("day_before") and not fact.compared("same_weekday") and not fact.compared("mean_28_days")
    assert fact.anomaly.verdict == fact.trend.verdict == "not enough history"
    assert found["revenue.gross_amount.USD.last_28_days"].note == "not enough history"
    report = write_report("acme", LAST_DAY, tuple(found.values()))
    assert all("28 days before" not in sentence.text for sentence in report.insights)


def test_a_day_after_the_data_is_told_and_answered_with_the_datas_last_day(facts, published):
    later = LAST_DAY + timedelta(days=3)
    found = by_id(collect_facts(published, "tenant_acme_analytics", later, release=3))
    assert found["freshness.days_behind"].value == 3
    assert found["payments.count"] == by_id(facts)["payments.count"]
    report = write_report("acme", later, tuple(found.values()))
    assert report.insights[0].text.startswith("The newest data is of 2026-06-30;")
    assert report.recommendations[0].action == "check_syncs"


def test_a_day_before_the_last_does_not_look_ahead(published, marts):
    earlier = LAST_DAY - timedelta(days=40)
    found = by_id(collect_facts(published, "tenant_acme_analytics", earlier, release=3))
    summary = marts["dashboard_summary"].set_index("summary_date")
    assert found["orders.count"].value == summary.loc[earlier, "order_count"]
    assert found["freshness.days_behind"].value == 0


HOSTILE = "x'; drop table y; -- %s %(a)s :b \\ \"“”\u202e `1,234` | <b>\n## 99 USD"


def test_hostile_names_stay_names(load: Load, connection, marts):
    renamed = {name: frame.copy() for name, frame in marts.items()}
    renamed["developer_activity"]["repository"] = HOSTILE
    renamed["revenue_analytics"]["currency"] = renamed["revenue_analytics"]["currency"].replace("USD", HOSTILE)
    renamed["unified_customers"]["country"] = HOSTILE
    facts = collect_facts(connection, load(renamed), LAST_DAY, release=1)
    assert all(
        set(fact.id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for fact in facts
    )
    money = next(fact for fact in facts if fact.id.startswith("revenue.gross_amount.x"))
    assert money.unit == "money" and money.value is not None
    markdown = write_report("acme", LAST_DAY, facts).as_markdown()
    assert "<b>" not in markdown and "\n## 99" not in markdown and "\u202e" not in markdown


def test_numbers_that_are_none_are_no_facts(load: Load, connection, marts):
    frame = marts["revenue_analytics"].copy()
    frame.loc[frame["revenue_date"] == LAST_DAY, "gross_amount"] = Decimal("NaN")
    frame["gross_amount"] = frame["gross_amount"].map(lambda value: "NaN" if pd.isna(value) else value)
    facts = collect_facts(connection, load({**marts, "revenue_analytics": frame}), LAST_DAY, release=1)
    assert by_id(facts)["revenue.gross_amount.USD"].value is None
    write_report("acme", LAST_DAY, facts)


@pytest.mark.parametrize("amount", ["-12.5", "1e40", "1e400", "0.004"])
def test_strange_amounts_make_a_report_all_the_same(load: Load, connection, marts, amount):
    frame = marts["revenue_analytics"].copy()
    frame["gross_amount"] = frame["gross_amount"].astype(object)
    frame.loc[frame["revenue_date"] >= LAST_DAY - timedelta(days=3), "gross_amount"] = amount
    facts = collect_facts(connection, load({**marts, "revenue_analytics": frame}), LAST_DAY, release=1)
    assert by_id(facts)["revenue.gross_amount.USD"].value == Decimal(amount)
    assert "Gross revenue in USD on 2026-06-30" in write_report("acme", LAST_DAY, facts).as_markdown()


def test_a_missing_mart_is_a_permanent_error(load: Load, connection, marts):
    schema = load(marts)
    connection.exec_driver_sql(f"drop table {schema}.developer_activity")
    with pytest.raises(PermanentError, match=r"developer_activity.*does not exist"):
        collect_facts(connection, schema, LAST_DAY, release=1)

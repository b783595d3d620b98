"""Charts of marts as tenants' data can make them; a chart never ends a build."""

import re

import pytest

from orchestration.assets.mart_charts import CHARTS, mart_chart
from orchestration.assets.marts import MANIFEST, load_manifest, mart_specs

ODD = """
    select day::date as revenue_date, currency, amount::numeric as gross_amount, 1 as paying_customer_count
    from (values ('2026-03-01', 'EUR', '1.5'), ('2026-03-03', 'EUR', 'NaN'), ('2026-03-04', 'EUR', '4'),
                 ('infinity', 'EUR', '1'), ('-infinity', 'EUR', '1'), ('12026-01-01', 'EUR', '1'),
                 ('0044-03-15 BC', 'EUR', '1'), (null, 'EUR', '1'), ('2026-03-04', 'JPY', '1e400'),
                 ('2026-03-05', 'EUR', null), ('2026-03-05', 'EUR', '-2')) as odd(day, currency, amount)
"""


def chart_of(tenant, query):
    tenant.build(marts={"revenue_analytics": query})
    return mart_chart(tenant.builder, tenant.names.build, "revenue_analytics")["chart"].value


def test_odd_days_and_numbers_are_left_out_and_currencies_never_added(tenant):
    told = chart_of(tenant, ODD)
    assert told.startswith("![gross revenue in EUR by day, 2026-01-05 to 2026-03-05, at most 4](data:image/svg+xml,")
    assert len(re.findall(r"M\d+,\d+V\d+", told)) == 2  # a column per day with revenue


@pytest.mark.parametrize("where", ["false", "gross_amount is null"], ids=["no rows", "no amounts"])
def test_a_mart_without_numbers_says_so(tenant, where):
    told = chart_of(tenant, f"select * from ({ODD}) as odd where {where}")
    assert told.startswith("*Nothing to draw:* gross revenue")


def test_what_a_tenant_calls_its_currency_is_text(tenant):
    name = "](javascript:y)"
    query = (
        f"select date '2026-03-01' as revenue_date, '{name}' as currency, 1 as gross_amount, 1 as paying_customer_count"
    )
    told = chart_of(tenant, query)
    assert told.count(name) == told.count("\\" + name) == 2


@pytest.mark.skipif(not MANIFEST.exists(), reason="`make manifest` writes it")
def test_every_chart_is_of_columns_that_its_mart_has():
    marts = {spec.key.path[-1] for spec in mart_specs()}
    assert set(CHARTS) == marts
    columns = {node["name"]: set(node["columns"]) for node in load_manifest()["nodes"].values()}
    for mart, chart in CHARTS.items():
        asked = {chart.day, chart.column, chart.split, chart.weight} - {None, "1"}
        assert asked <= columns[mart], mart


def test_a_mart_that_nobody_draws_has_no_chart(tenant):
    assert mart_chart(tenant.builder, tenant.names.build, "other") == {}

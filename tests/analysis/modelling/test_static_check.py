import pytest

from analysis.modelling.checks import check_sql

ALLOWED = {("raw", "orders"), ("warehouse", "raw", "orders")}


@pytest.mark.parametrize(
    "sql",
    [
        "select id from raw.orders",
        'select id from "warehouse"."raw"."orders"',
        "with source as (select * from raw.orders), renamed as (select id::text from source) select * from renamed",
        "select null::text as id where false",
        "select lower(trim(a)), coalesce(a, b), a at time zone 'UTC', data #>> array['x']::text[] from raw.orders",
        "select row_number() over (partition by id order by at desc nulls last) as n from raw.orders",
    ],
)
def test_a_plain_select_from_known_relations_passes(sql):
    assert check_sql(sql, ALLOWED) == ()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1; select 2", "2 statements"),
        ("", "0 statements"),
        ("delete from raw.orders", "is a delete"),
        ("create table x as select 1", "is a create"),
        ("vacuum", "not a select"),
        ("copy raw.orders to '/tmp/x'", "not a select"),
        ("with gone as (delete from raw.orders returning *) select * from gone", "delete"),
        ("select * into x from raw.orders", "into"),
        ("select * from raw.orders for update", "lock"),
        ("select * from other.orders", "other.orders"),
        ("select * from orders", "relation"),
        ("select * from pg_catalog.pg_authid", "pg_authid"),
        ("with orders as (select 1 as a) select * from public.orders", "public.orders"),
        ("select * from (with inner_cte as (select 1) select * from inner_cte) as x, inner_cte", "inner_cte"),
        ("select pg_read_file('/etc/passwd')", "pg_read_file"),
        ("select pg_catalog.pg_sleep(10)", "pg_sleep"),
        ("select set_config('role', 'x', false)", "set_config"),
        ("select current_setting('x')", "current_setting"),
        ("select * from dblink('x', 'y') as t(a text)", "dblink"),
        ("select * from generate_series(1, 1000000000)", "function"),
        ("select 'pg_authid'::regclass", "REGCLASS"),
        ("select a from raw.orders where exists (select 1 from secret.keys)", "secret.keys"),
        ("select (select password from secret.keys)", "secret.keys"),
        ("select 1 union all select a from secret.keys", "secret.keys"),
        ("select * from lateral (select * from secret.keys) as x", "secret.keys"),
        ("table secret.keys", "secret.keys"),
        ("with recursive a as (select 1 union all select * from a) select * from a", "recursive"),
        ("select '", "cannot be read"),
        ("select current_user", "function"),
        ("select version()", "version"),
        ("select lo_import('/etc/passwd')", "lo_import"),
        ("select query_to_xml('select 1', true, true, '')", "query_to_xml"),
        ("select a.pg_sleep(1) from raw.orders a", "pg_sleep"),
        ("select 1 operator(evil.+) 2", ""),
        ("select $1", ""),
    ],
)
def test_whatever_could_do_harm_is_said_in_a_sentence(sql, said):
    findings = check_sql(sql, ALLOWED, "model")
    assert findings
    assert all(finding.place == "model" and finding.sentence.endswith(".") for finding in findings)
    assert any(said in finding.sentence for finding in findings)

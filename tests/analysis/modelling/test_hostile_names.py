import json

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql

from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.modelling import plan_models, render
from analysis.modelling.checks import check_plan, check_set
from analysis.modelling.naming import is_addressable
from analysis.profiling import CandidateKey, ColumnProfile, SampleProfile, StreamProfile

NASTY = (
    "{{ 1 / 0 }}",
    "{{ ref('x') }}",
    "{% raw %}",
    "{%- endraw -%}",
    "{# not a comment",
    "#}",
    "}}",
    "'); drop table x; --",
    'a" from x; --',
    '"',
    "'",
    "\\",
    "\\'",
    "line\nfeed",
    "carriage\rreturn",
    "\r\n",
    "tab\t",
    " ",
    "select",
    "user",
    "$$x$$",
    "/* x",
    "-- x",
    "%s %(x)s %",
    ":x",
    "?",
    "crème brûlée",
    "名前",
    "😀",
    "\u2028",
    "_source",
    "_airbyte_meta",
    "_sluice_row_number",
    "Created At",
    "created_at",
    "createdAt",
    "CREATED-AT",
    "1st",
    "{ single",
    "{'a': 1}",
    "!!python/object:os.system",
    "*alias",
    "&anchor",
    "- item: x",
)
LONG = ("a" * 200, "{{ " * 60, "é" * 100)
ITEM = "[]"

hostile_names = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=3).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
)


def fits_a_column(name: str) -> bool:
    return is_addressable(name) and len(name.encode()) <= 63 and not name.startswith("_airbyte_")


def column(name: str, declared_type: str) -> ColumnProfile:
    return ColumnProfile(
        path=(name,), declared_type=declared_type, observed_type=declared_type, null_ratio=0, distinct_ratio=1
    )


def stream_of(source: str, stream: str, table: str, names: list[str], json_name: str, key: bool) -> StreamProfile:
    columns = [column(name, "string") for name in names if name != json_name] + [column(json_name, "object")]
    declared = CandidateKey(columns=((names[0],),), is_declared=True, duplicates=0, evidence="")
    return StreamProfile(
        source=source,
        stream=stream,
        table=table,
        row_count=1,
        columns=tuple(columns),
        keys=(declared,) if key and names[0] != json_name else (),
        cursor=(names[-1],),
    )


def feeding(profile: StreamProfile, paths: list[tuple[str, ...]]) -> StreamMapping:
    fields = zip(("id", "full_name", "email", "phone", "company_name"), paths, strict=False)
    return StreamMapping(
        source=profile.source,
        stream=profile.stream,
        entity="customer",
        confidence=1,
        evidence="",
        fields=tuple(
            FieldMapping(path=path, field=name, transform="text", confidence=1, method="rule", evidence="")
            for name, path in fields
        ),
    )


# A dbt build takes seconds: many names in each of two projects, and no search for a smaller failure.
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(hostile_names, min_size=25, max_size=40, unique=True))
def test_hostile_names_never_become_sql_or_jinja(drawn, load_raw, run_dbt, database):
    names = list(dict.fromkeys(name for name in (*NASTY, *drawn) if fits_a_column(name)))
    tables = [f"{name[:20]}_{place}" for place, name in enumerate(names[:8])]
    half = len(names) // 2
    streams = [
        stream_of(
            names[0], names[place], table, names[:half] if place % 2 else names[half:], names[place + 1], place > 5
        )
        for place, table in enumerate(tables)
    ]
    profile = SampleProfile(streams=tuple(streams))
    inside = [name for name in (*drawn, *NASTY, *LONG) if is_addressable(name) and name != ITEM]
    mapping = feeding(streams[0], [(names[1], key) for key in inside[:5]])
    plan = plan_models(profile, [mapping])
    model_set = render(plan)
    assert check_plan(plan, profile) == ()
    assert check_set(model_set, plan) == ()

    load_raw(plan, {(s.source, s.stream): [_record(s, inside)] for s in streams})
    results, _ = run_dbt(model_set, "build", "--select", "package:sluice_set", "canonical_customer")

    assert {result["status"] for result in results} <= {"success", "pass"}
    with psycopg.connect(database) as connection:
        for own in plan.own:
            _assert_values_survived(connection, plan, own)
        query = "select id, full_name, email, phone, company_name from analytics.canonical_customer"
        assert connection.execute(query).fetchone() == tuple(inside[:5])


def _record(stream: StreamProfile, inside: list[str]) -> dict[str, object]:
    record: dict[str, object] = {found.path[0]: found.path[0] for found in stream.columns}
    return record | {stream.columns[-1].path[0]: {key: key for key in inside}}


def _assert_values_survived(connection, plan, own):
    staging = plan.staging_model(own.staging)
    query = sql.SQL("select to_jsonb(model) from analytics.{} as model").format(sql.Identifier(own.name))
    (row,) = connection.execute(query).fetchone()
    for found in staging.columns:
        if found.transform == "text":
            assert row[found.name] == found.path[0]
    assert row["_source"] == staging.source


@pytest.mark.parametrize("name", LONG, ids=["letters", "braces", "accents"])
def test_a_very_long_name_becomes_a_short_one(name):
    profile = stream_of("shop", name, name, [name, "id"], "id", False)
    plan = plan_models(SampleProfile(streams=(profile,)), ())
    names = [plan.own[0].name, plan.staging[0].name, *(found.name for found in plan.staging[0].columns)]
    assert all(len(found.encode()) <= 63 for found in names)
    json.loads(plan.model_dump_json())

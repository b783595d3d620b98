import random

import pytest

from analysis.errors import PermanentError
from analysis.mapping import FieldMapping, StreamMapping
from analysis.mapping.vocabulary import CANONICAL_ENTITIES
from analysis.modelling import dump_plan, example_plan, executable_part, load_plan, plan_models, render
from analysis.modelling.checks import check_plan, check_set
from analysis.profiling import CandidateKey, ColumnProfile, SampleProfile, StreamProfile


def column(path: str, declared: str = "string", **seen: object) -> ColumnProfile:
    parts = tuple(path.split("."))
    plain = {"observed_type": declared, "null_ratio": 0, "distinct_ratio": 1}
    return ColumnProfile(path=parts, declared_type=declared, **{**plain, **seen})


def stream(name: str = "orders", source: str = "shop", *columns: ColumnProfile, **changes: object) -> StreamProfile:
    plain = {
        "table": f"{source}_{name}",
        "row_count": 100,
        "columns": columns or (column("id", "integer"), column("total", "integer"), column("currency")),
        "keys": (CandidateKey(columns=(("id",),), is_declared=True, duplicates=0, evidence="Declared."),),
    }
    return StreamProfile(source=source, stream=name, **{**plain, **changes})


def field(path: str, name: str, transform: str, *arguments: str, **changes: object) -> FieldMapping:
    plain = {"confidence": 0.9, "method": "rule", "evidence": "The name says so."}
    return FieldMapping(
        path=tuple(path.split(".")),
        field=name,
        transform=transform,
        arguments=tuple(tuple(argument.split(".")) for argument in arguments),
        **{**plain, **changes},
    )


def mapping(entity: str | None, *fields: FieldMapping, name: str = "orders", **changes: object) -> StreamMapping:
    plain = {"source": "shop", "stream": name, "confidence": 0.9, "evidence": "The name says so."}
    return StreamMapping(entity=entity, fields=fields, **{**plain, **changes})


def profile_of(*streams: StreamProfile) -> SampleProfile:
    return SampleProfile(streams=streams)


ORDER = mapping("order", field("id", "id", "text"), field("total", "total_amount", "minor_units", "currency"))


def test_equal_plans_are_one_set_whatever_the_order_of_what_they_are_made_from():
    streams = [stream(name) for name in ("orders", "refunds", "users")]
    shuffled = [found.model_copy(update={"columns": found.columns[::-1]}) for found in streams]
    random.Random(7).shuffle(shuffled)
    one = plan_models(profile_of(*streams), [ORDER, mapping(None, name="users")])
    other = plan_models(profile_of(*shuffled), [mapping(None, name="users"), ORDER])
    assert render(one) == render(other)
    assert list(render(one).files) == sorted(render(one).files)


def test_evidence_and_confidence_do_not_change_what_is_built():
    surer = mapping(
        "order",
        *(found.model_copy(update={"confidence": 1, "method": "person", "evidence": "Ann"}) for found in ORDER.fields),
        confidence=1,
    )
    one, other = (plan_models(profile_of(stream()), [found]) for found in (ORDER, surer))
    assert one.decisions != other.decisions
    assert executable_part(one) == executable_part(other)
    assert render(one) == render(other)
    assert b"Ann" not in executable_part(other)


def test_a_changed_choice_changes_the_name():
    one = plan_models(profile_of(stream()), [ORDER])
    other = plan_models(profile_of(stream()), [mapping("order", *ORDER.fields[:1])])
    assert render(one).name != render(other).name


def test_a_plan_survives_json_exactly():
    plan = plan_models(profile_of(stream()), [ORDER])
    assert load_plan(dump_plan(plan)) == plan
    with pytest.raises(PermanentError, match="not a model plan"):
        load_plan('{"sources": 1}')
    with pytest.raises(PermanentError, match="another version"):
        load_plan('{"version": 99}')


def test_every_canonical_entity_has_a_union_even_without_sources():
    plan = example_plan()
    assert [union.entity for union in plan.unions] == list(CANONICAL_ENTITIES)
    assert check_plan(plan, profile_of()) == ()
    assert check_set(render(plan), plan) == ()


def test_a_stream_feeds_an_entity_or_becomes_a_model_of_its_own():
    plan = plan_models(profile_of(stream(), stream("refunds")), [ORDER, mapping("invoice", name="refunds")])
    members = {member.staging for union in plan.unions for member in union.members}
    assert members == {"stg_shop__orders"}
    assert [own.name for own in plan.own] == ["shop__refunds"]


def test_of_two_streams_of_a_source_for_one_entity_the_surer_feeds_it():
    rival = mapping("order", field("id", "id", "text"), name="old_orders", confidence=0.95)
    plan = plan_models(profile_of(stream(), stream("old_orders")), [ORDER, rival])
    (member,) = next(union.members for union in plan.unions if union.entity == "order")
    assert member.staging == "stg_shop__old_orders"
    assert [own.name for own in plan.own] == ["shop__orders"]


@pytest.mark.parametrize(
    "bad",
    [
        field("gone", "order_number", "text"),
        field("id", "no_such_field", "text"),
        field("total", "order_number", "minor_units", "currency"),
        field("total", "total_tax", "minor_units"),
        field("total", "total_tax", "drop_table"),
        field("currency.inside", "order_number", "text"),
    ],
    ids=["no column", "no field", "wrong type", "no argument", "no transform", "inside text"],
)
def test_a_mapping_that_cannot_be_carried_out_leaves_the_field_null_and_says_so(bad):
    plan = plan_models(profile_of(stream()), [mapping("order", *ORDER.fields, bad)])
    assert render(plan) == render(plan_models(profile_of(stream()), [ORDER]))
    refused = [decision for decision in plan.decisions if decision.choice == "left null"]
    assert [decision.subject for decision in refused] == [f"staging/stg_shop__orders/{bad.field}"]
    assert check_plan(plan, profile_of(stream())) == ()


def test_a_cast_gives_way_to_the_cast_that_the_vocabulary_asks_for():
    plan = plan_models(profile_of(stream()), [mapping("order", field("total", "total_tax", "integer"))])
    assert plan.staging_model("stg_shop__orders").column("order_total_tax").transform == "numeric"


def test_only_declared_keys_fail_a_build_and_only_where_the_sample_has_no_gap():
    declared = stream()
    gap = stream("gaps", "shop", column("id", null_ratio=0.5))
    key = CandidateKey(columns=(("id",),), is_declared=False, duplicates=0, evidence="No value twice.")
    inferred = stream("guess", keys=(key,))
    plan = plan_models(profile_of(declared, gap, inferred), ())
    severities = {own.name: [(test.kind, test.severity) for test in own.tests] for own in plan.own}
    assert severities == {
        "shop__orders": [("unique", "error"), ("not_null", "error")],
        "shop__gaps": [("unique", "error"), ("not_null", "warn")],
        "shop__guess": [("unique", "warn"), ("not_null", "warn")],
    }


def test_values_are_tested_only_where_few_plain_words_come_often():
    often = (("open", 60), ("closed", 40))
    columns = (
        column("state", semantic_type="enum", top_values=often),
        column("private", semantic_type="enum", top_values=often, is_personal=True),
        column("nasty", semantic_type="enum", top_values=(("it's", 60), ("{{ x }}", 40))),
        column("rare", semantic_type="enum", top_values=(("open", 99), ("odd", 1))),
    )
    plan = plan_models(profile_of(stream("orders", "shop", *columns, keys=())), ())
    assert [(test.columns, test.values) for test in plan.own[0].tests] == [(("state",), ("closed", "open"))]


def test_a_source_cannot_take_the_name_of_a_model_of_ours():
    plan = plan_models(profile_of(stream("union", "int_customer"), stream("b", "a"), stream("b", "stg_a")), ())
    names = [found.name for found in (*plan.staging, *plan.own)] + [union.name for union in plan.unions]
    assert len(set(names)) == len(names)
    assert check_plan(plan, profile_of(stream("union", "int_customer"), stream("b", "a"), stream("b", "stg_a"))) == ()


def test_a_stream_given_twice_is_an_error():
    with pytest.raises(PermanentError, match="twice"):
        plan_models(profile_of(stream(), stream()), ())


def test_sixteen_hundred_columns_and_none_are_both_planned():
    wide = stream("wide", "shop", *(column(f"Column {place}") for place in range(1596)), keys=())
    bare = stream("bare", columns=(), keys=())
    plan = plan_models(profile_of(wide, bare), ())
    assert check_plan(plan, profile_of(wide, bare)) == ()
    assert check_set(render(plan), plan) == ()
    assert len(plan.staging_model("stg_shop__wide").columns) == 1596


def test_a_cursor_of_epoch_seconds_is_shown_as_a_time_and_a_key_as_it_is():
    moments = [column(name, "integer", semantic_type="epoch_seconds") for name in ("id", "created")]
    plan = plan_models(profile_of(stream("charges", "pay", *moments, cursor=("created",))), ())
    staged = {each.name: each.sql_type for each in plan.staging[0].columns}
    assert staged == {"id": "bigint", "created": "timestamptz"}
    text = render(plan).files["models/staging/pay/stg_pay__charges.sql"]
    assert "created desc nulls last" in text

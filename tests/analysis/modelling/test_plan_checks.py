import pytest

from analysis.modelling import ModelPlan, plan_models, render
from analysis.modelling.checks import check_plan, check_set
from analysis.modelling.plan import EntityUnion, UnionField, UnionMember
from analysis.profiling import CandidateKey, ColumnProfile, SampleProfile, StreamProfile


def column(name: str, declared: str) -> ColumnProfile:
    return ColumnProfile(path=(name,), declared_type=declared, observed_type=declared, null_ratio=0, distinct_ratio=1)


PROFILE = SampleProfile(
    streams=(
        StreamProfile(
            source="shop",
            stream="orders",
            table="shop_orders",
            row_count=1,
            columns=(column("id", "integer"), column("flag", "boolean"), column("data", "object")),
            keys=(CandidateKey(columns=(("id",),), is_declared=True, duplicates=0, evidence=""),),
        ),
    )
)
PLAN = plan_models(PROFILE, ())


def with_column(**changes: object) -> ModelPlan:
    (model,) = PLAN.staging
    columns = tuple(found.model_copy(update=changes) if found.name == "flag" else found for found in model.columns)
    return PLAN.model_copy(update={"staging": (model.model_copy(update={"columns": columns}),)})


def with_member(staging: str, *fields: UnionField, entity: str = "order") -> ModelPlan:
    member = UnionMember(staging=staging, fields=fields)
    unions = [
        union.model_copy(update={"members": (member,)}) if union.entity == entity else union for union in PLAN.unions
    ]
    return PLAN.model_copy(update={"unions": tuple(unions)})


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (with_column(path=("gone",)), "no column for 'gone'"),
        (with_column(path=("id", "inside")), "no JSON"),
        (with_column(path=("data", "[]", "x"), transform="text", sql_type="text"), "array"),
        (with_column(transform="date", sql_type="date"), "does not take a boolean"),
        (with_column(transform="exec"), "no transform 'exec'"),
        (with_column(sql_type="text"), "makes a boolean"),
        (with_column(arguments=(("id",),)), "takes 0 argument"),
        (with_column(name="id"), "Two columns"),
        (with_column(name="x; drop"), "not a safe name of a column"),
        (with_column(name="_source"), "not a safe name of a column"),
        (with_member("gone"), "no staging model 'gone'"),
        (with_member("stg_shop__orders", UnionField(field="gone", column="id")), "no such field"),
        (with_member("stg_shop__orders", UnionField(field="id", column="id")), "is no text"),
        (PLAN.model_copy(update={"unions": PLAN.unions[1:]}), "has 0 unions"),
        (PLAN.model_copy(update={"unions": (*PLAN.unions, EntityUnion(entity="x", name="y"))}), "no entity 'x'"),
        (PLAN.model_copy(update={"staging": PLAN.staging * 2}), "Two models"),
        (PLAN.model_copy(update={"sources": ()}), "is not in the plan"),
        (PLAN.model_copy(update={"staging": ()}), "no staging model"),
    ],
)
def test_a_plan_that_names_what_is_not_there_is_found_out(plan, said):
    assert any(said in finding.sentence for finding in check_plan(plan, PROFILE))


def test_a_plan_for_another_profile_is_found_out():
    assert check_plan(PLAN, PROFILE) == ()
    assert any("no stream 'orders'" in finding.sentence for finding in check_plan(PLAN, SampleProfile(streams=())))


def test_a_set_that_is_not_its_plans_is_found_out():
    model_set = render(PLAN)
    changed = model_set.model_copy(update={"files": {**model_set.files, "models/own/shop__orders.sql": "select 1"}})
    assert [finding.sentence for finding in check_set(changed, PLAN)] == [
        "The model set is not what its plan renders to."
    ]

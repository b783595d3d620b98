from analysis.modelling.plan import ModelPlan, RawColumn, Source, SourceStream
from orchestration.gates.drift import compare


def plan_reading(**columns: str) -> ModelPlan:
    stream = SourceStream(
        name="orders",
        table="shop_orders",
        model_name="shop_orders",
        description="Orders.",
        columns=tuple(RawColumn(name=name, sql_type=kind) for name, kind in columns.items()),
    )
    return ModelPlan(sources=(Source(name="shop", model_name="shop", description="Shop.", streams=(stream,)),))


def test_tables_that_fit_the_plan_do_not_drift():
    found = compare(
        plan_reading(id="bigint", at="timestamptz"), {"shop_orders": {"id": "bigint", "at": "timestamp with time zone"}}
    )
    assert (found.breaking, found.additive) == ((), ())


def test_a_new_column_is_additive():
    found = compare(plan_reading(id="bigint"), {"shop_orders": {"id": "bigint", "note": "character varying"}})
    assert (found.breaking, found.additive) == ((), ("shop_orders.note",))


def test_a_missing_table_a_missing_column_and_another_type_break():
    plan = plan_reading(id="bigint", total="numeric")
    assert compare(plan, {}).breaking == ("table shop_orders is missing",)
    assert compare(plan, {"shop_orders": {"id": "bigint"}}).breaking == ("column shop_orders.total is missing",)
    assert compare(plan, {"shop_orders": {"id": "text", "total": "numeric"}}).breaking == (
        "column shop_orders.id became text, was bigint",
    )


def test_a_table_that_the_plan_does_not_read_is_ignored():
    assert compare(plan_reading(id="bigint"), {"shop_orders": {"id": "bigint"}, "other": {"x": "text"}}).breaking == ()

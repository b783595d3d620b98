import pytest
from sqlalchemy import select

from analysis.store import plans
from analysis.store.tables import model_plans, reviews


@pytest.fixture
def proposed(store):
    plans.save_model_set(store, "set_a", "1", {"models/a.sql": "select 1"})
    return plans.save_plan(store, "acme", "set_a", {"models": []})


def plan_status(store, plan_id):
    return store.execute(select(model_plans.c.status).where(model_plans.c.plan_id == plan_id)).scalar_one()


def only_review(store, plan_id):
    return store.execute(select(reviews).where(reviews.c.plan_id == plan_id)).one()


def test_a_model_set_is_kept_under_its_name_once(store):
    for _ in range(2):
        plans.save_model_set(store, "set_a", "1", {"models/a.sql": "select 1"})
    assert plans.find_model_set(store, "set_a").files == {"models/a.sql": "select 1"}
    assert plans.find_model_set(store, "set_b") is None


def test_a_new_proposal_supersedes_the_one_before_and_withdraws_its_review(store, proposed):
    review = plans.open_review(store, proposed.plan_id)
    newer = plans.save_plan(store, "acme", "set_a", {"models": ["more"]})
    assert plan_status(store, proposed.plan_id) == "superseded"
    assert only_review(store, proposed.plan_id).status == "withdrawn"
    assert review.status == "pending"
    assert plans.latest_plan(store, "acme", "proposed") == newer


def test_a_review_is_open_once_and_decided_once(store, proposed):
    assert plans.open_review(store, proposed.plan_id) == plans.open_review(store, proposed.plan_id)
    assert plans.decide_review(store, proposed.plan_id, "rejected", decided_by="ada", reason="wrong key")
    assert not plans.decide_review(store, proposed.plan_id, "approved", decided_by="bob")
    assert plan_status(store, proposed.plan_id) == "rejected"
    assert only_review(store, proposed.plan_id).reason == "wrong key"


def test_an_approval_leaves_one_approved_plan(store, proposed):
    plans.open_review(store, proposed.plan_id)
    plans.decide_review(store, proposed.plan_id, "approved", decided_by="policy")
    newer = plans.save_plan(store, "acme", "set_a", {})
    assert plans.latest_plan(store, "acme", "approved").plan_id == proposed.plan_id
    plans.open_review(store, newer.plan_id)
    plans.decide_review(store, newer.plan_id, "approved", decided_by="policy")
    assert plan_status(store, proposed.plan_id) == "superseded"
    assert plans.latest_plan(store, "acme", "approved").plan_id == newer.plan_id


def test_verdicts_are_listed_in_the_order_they_fell(store, proposed):
    plans.record_verdict(store, proposed.plan_id, "static", True, {"models": 3})
    plans.record_verdict(store, proposed.plan_id, "build", False, {"failed": ["a"]})
    assert [(row.gate, row.passed) for row in plans.list_verdicts(store, proposed.plan_id)] == [
        ("static", True),
        ("build", False),
    ]

import pytest
from sqlalchemy import func, select

from analysis.store import erasure, tenants
from analysis.store.plans import find_model_set, open_review, record_verdict, save_model_set, save_plan
from analysis.store.runs import record_incident
from analysis.store.tables import SCHEMA, metadata
from analysis.store.tenants import insert_tenant


@pytest.fixture
def two(store):
    """`acme` and `globex`, a plan each of a set they share, one more of a set of acme's own."""
    insert_tenant(store, "globex")
    for name in ("shared", "own"):
        save_model_set(store, name, "1", {})
    for tenant, model_set in (("acme", "shared"), ("acme", "own"), ("globex", "shared")):
        plan = save_plan(store, tenant, model_set, {})
        open_review(store, plan.plan_id)
        record_verdict(store, plan.plan_id, "static", True, {})
        record_incident(store, tenant, "build", "It failed.", is_permanent=True)
        tenants.save_source(store, tenant, "shop", "file")
    return store


def test_an_erased_tenant_leaves_no_row_and_its_neighbour_every_row(two):
    erased = erasure.erase_records(two, "acme")
    assert (erased["model_plans"], erased["reviews"], erased["gate_verdicts"], erased["model_sets"]) == (2, 2, 2, 1)
    assert (erased["tenants"], erased["incidents"], erased["tenant_sources"], erased["reports"]) == (1, 2, 1, 0)
    for table in metadata.sorted_tables:
        if table.schema == SCHEMA and "tenant_id" in table.c:
            counted = select(func.count()).where(table.c.tenant_id == "acme")
            assert two.execute(counted).scalar_one() == 0, table.name
    assert find_model_set(two, "own") is None
    assert find_model_set(two, "shared") is not None
    assert tenants.find_tenant(two, "globex") and tenants.list_sources(two, "globex")


def test_a_shared_set_goes_with_the_last_tenant_that_used_it(two):
    erasure.erase_records(two, "globex")
    assert find_model_set(two, "shared") is not None
    assert erasure.exclusive_sets(two, "acme") == ["own", "shared"]
    assert erasure.erase_records(two, "acme")["model_sets"] == 2


def test_every_table_of_the_schema_is_erased_or_said_to_stay(store):
    covered = set(erasure.erase_records(store, "acme"))
    left = {table.name for table in metadata.sorted_tables if table.schema == SCHEMA} - covered
    assert left == {"audit_log", "audit_head"}

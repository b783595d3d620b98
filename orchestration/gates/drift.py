"""Drift, first cut: the columns of the raw tables against those that the approved plan reads."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.errors import PermanentError
from analysis.modelling import ModelPlan
from orchestration.gates.approved import approved_plan
from orchestration.resources.raw_data import table_columns
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.registry import pause_tenant

SQL_NAMES = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "character varying": "varchar",
}


@dataclass(frozen=True)
class Drift:
    """What changed since the plan: sentences for what breaks it, names of what came on top."""

    breaking: tuple[str, ...]
    additive: tuple[str, ...]


def find_drift(warehouse: Warehouse, tenant: str) -> Drift:
    """Compare the tenant's raw tables with its approved plan."""
    with warehouse.control.connect() as store:
        plan = approved_plan(store, tenant)
    return compare(plan, table_columns(warehouse.builder(tenant), TenantNames(TenantId(tenant)).raw))


def compare(plan: ModelPlan, tables: dict[str, dict[str, str]]) -> Drift:
    """A missing table or column, or one of another type, is breaking; a new column is additive."""
    breaking, additive = [], []
    for stream in (stream for source in plan.sources for stream in source.streams):
        columns = tables.get(stream.table)
        if columns is None:
            breaking.append(f"table {stream.table} is missing")
            continue
        for expected in stream.columns:
            found = columns.get(expected.name)
            if found is None:
                breaking.append(f"column {stream.table}.{expected.name} is missing")
            elif SQL_NAMES.get(found, found) != SQL_NAMES.get(expected.sql_type, expected.sql_type):
                breaking.append(f"column {stream.table}.{expected.name} became {found}, was {expected.sql_type}")
        known = {column.name for column in stream.columns}
        additive += [f"{stream.table}.{column}" for column in columns if column not in known]
    return Drift(tuple(breaking), tuple(additive))


def stop_on_drift(warehouse: Warehouse, tenant: str, found: Drift) -> None:
    """Pause the tenant when the plan no longer holds; other tenants go on."""
    if not found.breaking:
        return
    reason = "; ".join(found.breaking[:5]) + (f"; and {len(found.breaking) - 5} more" if found.breaking[5:] else "")
    pause_tenant(warehouse.control, tenant, reason)
    raise PermanentError(
        f"The sources no longer fit tenant {tenant}'s plan: {reason}."
        " If that is meant, resume the tenant and onboard it again.",
        changes=len(found.breaking),
    )

"""A step that failed, told where people look first: in the list of runs and at the asset's page of the tenant."""

from __future__ import annotations

from contextlib import suppress

import dagster as dg

from analysis.insights.markdown import plain
from orchestration.assets.lineage import BY_NAME, first_line
from orchestration.run_tags import FAILURE


def tell_failure(context: dg.AssetExecutionContext, step: str, reason: str) -> None:
    """Tag the run with the step and its first line, and observe the asset with it; lost storage does not hide it."""
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    tenant = context.partition_key
    with suppress(DagsterPostgresException, SQLAlchemyError):
        context.instance.add_run_tags(context.run.run_id, {FAILURE: f"{step}: {first_line(step, tenant, reason)}"})
        if step in BY_NAME:
            # Errors quote what tenants wrote, and the UI renders Markdown.
            told = dg.MetadataValue.md(first_line(step, tenant, plain(reason)))
            context.log_event(dg.AssetObservation(BY_NAME[step].key, partition=tenant, metadata={"failure": told}))

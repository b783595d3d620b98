"""What every asset shares: the tenant's key, and errors that become failures with a first line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from analysis.errors import PermanentError, SluiceError
from analysis.store.runs import record_error, resolve_incidents
from analysis.store.tenants import find_tenant
from orchestration.assets.failures import tell_failure
from orchestration.assets.freshness import tell_stale
from orchestration.assets.lineage import first_line, remedy
from orchestration.resources.warehouse import Warehouse


@contextmanager
def tenant_step(context: dg.AssetExecutionContext, warehouse: Warehouse, *, before_swap: bool = True) -> Iterator[str]:
    """Yield the tenant; an error is stored as an incident and ends the step with its sentence and what to do.

    A step that succeeds resolves its earlier incidents. What nobody foresaw passes as it is, with its traceback.
    Whatever fails before the swap leaves the published release stale, for that reason.
    """
    tenant = context.partition_key
    step = context.op_execution_context.op.name
    name = step.replace("__", "/")
    try:
        context.resources.tenant_run.check()
        yield tenant
    except SluiceError as error:
        permanent = isinstance(error, PermanentError)
        # The database may be what failed: that must not hide the sentence.
        with suppress(SQLAlchemyError), warehouse.control.begin() as connection:
            if find_tenant(connection, tenant) is not None:  # Dagster's partitions may name one that nobody added
                record_error(connection, tenant, step, error)
                if before_swap:
                    tell_stale(context, connection, tenant, error.sentence, remedy(name, tenant))
        tell_failure(context, name, str(error))
        raise dg.Failure(first_line(name, tenant, str(error)), allow_retries=not permanent) from error
    except (Exception, dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as error:
        reason = f"Step {step} did not finish: {type(error).__name__}."
        with suppress(SQLAlchemyError), warehouse.control.begin() as connection:
            if before_swap:
                tell_stale(context, connection, tenant, reason, remedy(name, tenant))
        tell_failure(context, name, reason)
        raise
    with warehouse.control.begin() as connection:
        resolve_incidents(connection, tenant, step=step)

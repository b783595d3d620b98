"""Checks of assets, told for each tenant apart: the gates, and what is worth knowing although nothing stops."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from analysis.errors import SluiceError
from analysis.insights.markdown import plain
from orchestration.assets.lineage import first_line
from orchestration.partitions import tenants

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def tenant_check(name: str, asset: dg.AssetKey, description: str) -> dg.AssetCheckSpec:
    """A check of an asset, told for each tenant apart."""
    with warnings.catch_warnings():
        # Checks by partition are a preview; without, the last tenant's answer would stand for all.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(name, asset=asset, partitions_def=tenants, description=description)


def judged(
    spec: dg.AssetCheckSpec,
    problem: str | None,
    passed: str | None = None,
    *,
    severity: dg.AssetCheckSeverity = ERROR,
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetCheckResult:
    """A check's result: the problem with what to do where there is one, else what was found."""
    return dg.AssetCheckResult(
        passed=problem is None,
        asset_key=spec.asset_key,
        check_name=spec.name,
        description=passed if problem is None else problem,
        severity=severity,
        metadata=metadata,
    )


def tell(context: dg.AssetExecutionContext, spec: dg.AssetCheckSpec, result: dg.AssetCheckResult) -> None:
    """Tell a result at once: a step that fails afterwards takes those with it that it would have returned."""
    evaluation = dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=result.passed,
        description=result.description,
        severity=result.severity,
        metadata=result.metadata,
        partition=context.partition_key,
    )
    context.log_event(evaluation)


def refusal(
    spec: dg.AssetCheckSpec, tenant: str, reason: str, metadata: Mapping[str, Any] | None = None
) -> dg.AssetCheckResult:
    """The result of a gate that refused a tenant: the reason, and what to do at its step."""
    return judged(spec, first_line(spec.asset_key.to_user_string(), tenant, plain(reason)), metadata=metadata)


@contextmanager
def gate(
    context: dg.AssetExecutionContext, spec: dg.AssetCheckSpec, metadata: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """A block that refuses by raising: its error fails the check with the error's sentence."""
    try:
        yield
    except SluiceError as error:
        tell(context, spec, refusal(spec, context.partition_key, str(error), metadata))
        raise

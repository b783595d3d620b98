"""The marts as Dagster assets, from the manifest of the example set that `make` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from analysis.errors import PermanentError
from orchestration.settings import PROJECT_ROOT

MANIFEST = PROJECT_ROOT / "dbt_project" / "target" / "manifest.json"
LAYER = "analytics"
MODELS = dg.AssetKey([LAYER, "models"])
"""Canonical and generated models: one asset before the marts, since each tenant has others."""


class LayerTranslator(DagsterDbtTranslator):
    """Every dbt model is `analytics/<name>`; the layer is the group."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The layer, then the model's name."""
        return dg.AssetKey([LAYER, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer."""
        return LAYER


@cache
def load_manifest() -> dict[str, Any]:
    """The example set's manifest; a PermanentError says how to make it."""
    if not MANIFEST.exists():
        raise PermanentError("The dbt manifest is missing; run `make manifest`.", path=str(MANIFEST))
    return dict(json.loads(MANIFEST.read_text()))


@cache
def mart_specs() -> tuple[dg.AssetSpec, ...]:
    """One spec per mart, each after those it reads; what is no mart counts as `analytics/models`."""
    specs = build_dbt_asset_specs(
        manifest=load_manifest(), dagster_dbt_translator=LayerTranslator(), select="sluice.marts"
    )
    marts = {spec.key: spec for spec in sorted(specs, key=lambda spec: spec.key)}
    reads = {key: {dep.asset_key for dep in spec.deps} for key, spec in marts.items()}
    # Dagster wants the results of a multi-asset in this order; dagster-dbt's own follows the hash of names.
    order = TopologicalSorter({key: sorted(deps & marts.keys()) for key, deps in reads.items()}).static_order()
    return tuple(
        marts[key].replace_attributes(
            deps={dep if dep in marts else MODELS for dep in reads[key]}, kinds={"dbt", "postgres"}
        )
        for key in order
    )

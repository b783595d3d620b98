"""The marts as Dagster assets, from the manifest of the example set that `make` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
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
    """One spec per mart, with dbt's description, columns and lineage; what is no mart counts as `analytics/models`."""
    specs = build_dbt_asset_specs(
        manifest=load_manifest(), dagster_dbt_translator=LayerTranslator(), select="sluice.marts"
    )
    marts = {spec.key for spec in specs}
    return tuple(
        spec.replace_attributes(
            deps={dep.asset_key if dep.asset_key in marts else MODELS for dep in spec.deps}, kinds={"dbt", "postgres"}
        )
        for spec in specs
    )

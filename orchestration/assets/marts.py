"""The marts as Dagster assets, from the manifest of the example set that `make` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from analysis.errors import PermanentError
from orchestration.settings import PROJECT_ROOT

MANIFEST = PROJECT_ROOT / "dbt_project" / "target" / "manifest.json"
MARTS = ["sluice", "marts"]
LAYER = "analytics"
EXAMPLE_RELATION = "dagster/table_name"
"""Metadata that names the example set's table; a tenant's own is told with each materialisation."""
MODELS = dg.AssetKey([LAYER, "models"])
"""Canonical and generated models: one asset before the marts, since each tenant has others."""


class LayerTranslator(DagsterDbtTranslator):
    """Every dbt model is `analytics/<name>`; the layer is the group."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The layer, then the model's name."""
        return dg.AssetKey([LAYER, dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the model's own documentation says, and where to read it; its SQL is in the repository."""
        name, told = dbt_resource_props["name"], " ".join(dbt_resource_props["description"].split())
        return (
            f"{told}\n\nWhy: a mart means the same for every tenant, whatever its sources are."
            f"\n\nWhere to look: `tenant_<id>_analytics.{name}`; `chart` and `preview` show the last build."
        )

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
    manifest, translator = load_manifest(), LayerTranslator()
    # Chosen by hand: dagster-dbt's `select` imports dbt's graph, which would double the time to load the definitions.
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    ids = sorted(node["unique_id"] for node in nodes if node["fqn"][:2] == MARTS)
    marts = {spec.key: spec for spec in (translator.get_asset_spec(manifest, each, None) for each in ids)}
    reads = {key: {dep.asset_key for dep in spec.deps} for key, spec in marts.items()}
    # Dagster wants the results of a multi-asset in this order.
    order = TopologicalSorter({key: sorted(deps & marts.keys()) for key, deps in reads.items()}).static_order()
    return tuple(
        marts[key].replace_attributes(
            deps={dep if dep in marts else MODELS for dep in reads[key]},
            kinds={"dbt", "postgres"},
            metadata={name: value for name, value in marts[key].metadata.items() if name != EXAMPLE_RELATION},
        )
        for key in order
    )

"""The history that a parsed model set declares, from the `meta.history` of its models."""

from typing import TYPE_CHECKING, Any

from analysis.errors import PermanentError
from orchestration.tenancy.history.spec import HistorySpec, parse_spec

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def declared_history(manifest: "Manifest") -> dict[str, HistorySpec]:
    """Each declaration by its model's table; one that cannot be kept is refused before anything is built."""
    models = [node for node in manifest.nodes.values() if str(node.resource_type) == "model"]
    return {node.identifier: _checked(node) for node in models if "history" in node.config.meta}


def _checked(node: Any) -> HistorySpec:
    spec = parse_spec(node.identifier, node.config.meta["history"])
    if node.config.materialized != "table":
        # A view's text is its builder's: the control role, which writes history, must never run it.
        raise PermanentError("Only a table can declare a history; change the model.", model=node.identifier)
    missing = [column for column in spec.key if node.columns and column not in node.columns]
    if missing:
        message = "A model's history names key columns that the model does not have; mend its yml."
        raise PermanentError(message, model=node.identifier, missing=missing)
    return spec

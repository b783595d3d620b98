"""Point the one manifest of a model set at one tenant, and refuse it if anything points elsewhere."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict

from analysis.errors import PermanentError

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

SOURCE_PLACEHOLDER = "sluice_raw"
"""The schema of every source in a rendered set."""

MATERIALIZATIONS = frozenset({"table", "view", "ephemeral"})


@dataclass(frozen=True)
class BuildTarget:
    """One tenant's builder login, what it reads and where it builds; the URL never shows in a repr."""

    url: str = field(repr=False)
    raw_schema: str
    build_schema: str

    @property
    def connection(self) -> dict[str, Any]:
        """libpq's parameters of the URL."""
        return dict(conninfo_to_dict(self.url))

    @property
    def database(self) -> str:
        """The database of the URL; a URL without one is refused."""
        name = self.connection.get("dbname")
        if not name:
            raise PermanentError("A build's URL names no database; give one.", build_schema=self.build_schema)
        return str(name)


def retarget(manifest: "Manifest", target: BuildTarget) -> "Manifest":
    """A copy of the manifest whose every node is the tenant's; the original, with its placeholders, stays as it is."""
    moved = copy_manifest(manifest)
    database = target.database
    for node in moved.nodes.values():
        node.database = database
        node.schema = target.build_schema
        if node.relation_name is not None:
            node.relation_name = relation_name(database, target.build_schema, node.identifier)
    for source in moved.sources.values():
        if source.schema != SOURCE_PLACEHOLDER:
            raise PermanentError(
                f"A source's schema is not the placeholder {SOURCE_PLACEHOLDER}; render the model set again.",
                source=source.unique_id,
                schema=source.schema,
            )
        source.database = database
        source.schema = target.raw_schema
        source.relation_name = relation_name(database, target.raw_schema, source.identifier)
    for unit_test in moved.unit_tests.values():
        unit_test.schema = target.build_schema
    assert_inside(moved, target)
    return moved


def assert_inside(manifest: "Manifest", target: BuildTarget) -> None:
    """Raise unless every place that the manifest names is the target's; the last check before any SQL."""
    for unique_id, place, expected in _places(manifest, target):
        if place != expected:
            raise PermanentError(
                "A model points outside its tenant, nothing was run; the manifest was re-targeted wrongly.",
                node=unique_id,
                found=place,
                expected=expected,
            )


def _places(manifest: "Manifest", target: BuildTarget) -> Iterator[tuple[str, object, object]]:
    database = target.database
    for node in manifest.nodes.values():
        yield node.unique_id, (node.database, node.schema), (database, target.build_schema)
        if node.relation_name is not None or _is_built(node):
            yield node.unique_id, node.relation_name, relation_name(database, target.build_schema, node.identifier)
    for source in manifest.sources.values():
        yield source.unique_id, (source.database, source.schema), (database, target.raw_schema)
        yield source.unique_id, source.relation_name, relation_name(database, target.raw_schema, source.identifier)
    for unit_test in manifest.unit_tests.values():
        yield unit_test.unique_id, unit_test.schema, target.build_schema


def _is_built(node: Any) -> bool:
    # Not dbt's own `is_relational`, which for a test asks the flags of an invocation that has not begun.
    return bool(node.resource_type == "model" and not node.is_ephemeral_model)


def relation_name(*parts: str) -> str:
    """The quoted name as dbt writes it; dbt escapes no quote, so a name that holds one is refused."""
    for part in parts:
        if not part or '"' in part or "\0" in part:
            raise PermanentError("dbt cannot quote a name that is empty or holds a quote; rename it.", name=part)
    return ".".join(f'"{part}"' for part in parts)


def assert_buildable(manifest: "Manifest") -> None:
    """Raise for anything that a release may not hold: it is tables and views, made by selects."""
    for node in manifest.nodes.values():
        refused = _unpublishable(node)
        if refused:
            raise PermanentError(
                f"A model set holds {refused}; only tables, views and their tests can be published.",
                node=node.unique_id,
            )


def _unpublishable(node: Any) -> str | None:
    kind = str(node.resource_type)
    if kind not in ("model", "test"):
        return f"a {kind}"
    if kind == "model" and node.config.materialized not in MATERIALIZATIONS:
        return str(node.config.materialized)
    has_hook = getattr(node.config, "pre_hook", None) or getattr(node.config, "post_hook", None)
    return "a hook" if has_hook else None


def copy_manifest(manifest: "Manifest") -> "Manifest":
    """A copy whose nodes may be changed; what a run only reads is shared."""
    from dbt.contracts.graph.manifest import Manifest

    return Manifest(
        nodes={key: copy.deepcopy(node) for key, node in manifest.nodes.items()},
        sources={key: copy.deepcopy(source) for key, source in manifest.sources.items()},
        unit_tests={key: copy.deepcopy(test) for key, test in manifest.unit_tests.items()},
        macros=manifest.macros,
        docs=manifest.docs,
        exposures=manifest.exposures,
        functions=manifest.functions,
        metrics=manifest.metrics,
        groups=manifest.groups,
        selectors=manifest.selectors,
        metadata=manifest.metadata,
        disabled=manifest.disabled,
        state_check=manifest.state_check,
        semantic_models=manifest.semantic_models,
        saved_queries=manifest.saved_queries,
    )

"""A declarative connector: a manifest, interpreted by airbyte-cdk in a process that runs nothing else."""

import functools
import logging
from collections.abc import Mapping, Set
from typing import Any

from airbyte_cdk.sources.declarative import concurrent_declarative_source
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import ManifestComponentTransformer
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.sources.types import Record

from airbyte_server.connectors.components import refuse_injection, refuse_python
from airbyte_server.connectors.confinement import confine_manifest
from airbyte_server.connectors.program import Command, ConnectorProgram, JsonObject
from airbyte_server.connectors.protocol import AirbyteStateMessage, ConfiguredAirbyteCatalog, ConnectorSpecification

# A quarter of a second for each source otherwise; this module is loaded before the children are forked.
concurrent_declarative_source.get_declarative_component_schema = functools.cache(
    concurrent_declarative_source.get_declarative_component_schema
)
concurrent_declarative_source.get_declarative_component_schema()
# What is false ends its reading (`while item := queue.get()`), and an empty record would be, with all that comes after.
Record.__bool__ = lambda record: True  # type: ignore[attr-defined]

_STREAMS = ("DeclarativeStream", "StateDelegatingStream")


class ManifestSource(ConcurrentDeclarativeSource):
    """The connector of a manifest; with `wanted` only of these streams, and of a manifest that was validated before."""

    def __init__(
        self,
        manifest: JsonObject,
        *,
        wanted: Set[str] | None = None,
        config: Mapping[str, Any] | None = None,
        catalog: ConfiguredAirbyteCatalog | None = None,
        states: list[AirbyteStateMessage] | None = None,
    ) -> None:
        self._wanted = wanted
        super().__init__(
            catalog=catalog, config=config, state=states, source_config=manifest, custom_components_trusted=False
        )

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The configuration after the manifest's migrations and transformations."""
        return self._config

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """The manifest's spec; one without any takes every configuration."""
        if self._spec_component is None:
            return ConnectorSpecification(connectionSpecification={"type": "object", "additionalProperties": True})
        return super().spec(logger)

    def _pre_process_manifest(self, manifest: dict[str, Any]) -> dict[str, Any]:
        if self._wanted is None:
            return super()._pre_process_manifest(manifest)
        # What airbyte-cdk does, without what nobody asks for: it takes a second for a hundred streams.
        resolved = ManifestReferenceResolver().preprocess_manifest(self._fix_source_type(manifest))
        return ManifestComponentTransformer().propagate_types_and_parameters("", reduced(resolved, self._wanted), {})

    def _validate_source(self) -> None:
        if self._wanted is None:
            super()._validate_source()

    def _migrate_and_transform_config(
        self, config_path: str | None, config: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        # airbyte-cdk prints a migrated configuration, with its secrets.
        if not config or self._spec_component is None:
            return config
        migrated = dict(config)
        self._spec_component.migrate_config(migrated)
        self._spec_component.transform_config(migrated)
        return migrated


def reduced(resolved: JsonObject, wanted: Set[str]) -> JsonObject:
    """A manifest whose references are resolved, without the streams that are not wanted; a name in doubt stays."""
    streams = [each for each in resolved.get("streams", []) if _name(each) in wanted or _name(each) is None]
    kept = {name: value for name, value in resolved.items() if name not in ("definitions", "schemas")}
    if "streams" in kept:
        kept["streams"] = streams
    if wanted <= {_name(each) for each in streams}:
        kept.pop("dynamic_streams", None)  # to know their names takes requests
    return kept


def _name(stream: JsonObject) -> str | None:
    """What the stream is called, where that is known before its parameters are spread."""
    found = stream.get("name") or (stream.get("$parameters") or {}).get("name")
    return found if isinstance(found, str) and stream.get("type", "DeclarativeStream") in _STREAMS else None


def open_manifest(
    program: ConnectorProgram,
    command: Command,
    config: Mapping[str, Any],
    catalog: ConfiguredAirbyteCatalog,
    states: list[AirbyteStateMessage],
) -> ManifestSource:
    """The program's source; RefusedError where manifest or configuration would bring Python that is not allowed."""
    refuse_injection(config)
    confine_manifest(program)
    # What is read was listed before, so it needs no second validation.
    wanted = {each.stream.name for each in catalog.streams} if command == "read" else None
    source = ManifestSource(program.manifest or {}, wanted=wanted, config=config, catalog=catalog, states=states)
    if not program.allows_python:
        refuse_python(source.resolved_manifest)
    return source

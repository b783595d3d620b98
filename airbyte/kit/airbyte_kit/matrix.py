"""Which connector runs where: here as low-code, here from PyPI, or on a full Airbyte alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from airbyte_server.connectors.packages import KNOWN_PACKAGES
from airbyte_server.connectors.registry import KNOWN_CONNECTORS

from airbyte_kit.connector import CONNECTORS, PREFIX, Connector
from airbyte_kit.errors import KitError

Place = Literal["embedded, low-code", "embedded, PyPI", "embedded, built in", "full Airbyte", "nowhere"]
_LICENCES = {"faker": "MIT"}
_STREAMS = {"faker": ("users", "products", "purchases")}
# Java, so without a package or a manifest; ids and licences are those of airbytehq/airbyte's metadata.yaml files.
_JAVA = {
    "postgres": "decd338e-5647-4c0b-adf4-da0e75f5a750",
    "mysql": "435bb9a5-7887-4809-aa58-28c27df0d7ad",
    "mssql": "b5ea17b1-f170-46dc-bc31-cc744ca984c1",
    "mongodb-v2": "b2e713cd-cc36-4c0a-b5bd-b47cb8a0561e",
    "oracle": "b39a7370-74c3-45a6-ac3a-380d48520a83",
    "snowflake": "e2d65910-8c8b-40a1-ae7d-ee2416b2bfa2",
    "bigquery": "bfd1ddf8-ae8a-4620-b1d7-55597d2ba08c",
}


@dataclass(frozen=True, kw_only=True)
class Capability:
    """One connector; its streams are empty where they are those of a database or of files."""

    connector: str
    runs: Place
    streams: Sequence[str] = ()
    definition_id: str
    version: str | None = None
    licence: str | None = None
    problem: str | None = None
    """Why it runs nowhere."""


def capabilities(directory: Path = CONNECTORS) -> list[Capability]:
    """What runs here, by name, then the best known of what needs a full Airbyte."""
    here = [*_folders(directory), *_with_the_server(), *_packages()]
    return [*sorted(here, key=lambda each: each.connector), *_on_a_full_airbyte()]


def table(found: Sequence[Capability]) -> str:
    """For people; the streams are counted."""
    head = ("connector", "runs", "streams", "definition id", "version", "licence")
    rows = [head, *map(_row, found)]
    whole = [row for row in rows if len(row) == len(head)]
    widths = [max(len(row[place]) for row in whole) for place in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(each: Capability) -> tuple[str, ...]:
    if each.problem:
        return each.connector, each.runs, each.problem
    count = str(len(each.streams)) if each.streams else "-"
    return each.connector, each.runs, count, each.definition_id, each.version or "-", each.licence or "-"


def _folders(directory: Path) -> list[Capability]:
    paths = sorted(each.parent for each in directory.glob(f"{PREFIX}*/manifest.yaml"))
    return [_of_folder(Connector(path)) for path in paths]


def _unusable(connector: Connector, error: KitError) -> Capability:
    return Capability(connector=connector.name, runs="nowhere", definition_id="", problem=str(error))


def _of_folder(connector: Connector) -> Capability:
    try:
        folder, manifest = connector.folder, connector.manifest
    except KitError as error:
        return _unusable(connector, error)
    # Named by the manifest: to ask the connector would take a process each.
    streams = [each for each in manifest.get("streams") or [] if isinstance(each, dict)]
    metadata = yaml.safe_load((connector.path / "metadata.yaml").read_text())["data"]
    return Capability(
        connector=connector.name,
        runs="embedded, low-code",
        streams=[_name(each, manifest) for each in streams],
        definition_id=folder.definition_id,
        version=folder.docker_image_tag,
        licence=metadata.get("license"),
    )


def _name(stream: dict[str, object], manifest: dict[str, object]) -> str:
    """Its name, or that of what it refers to."""
    parameters = stream.get("$parameters")
    named = stream.get("name") or (parameters.get("name") if isinstance(parameters, dict) else None)
    reference = stream.get("$ref")
    if named is None and isinstance(reference, str):
        found: object = manifest
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return _name(found, manifest) if isinstance(found, dict) else reference
    return str(named)


def _with_the_server() -> list[Capability]:
    return [
        Capability(
            connector=each.source_type,
            runs="embedded, built in",
            definition_id=each.definition_id,
            version=each.version,
            licence="Apache-2.0",
        )
        for each in KNOWN_CONNECTORS.values()
    ]


def _packages() -> list[Capability]:
    return [
        Capability(
            connector=each.source_type,
            runs="embedded, PyPI",
            streams=_STREAMS.get(each.source_type, ()),
            definition_id=each.definition_id,
            version=each.version,
            licence=_LICENCES.get(each.source_type),
        )
        for each in KNOWN_PACKAGES
    ]


def _on_a_full_airbyte() -> list[Capability]:
    return [
        Capability(connector=name, runs="full Airbyte", definition_id=definition_id, licence="ELv2")
        for name, definition_id in _JAVA.items()
    ]

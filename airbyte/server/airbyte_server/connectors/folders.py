"""Connectors that are folders `source-<name>/` of `manifest.yaml` and `metadata.yaml`, as in Airbyte's repository."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import yaml

logger = logging.getLogger(__name__)

_PREFIX = "source-"
_LARGEST_METADATA = 256 * 1024
_DEEPEST_METADATA = 64
UNUSABLE = (OSError, ValueError, yaml.YAMLError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class ConnectorFolder:
    """What the metadata says of a connector; its manifest is read when it is first used."""

    path: Path
    definition_id: str
    name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None

    @property
    def source_type(self) -> str:
        """As the API calls it: the folder's name without `source-`."""
        return self.path.name.removeprefix(_PREFIX)

    @property
    def manifest(self) -> Path:
        """The file that is run."""
        return self.path / "manifest.yaml"

    @property
    def components(self) -> Path:
        """Python beside the manifest, if there is any."""
        return self.path / "components.py"


def read_folders(directory: Path | None) -> Sequence[ConnectorFolder]:
    """The connectors of a directory by name; one whose metadata is wrong is left out, and the log says why."""
    if directory is None or not directory.is_dir():
        return []
    found = []
    for path in sorted(directory.glob(f"{_PREFIX}*")):
        if not (path / "manifest.yaml").is_file():
            continue
        try:
            found.append(read_folder(path))
        except UNUSABLE as error:
            reason = " ".join(str(error).split())[:300]
            logger.warning("Connector %s is left out: its metadata.yaml cannot be used (%s).", path.name, reason)
    return found


def read_folder(path: Path) -> ConnectorFolder:
    """One connector; any of UNUSABLE where its metadata is wrong."""
    with (path / "metadata.yaml").open("rb") as file:
        content = file.read(_LARGEST_METADATA + 1)
    if len(content) > _LARGEST_METADATA:
        raise ValueError("it is larger than 256 KiB")
    _refuse_depth(content)
    metadata = yaml.safe_load(content)
    data = metadata.get("data") if isinstance(metadata, dict) else None
    if not isinstance(data, dict):
        raise ValueError("it has no object `data`")
    return ConnectorFolder(
        path=path,
        definition_id=str(UUID(_text(data, "definitionId"))),
        name=_text(data, "name"),
        docker_repository=_text(data, "dockerRepository"),
        docker_image_tag=_text(data, "dockerImageTag"),
        documentation_url=_text(data, "documentationUrl") if data.get("documentationUrl") else None,
    )


def _refuse_depth(content: bytes) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST_METADATA:
            raise ValueError(f"it is more than {_DEEPEST_METADATA} levels deep")


def _text(data: dict[object, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"data.{name} is no text")
    return value

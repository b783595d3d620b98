"""A connector as a folder: its manifest, its samples, and what of its configuration nobody may read."""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from airbyte_server.connectors.folders import UNUSABLE, ConnectorFolder, read_folder
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.secrets.marks import marks_of

from airbyte_kit.errors import KitError
from airbyte_kit.manifest_files import check_manifest_size, read_manifest
from airbyte_kit.replay.exchanges import Exchange, JsonObject
from airbyte_kit.replay.scripts import Refusal

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
PREFIX = "source-"
NOT_STREAMS = ("config", "differences", "exceptions", "unauthorized")


@dataclass(frozen=True)
class Connector:
    """One folder."""

    path: Path

    @property
    def name(self) -> str:
        """As sources name it: without `source-`."""
        return self.path.name.removeprefix(PREFIX)

    @functools.cached_property
    def folder(self) -> ConnectorFolder:
        """As the server reads it."""
        try:
            return read_folder(self.path)
        except UNUSABLE as error:
            reason = " ".join(str(error).split())[:300]
            raise KitError(f"{self.path.name}/metadata.yaml cannot be used: {reason}.") from None

    @functools.cached_property
    def manifest(self) -> JsonObject:
        """As the server reads it."""
        return read_manifest(self.path / "manifest.yaml")

    @functools.cached_property
    def written(self) -> bytes:
        """The manifest once more, for airbyte-cdk writes into what it is given; KitError where it is too large."""
        check_manifest_size(self.manifest, self.path.name)
        return orjson.dumps(self.manifest, option=orjson.OPT_NON_STR_KEYS)

    @property
    def specification(self) -> JsonObject:
        """The JSON schema of its configuration."""
        return _object(_object(self.manifest.get("spec")).get("connection_specification"))

    @functools.cached_property
    def base_path(self) -> str:
        """The path of its base URL, which samples write or leave out."""
        field = _object(_object(self.specification.get("properties")).get("base_url"))
        default = str(field.get("default") or "")
        return "/".join(["", *default.split("/")[3:]]).rstrip("/")

    def sample_configuration(self, root: str) -> JsonObject:
        """The fake configuration of its samples, for an API at `root`."""
        written = self._sample_object("config")
        if "base_url" in written:
            raise KitError(f"{self.path.name}/samples/config.json has a base_url, which the replayed API gives.")
        return {**written, "base_url": root + self.base_path}

    def secrets(self, configuration: Mapping[str, Any]) -> list[str]:
        """What of a configuration its specification marks as secret."""
        return list(_secrets(configuration, marks_of(self.specification)))

    @property
    def sampled(self) -> list[str]:
        """The streams that have a sample."""
        return sorted(each.stem for each in (self.path / "samples").glob("*.json") if each.stem not in NOT_STREAMS)

    def exchanges(self, stream: str) -> list[Exchange]:
        """The stream's sample."""
        try:
            written = json.loads((self.path / "samples" / f"{stream}.json").read_text())
            return [Exchange.read(f"{stream}.json[{number}]", each) for number, each in enumerate(written)]
        except (ValueError, KeyError, TypeError) as error:
            raise KitError(f"{self.path.name}/samples/{stream}.json is no list of exchanges: {error}") from None

    @property
    def exceptions(self) -> dict[str, dict[str, str]]:
        """What is known to fail, and why that is right: stream, step, reason."""
        if not (self.path / "samples" / "exceptions.json").is_file():
            return {}
        written = self._sample_object("exceptions")
        if not all(isinstance(steps, dict) for steps in written.values()):
            raise KitError(f"{self.path.name}/samples/exceptions.json has by stream and step a reason.")
        return written

    def refusal(self, *, repeats: bool = False) -> Refusal:
        """An API that refuses everything; one that `repeats` says the secret that it refused."""
        is_written = (self.path / "samples" / "unauthorized.json").is_file()
        return Refusal(repeats, self._sample_object("unauthorized") if is_written else None)

    def _sample_object(self, name: str) -> JsonObject:
        try:
            read = json.loads((self.path / "samples" / f"{name}.json").read_text())
        except (OSError, ValueError) as error:
            raise KitError(f"{self.path.name}/samples/{name}.json cannot be read: {error}") from None
        if not isinstance(read, dict):
            raise KitError(f"{self.path.name}/samples/{name}.json is no JSON object.")
        return read

    def program(self, scratch: Path | None = None, manifest: JsonObject | None = None) -> ConnectorProgram:
        """What runs, of the folder's manifest or of a changed one."""
        text = self.written if manifest is None else orjson.dumps(manifest, option=orjson.OPT_NON_STR_KEYS)
        return ConnectorProgram(
            source_type=self.name,
            version="1",
            manifest=orjson.loads(text),
            scratch=None if scratch is None else str(scratch),
            specification=self.specification,
        )


def find_connector(name: str) -> Connector:
    """The connector of a name (`stripe` or `source-stripe`) or of a folder's path; KitError where there is none."""
    if "/" not in name and (CONNECTORS / f"{PREFIX}{name.removeprefix(PREFIX)}").is_dir():
        path = CONNECTORS / f"{PREFIX}{name.removeprefix(PREFIX)}"
    else:
        path = Path(name).resolve()
    if not (path / "manifest.yaml").is_file():
        known = ", ".join(sorted(each.name.removeprefix(PREFIX) for each in CONNECTORS.glob(f"{PREFIX}*")))
        raise KitError(f"There is no connector {name!r}: give a folder with a manifest.yaml, or one of {known}.")
    return Connector(path)


def _object(value: Any) -> JsonObject:
    """The value where it is an object: what else a manifest has there, the spec step says."""
    return value if isinstance(value, dict) else {}


def _secrets(value: Any, marks: Any) -> Iterator[str]:
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, marks)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _secrets(item, marks.get(name, marks.get("*", {})))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)

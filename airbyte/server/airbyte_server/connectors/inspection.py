"""Looks at a manifest in a process of its own, for whoever wrote it may mean harm."""

import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
import yaml
from airbyte_cdk.sources.declarative.parsers.custom_exceptions import UndefinedReferenceException
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from jsonschema.exceptions import SchemaError, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from airbyte_server.connectors.components import refuse_python
from airbyte_server.connectors.declarative import ManifestSource
from airbyte_server.connectors.limits import confine
from airbyte_server.connectors.manifest_size import check_size
from airbyte_server.connectors.processes import silence_output, watch_server
from airbyte_server.connectors.program import JsonObject
from airbyte_server.errors import RefusedError, ServerError

LARGEST_FILE = 8 * 1024 * 1024
_MEMORY_MIB = 1024
_LONGEST_REASON = 300
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def inspect_manifest(channel: Connection, manifest: JsonObject | Path, allows_python: bool) -> None:
    """In a child: sends JSON of `problem`, a sentence, or else of `specification` and, for a file, `manifest`."""
    watch_server()
    silence_output()
    confine(_MEMORY_MIB)
    try:
        read = _read(manifest) if isinstance(manifest, Path) else manifest
        specification = inspected(read, allows_python=allows_python)
        answer = {"specification": specification} | ({"manifest": read} if isinstance(manifest, Path) else {})
        text = orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS)
    except ServerError as error:
        text = orjson.dumps({"problem": error.sentence})
    except RecursionError:
        text = orjson.dumps({"problem": "The manifest is nested too deeply."})
    except Exception as error:  # noqa: BLE001 whatever the interpreter says about a manifest is about the manifest
        text = orjson.dumps({"problem": f"The manifest cannot be read: {_short(f'{type(error).__name__}: {error}')}"})
    channel.send(text)


def inspected(manifest: JsonObject, *, allows_python: bool) -> JsonObject:
    """The JSON schema of the configuration; RefusedError says what is wrong with the manifest, and where."""
    try:
        check_size(manifest, lambda reference: _look_up(reference, manifest))
        if not allows_python:
            refuse_python(manifest)
        source = ManifestSource(orjson.loads(orjson.dumps(manifest, option=orjson.OPT_NON_STR_KEYS)))
    except ValidationError as error:
        cause = _cause(error.__cause__ if isinstance(error.__cause__, ValidationError) else error)
        place = ".".join(["manifest", *map(str, cause.absolute_path)])
        raise RefusedError(f"{place} is not as airbyte-cdk has it: {_short(cause.message)}") from None
    if not allows_python:
        refuse_python(source.resolved_manifest)
    return _specification(source.resolved_manifest)


def _look_up(reference: str, manifest: JsonObject) -> Any:
    try:
        return ManifestReferenceResolver()._lookup_ref_value(reference, manifest)
    except UndefinedReferenceException:
        raise RefusedError(f"Reference {reference} of the manifest leads nowhere.") from None


def _cause(error: ValidationError) -> ValidationError:
    """What is wrong with the alternative that was meant: the one of the same `type`."""
    alternatives: dict[Any, list[ValidationError]] = {}
    for one in error.context or ():
        alternatives.setdefault(one.schema_path[0], []).append(one)
    for causes in alternatives.values():
        if not any(list(cause.path) in (["type"], []) and cause.validator in ("enum", "type") for cause in causes):
            return _cause(causes[0])
    return error


def _specification(resolved: Mapping[str, Any]) -> JsonObject:
    schema: JsonObject = (resolved.get("spec") or {}).get("connection_specification") or {}
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        place = ".".join(["manifest.spec.connection_specification", *map(str, error.absolute_path)])
        raise RefusedError(f"{place} is no JSON schema: {_short(error.message)}") from None
    return schema


def _read(path: Path) -> JsonObject:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise RefusedError(
            f"Manifest {path.parent.name}/{path.name} cannot be read: {os.strerror(error.errno or 0)}."
        ) from None
    if len(content) > LARGEST_FILE:
        raise RefusedError(f"Manifest {path.parent.name}/{path.name} is larger than {LARGEST_FILE >> 20} MiB.")
    try:
        manifest = yaml.load(content, Loader=_LOADER)  # noqa: S506 either one is safe
    except yaml.YAMLError as error:
        raise RefusedError(f"Manifest {path.parent.name}/{path.name} is no YAML: {_short(str(error))}") from None
    if not isinstance(manifest, dict):
        raise RefusedError(f"Manifest {path.parent.name}/{path.name} is no object.")
    return manifest


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"

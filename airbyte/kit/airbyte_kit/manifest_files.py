"""Manifests as files: what is no manifest, or would be without an end, is refused in one sentence."""

from pathlib import Path

import yaml
from airbyte_server.connectors.manifest_size import check_size
from airbyte_server.errors import RefusedError

from airbyte_kit.errors import KitError
from airbyte_kit.replay.exchanges import JsonObject

LARGEST_MIB = 8
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_manifest(path: Path) -> JsonObject:
    """The manifest; what its aliases stand for is not unfolded yet."""
    place = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MIB * 1024 * 1024 + 1)
        if len(content) > LARGEST_MIB * 1024 * 1024:
            raise KitError(f"{place} is larger than {LARGEST_MIB} MiB.")
        read = yaml.load(content, Loader=_LOADER)  # noqa: S506 either is safe
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise KitError(f"{place} is no YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(read, dict):
        raise KitError(f"{place} is no object.")
    return read


def check_manifest_size(manifest: JsonObject, name: str) -> None:
    """As the server does before it runs one: aliases and references let a few lines stand for billions."""
    # airbyte-cdk takes two seconds to import, and whoever only lists connectors does without.
    from airbyte_cdk.sources.declarative.parsers.custom_exceptions import UndefinedReferenceException
    from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver

    resolver = ManifestReferenceResolver()
    try:
        check_size(manifest, lambda reference: resolver._lookup_ref_value(reference, manifest))
    except RefusedError as error:
        raise KitError(f"{name}/manifest.yaml cannot run: {error.sentence}") from None
    except UndefinedReferenceException as error:
        raise KitError(f"{name}/manifest.yaml has a reference that leads nowhere: {error}") from None

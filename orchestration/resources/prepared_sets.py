"""A model set, parsed once: its manifest with placeholder schemas, kept on disk and in the process."""

import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import PermanentError
from orchestration.resources.invocation import invoke
from orchestration.resources.retargeting import SOURCE_PLACEHOLDER, BuildTarget, assert_buildable

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Parsing opens no connection; the names only have to be there.
PLACEHOLDER = BuildTarget("postgresql://sluice@localhost/sluice", SOURCE_PLACEHOLDER, "sluice_build")
KEPT_IN_PROCESS = 16
NOT_READ_BY_DBT = frozenset({"target", "logs", "__pycache__", ".git"})

_kept: "OrderedDict[tuple[Path, str], PreparedSet]" = OrderedDict()


@dataclass(frozen=True)
class PreparedSet:
    """A parsed model set; `key` changes with any file of the set or the shared package and with dbt's version."""

    directory: Path
    key: str
    manifest: "Manifest"

    @property
    def name(self) -> str:
        """The set's name, which is that of its directory."""
        return self.directory.name


def prepare_set(directory: Path, cache: Path) -> PreparedSet:
    """The set's manifest from the process, else from `cache`, else parsed and kept there; reaches no database."""
    directory = directory.resolve()
    key = _content_key(directory)
    prepared = _kept.get((directory, key))
    if prepared is None:
        kept = cache / f"{directory.name}-{key[:32]}.msgpack"
        prepared = PreparedSet(directory, key, _read(kept) if kept.is_file() else _parse_and_keep(directory, kept))
        assert_buildable(prepared.manifest)
        _kept[directory, key] = prepared
        if len(_kept) > KEPT_IN_PROCESS:
            _kept.popitem(last=False)
    _kept.move_to_end((directory, key))
    return prepared


def _content_key(directory: Path) -> str:
    if not (directory / "dbt_project.yml").is_file():
        raise PermanentError("A model set has no dbt_project.yml; write the set first.", directory=str(directory))
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-postgres')}".encode())
    for name, path in sorted(_files(directory, "")):
        content = path.read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(directory: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in directory.iterdir():
        if path.is_dir():
            if path.name not in NOT_READ_BY_DBT:
                yield from _files(path, f"{prefix}{path.name}/")
        else:
            yield f"{prefix}{path.name}", path


def _parse_and_keep(directory: Path, kept: Path) -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder

    with tempfile.TemporaryDirectory(prefix="sluice-parse-") as logs:
        result = invoke(["parse"], directory, PLACEHOLDER, log_dir=Path(logs), threads=1)
    if result.exception is not None:
        raise PermanentError(
            f"dbt cannot parse the model set: {result.exception}", directory=str(directory)
        ) from result.exception
    if not isinstance(result.result, Manifest):
        raise PermanentError("dbt parsed the model set and gave no manifest.", directory=str(directory))
    manifest = result.result
    manifest.files = {}  # for partial parsing only, and the larger half
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=kept.parent, prefix=".parsed-")
    with os.fdopen(handle, "wb") as file:
        file.write(manifest.to_msgpack(extended_mashumaro_encoder))
    Path(temporary).replace(kept)
    return manifest


def _read(kept: Path) -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest: Manifest = Manifest.from_msgpack(kept.read_bytes(), decoder=extended_mashumuro_decoder)
    return manifest

"""Manifests as the server knows them: looked at in a child, never in the server itself."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from airbyte_server.connectors.folders import ConnectorFolder
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.connectors.program import JsonObject
from airbyte_server.errors import ConnectorTimeoutError, PermanentError, RefusedError


@dataclass(frozen=True)
class Manifest:
    """A manifest that passed, and the JSON schema of the configuration that it wants."""

    manifest: JsonObject = field(repr=False)
    specification: JsonObject


class Manifests:
    """Checks manifests; those of folders are kept until their file changes."""

    def __init__(self, pool: ProcessPool, *, timeout: float, allows_python: bool) -> None:
        self._pool = pool
        self._timeout = timeout
        self.allows_python = allows_python
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[tuple[int, int], Manifest | str]] = {}

    def check(self, manifest: JsonObject) -> Manifest:
        """The manifest with its specification; RefusedError says what is wrong, and where."""
        return Manifest(manifest, self._inspect(manifest)["specification"])

    def of_folder(self, folder: ConnectorFolder) -> Manifest:
        """The folder's manifest as its file is now; RefusedError if it cannot run."""
        try:
            status = folder.manifest.stat()
        except OSError as error:
            raise PermanentError(f"The manifest of connector {folder.name} cannot be read: {error.strerror}.") from None
        version = status.st_mtime_ns, status.st_size
        with self._lock:
            kept = self._read.get(folder.manifest)
        read = kept[1] if kept is not None and kept[0] == version else self._of_file(folder.manifest)
        with self._lock:
            self._read[folder.manifest] = version, read
        if isinstance(read, str):
            raise RefusedError(read)
        return read

    def components_of(self, folder: ConnectorFolder) -> str | None:
        """The folder's Python, where it may run."""
        if not self.allows_python or not folder.components.is_file():
            return None
        return folder.components.read_text()

    def _of_file(self, path: Path) -> Manifest | str:
        """The manifest, or the sentence that says why it is none."""
        try:
            answer = self._inspect(path)
        except RefusedError as error:
            return error.sentence
        return Manifest(answer["manifest"], answer["specification"])

    def _inspect(self, manifest: JsonObject | Path) -> JsonObject:
        child = self._pool.start(_inspect, manifest, self.allows_python)
        try:
            answers = [orjson.loads(text) for text in child.messages(time.monotonic() + self._timeout)]
        except ConnectorTimeoutError:
            raise RefusedError(
                f"The manifest took longer than {self._timeout:g} s to look at; make it smaller."
            ) from None
        finally:
            child.close()
        if not answers:
            raise RefusedError("The manifest needs more memory to look at than there is for it; make it smaller.")
        answer: JsonObject = answers[0]
        if "problem" in answer:
            raise RefusedError(answer["problem"])
        return answer


def _inspect(*arguments: object) -> None:
    from airbyte_server.connectors.inspection import inspect_manifest

    inspect_manifest(*arguments)  # type: ignore[arg-type]

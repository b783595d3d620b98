"""What a backup says of itself: signed with the stack's secret key, so that nobody without the key alters one."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from analysis.errors import PermanentError
from orchestration.stack.backup.archive import Reader, Writer, Written, damaged
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.secrets import KEY_FILE, KEY_VARIABLE, SecretKey

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LARGEST_MANIFEST = 1 << 28
Kind = Literal["whole", "tenant"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """A member of the file, by size and digest."""

    size: int
    sha256: str


class RowsEntry(_Part):
    """Rows of one table in COPY's text format."""

    columns: tuple[str, ...]
    rows: int


class TenantEntry(_Part):
    """A tenant of the backup, its releases and its schemas: rows by table."""

    tenant: str
    status: str
    published: int | None
    kept: tuple[int, ...]
    schemas: dict[str, dict[str, int]]

    @field_validator("tenant")
    @classmethod
    def _is_an_id(cls, value: str) -> str:
        return str(TenantId(value))


class Manifest(_Part):
    """Everything that is known of a backup without reading its data."""

    format: int = FORMAT
    kind: Kind
    sluice_version: str
    revision: str
    pg_major: int
    control_role: str
    airbyte: Literal["embedded", "external"]
    made_at: datetime
    key_fingerprint: str
    tenants: tuple[TenantEntry, ...]
    tables: dict[str, dict[str, int]]
    """Rows by table of the schemas that are no tenant's; empty in a tenant's backup."""
    rows: dict[str, RowsEntry]
    """A tenant's rows by table; empty in a backup of the whole."""
    files: dict[str, FileEntry]

    @property
    def relations(self) -> int:
        """How many tables there are, rows of others' tables not counted."""
        return sum(len(found) for found in self._schemas())

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        stored = sum(sum(found.values()) for found in self._schemas())
        return stored + sum(entry.rows for entry in self.rows.values())

    def _schemas(self) -> list[dict[str, int]]:
        return [*self.tables.values(), *(found for entry in self.tenants for found in entry.schemas.values())]


def now() -> datetime:
    """The time that a backup carries."""
    return datetime.now(UTC).replace(microsecond=0)


def sluice_version() -> str:
    """The version of the program that writes."""
    return version("sluice")


def file_entries(written: dict[str, Written]) -> dict[str, FileEntry]:
    """The members as the manifest lists them."""
    return {name: FileEntry(size=each.size, sha256=each.sha256) for name, each in written.items()}


def write_manifest(writer: Writer, manifest: Manifest, key: SecretKey) -> None:
    """Close the backup: what is cut off before this has no manifest."""
    text = manifest.model_dump_json(indent=1).encode()
    writer.add(MANIFEST, [text])
    writer.add(SIGNATURE, [key.sign(text).encode()])


def read_manifest(reader: Reader) -> Manifest:
    """The manifest as it is written, not yet believed; one of a later format is a PermanentError of its own."""
    text = reader.read(MANIFEST, LARGEST_MANIFEST)
    reader.read(SIGNATURE, 64)
    try:
        manifest = Manifest.model_validate_json(text)
    except (ValidationError, PermanentError) as error:
        if _format(text) > FORMAT:
            message = "The backup was written by a newer Sluice; restore it with that one."
            raise PermanentError(message, file=str(reader.path)) from None
        raise damaged(reader.path, "its manifest cannot be read") from error
    if manifest.format != FORMAT:
        raise PermanentError("The backup has an unknown format.", file=str(reader.path), format=manifest.format)
    return manifest


def verify(reader: Reader, manifest: Manifest, key: SecretKey) -> None:
    """Believe it: the signature is the key's, and every member is as the manifest says."""
    text, signature = reader.read(MANIFEST, LARGEST_MANIFEST), reader.read(SIGNATURE, 64)
    if not hmac.compare_digest(key.sign(text).encode(), signature):
        raise damaged(reader.path, "its manifest was altered")
    listed = {name: entry.size for name, entry in manifest.files.items()}
    if {name: size for name, size in reader.sizes.items() if name not in (MANIFEST, SIGNATURE)} != listed:
        raise damaged(reader.path, "its members are not the ones of its manifest")
    for name, entry in manifest.files.items():
        if _digest(reader, name) != entry.sha256:
            raise damaged(reader.path, f"its {name} was altered")


def source_key(reader: Reader, manifest: Manifest, own: SecretKey, key_file: Path | None) -> SecretKey:
    """The key that the backup was written with: this home's, that of a file, else the one inside of it.

    A key inside says nothing of who wrote the file: where other tenants live it is not believed.
    """
    candidates = [own]
    if key_file is not None:
        candidates.append(_read_key(key_file))
    if KEY_FILE in reader.sizes and manifest.kind == "whole":
        candidates.append(SecretKey(reader.read(KEY_FILE, 1000).strip()))
    for key in candidates:
        if key.fingerprint == manifest.key_fingerprint:
            return key
    raise PermanentError(
        f"The backup was written with another secret key; give that one with --key-file, or put it in place as"
        f" {KEY_FILE} of this home (or {KEY_VARIABLE}), then restore again.",
        backup=manifest.key_fingerprint,
        home=own.fingerprint,
    )


def _digest(reader: Reader, name: str) -> str:
    digest = hashlib.sha256()
    for chunk in reader.chunks(name):
        digest.update(chunk)
    return digest.hexdigest()


def _read_key(path: Path) -> SecretKey:
    try:
        return SecretKey(path.read_bytes().strip())
    except OSError as error:
        raise PermanentError("The key file cannot be read.", file=str(path), reason=error.strerror) from error


def _format(text: bytes) -> int:
    try:
        found = json.loads(text)["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return found if isinstance(found, int) else 0

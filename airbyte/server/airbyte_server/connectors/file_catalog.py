"""The streams of a `file` source: declared by a catalog file, or inferred from the data."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from airbyte_server.connectors.cursors import comparable
from airbyte_server.connectors.files import StreamFile, read_records
from airbyte_server.connectors.inference import infer_schema, infer_text_schema
from airbyte_server.connectors.protocol import AirbyteStream, SyncMode
from airbyte_server.errors import PermanentError

_INFERRED_FROM = 100_000
_LOOKED_AT_FOR_CURSOR = 1_000


def read_catalog(path: str | None) -> dict[str, Mapping[str, Any]]:
    """File stem → its stream's entry in the catalog file; none without a file."""
    if path is None:
        return {}
    try:
        catalog = orjson.loads(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise PermanentError(f"The catalog file cannot be read: {error.strerror}.", catalog=path) from error
    except orjson.JSONDecodeError as error:
        raise PermanentError("The catalog file is not JSON.", catalog=path) from error
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list) or not all(_is_entry(entry) for entry in streams):
        raise PermanentError(
            "The catalog file needs a list `streams` of objects with `name` and `json_schema`.", catalog=path
        )
    # No file name holds a slash; a stream whose name does lies in a file with `_` in its place.
    return {entry["name"].replace("/", "_"): entry for entry in streams}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("json_schema"), dict)


def describe(file: StreamFile, entry: Mapping[str, Any] | None) -> AirbyteStream:
    """The stream with its schema, key, cursor and the sync modes that its data really allows."""
    if entry is None:
        return AirbyteStream(
            name=file.stream,
            json_schema=_inferred(file),
            supported_sync_modes=[SyncMode.full_refresh],
            source_defined_cursor=False,
            is_resumable=False,
        )
    cursor = _usable_cursor(file, entry)
    modes = [SyncMode.full_refresh, SyncMode.incremental] if cursor else [SyncMode.full_refresh]
    return AirbyteStream(
        name=file.stream,
        json_schema=dict(entry["json_schema"]),
        supported_sync_modes=modes,
        source_defined_cursor=bool(cursor),
        default_cursor_field=cursor,
        source_defined_primary_key=entry.get("source_defined_primary_key") or [],
        is_resumable=bool(cursor),
    )


def _usable_cursor(file: StreamFile, entry: Mapping[str, Any]) -> list[str]:
    """The declared cursor if the records carry it, or if there are none yet; some are added by a connector that has
    not seen this file."""
    cursor = entry.get("default_cursor_field") or []
    if len(cursor) != 1 or "incremental" not in entry.get("supported_sync_modes", ()):
        return []
    records = list(islice(_values(file), _LOOKED_AT_FOR_CURSOR))
    return list(cursor) if not records or any(comparable(record.get(cursor[0])) for record in records) else []


def _inferred(file: StreamFile) -> dict[str, Any]:
    records = islice(_values(file), _INFERRED_FROM)
    if file.kind == ".csv":
        return infer_text_schema(records)
    if file.kind == ".parquet":
        from airbyte_server.connectors import parquet

        return parquet.json_schema(file.path)
    return infer_schema(records)


def _values(file: StreamFile) -> Iterator[Mapping[str, Any]]:
    return (value for _, value in read_records(file))

"""Parquet files: rows in small batches, and the JSON schema that their types give."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from airbyte_server.errors import PermanentError


def rows(path: Path, batch_rows: int, skip: int = 0) -> Iterator[dict[str, Any]]:
    """The file's rows after the first `skip`, at most `batch_rows` in memory beside one row group's pages."""
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=batch_rows):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            yield from batch.slice(skip).to_pylist()
            skip = 0


def json_schema(path: Path) -> dict[str, Any]:
    """The JSON schema of the file's rows; every field may be null."""
    with _opened(path) as file:
        fields = file.schema_arrow
        return {"type": "object", "properties": {field.name: _property(field.type) for field in fields}}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield file
    except pa.ArrowException as error:
        raise PermanentError("The file is not readable as Parquet.", path=str(path)) from error


def _property(kind: pa.DataType) -> dict[str, Any]:
    schema = _type(kind)
    return {**schema, "type": ["null", schema["type"]]} if "type" in schema else schema


def _type(kind: pa.DataType) -> dict[str, Any]:
    types = pa.types
    if types.is_dictionary(kind):
        return _type(kind.value_type)
    if types.is_timestamp(kind):
        zone = "with" if kind.tz else "without"
        return {"type": "string", "format": "date-time", "airbyte_type": f"timestamp_{zone}_timezone"}
    if types.is_struct(kind):
        return {"type": "object", "properties": {field.name: _property(field.type) for field in kind}}
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return {"type": "array", "items": _property(kind.value_type)}
    for test, schema in _SIMPLE:
        if test(kind):
            return dict(schema)
    return {"type": "string"}


_SIMPLE: tuple[tuple[Any, Mapping[str, Any]], ...] = (
    (pa.types.is_null, {}),
    (pa.types.is_boolean, {"type": "boolean"}),
    (pa.types.is_uint64, {"type": "number"}),
    (pa.types.is_integer, {"type": "integer"}),
    (pa.types.is_floating, {"type": "number"}),
    (pa.types.is_decimal, {"type": "number"}),
    (pa.types.is_duration, {"type": "number"}),
    (pa.types.is_date, {"type": "string", "format": "date"}),
    (pa.types.is_time, {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}),
    (pa.types.is_map, {"type": "array"}),
)

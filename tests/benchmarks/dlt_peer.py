"""Loads a file of Airbyte messages by dlt; run by the benchmark in a virtual environment that has dlt.

`dicts` hands dlt the records, as its documentation has it for JSON. `arrow` hands it tables of Arrow, which it neither
walks through nor normalises: a reader written by hand does that here, and a value that does not fit fails the load.
Both load by COPY (csv), nested values as JSON in a column, without compression, in files of
100,000 rows.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "LOAD__WORKERS": "2",
}
PAGE = 10_000
DLT_TYPES = {"integer": "bigint", "number": "double", "boolean": "bool", "object": "json", "array": "json"}
FORMATS = {"date": "date", "date-time": "timestamp"}


def dlt_type(schema: dict[str, Any]) -> str:
    """The hint that a property's schema gives."""
    (declared,) = (each for each in schema["type"] if each != "null")
    return FORMATS.get(schema.get("format", ""), DLT_TYPES.get(declared, "text"))


def pages(path: str) -> Iterator[list[dict[str, Any]]]:
    """The records, many at a time."""
    import orjson

    page = []
    with Path(path).open("rb") as file:
        for line in file:
            message = orjson.loads(line)
            if message["type"] == "RECORD":
                page.append(message["record"]["data"])
            if len(page) == PAGE:
                yield page
                page = []
    if page:
        yield page


def arrow_tables(path: str, types: dict[str, str]) -> Iterator[Any]:
    """The records as Arrow's tables."""
    import orjson
    import pyarrow as pa

    arrow = {
        "bigint": (pa.int64(), None),
        "double": (pa.float64(), None),
        "bool": (pa.bool_(), None),
        "text": (pa.string(), None),
        "json": (pa.string(), lambda value: orjson.dumps(value).decode()),
        "date": (pa.date32(), date.fromisoformat),
        "timestamp": (pa.timestamp("us", "UTC"), datetime.fromisoformat),
    }
    for page in pages(path):
        arrays = []
        for name, kind in types.items():
            type_, convert = arrow[kind]
            values = [record.get(name) for record in page]
            if convert is not None:
                values = [None if value is None else convert(value) for value in values]
            arrays.append(pa.array(values, type_))
        yield pa.Table.from_arrays(arrays, names=list(types))


def main() -> None:
    """Arguments as JSON: path, url, mode (replace or merge), form (arrow or dicts), folder, dataset, json_schema."""
    order = json.loads(sys.argv[1])
    os.environ.update(SETTINGS)
    import dlt

    types = {name: dlt_type(schema) for name, schema in order["json_schema"]["properties"].items()}
    columns = {name: {"data_type": kind} for name, kind in types.items()}
    hints: dict[str, Any] = {"write_disposition": order["mode"]}
    if order["mode"] == "merge":
        hints["primary_key"] = "id"
        columns["updated_at"]["dedup_sort"] = "desc"  # type: ignore[assignment]
    records = arrow_tables(order["path"], types) if order["form"] == "arrow" else pages(order["path"])
    resource = dlt.resource(records, name="orders", columns=columns, max_table_nesting=0, **hints)
    pipeline = dlt.pipeline(
        "benchmark",
        destination=dlt.destinations.postgres(order["url"]),
        dataset_name=order["dataset"],
        pipelines_dir=order["folder"],
    )
    started, used = time.perf_counter(), sum(os.times()[:4])
    pipeline.run(resource, loader_file_format="csv").raise_on_failed_jobs()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "processor": sum(os.times()[:4]) - used}))


if __name__ == "__main__":
    main()

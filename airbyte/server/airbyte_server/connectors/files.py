"""The files of a `file` source: which there are, and their records one after the other."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from airbyte_server.errors import PermanentError
from airbyte_server.loader.decoding import NotJsonError, decode

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")
_LONGEST_LINE = 128 * 1024 * 1024
_BATCH_ROWS = 1000

Record = tuple[bytes | None, Mapping[str, Any]]
"""A record's JSON text as it stands in the file, if it is JSON there, and its value."""


@dataclass(frozen=True)
class StreamFile:
    """One file, which is one stream."""

    stream: str
    path: Path

    @property
    def kind(self) -> str:
        """The suffix in lower case."""
        return self.path.suffix.lower()


def stream_files(paths: str | Sequence[str]) -> dict[str, StreamFile]:
    """Stream name → file, in order of name; a missing path, an empty folder or two files of one name are refused."""
    found: dict[str, StreamFile] = {}
    for path in _expanded([paths] if isinstance(paths, str) else paths):
        file = StreamFile(path.stem, path)
        other = found.setdefault(file.stream, file)
        if other.path != path:
            raise PermanentError(
                "Two files would give one stream; rename one of them.",
                stream=file.stream,
                files=[str(other.path), str(path)],
            )
    return dict(sorted(found.items()))


def _expanded(paths: Iterable[str]) -> Iterator[Path]:
    for text in paths:
        path = Path(text).expanduser()
        with _reading(path):
            if path.is_dir():
                yield from _folder(path)
            elif not path.exists():
                raise PermanentError("There is no such file or folder.", path=text)
            elif path.suffix.lower() not in SUFFIXES:
                raise PermanentError(f"The file is none of {', '.join(SUFFIXES)}.", path=text)
            else:
                yield path


def _folder(folder: Path) -> Iterator[Path]:
    files = [path for path in sorted(folder.iterdir())
             if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()]  # fmt: skip
    if not files:
        raise PermanentError(f"The folder holds no file of {', '.join(SUFFIXES)}.", path=str(folder))
    yield from files


def read_records(file: StreamFile, skip: int = 0) -> Iterator[Record]:
    """The file's records after the first `skip`, streamed; a broken one is a PermanentError that says where."""
    readers = {".csv": _csv_records, ".parquet": _parquet_records}
    with _reading(file.path):
        yield from readers.get(file.kind, _jsonl_records)(file.path, skip)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PermanentError(f"The file cannot be read: {error.strerror}.", path=str(path)) from error


def _jsonl_records(path: Path, skip: int) -> Iterator[Record]:
    with path.open("rb") as lines:
        if lines.read(3) != b"\xef\xbb\xbf":
            lines.seek(0)
        for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), b""), start=1):
            text = line.strip()
            if not text:
                continue
            if skip:
                skip -= 1
                continue
            yield text, _json_object(text, path, number)


def _json_object(text: bytes, path: Path, number: int) -> Mapping[str, Any]:
    try:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            # Numbers and strings that orjson refuses are JSON all the same.
            value = decode(text)
    except NotJsonError as error:
        raise PermanentError("A line is not JSON.", path=str(path), line=number) from error
    if not isinstance(value, dict):
        raise PermanentError("A line is not a JSON object.", path=str(path), line=number)
    return value


def _csv_records(path: Path, skip: int) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_LINE)
    with path.open(encoding="utf-8-sig", newline="") as text:
        try:
            rows = csv.reader(text, delimiter=_delimiter(text.readline()))
        except UnicodeDecodeError as error:
            raise PermanentError("The file is not UTF-8.", path=str(path), line=1) from error
        text.seek(0)
        try:
            names = _header(next(rows, []), path)
            for row in rows:
                if not row:
                    continue
                if len(row) > len(names):
                    raise PermanentError("A row has more fields than the header.", path=str(path), line=rows.line_num)
                if skip:
                    skip -= 1
                    continue
                yield None, {name: value or None for name, value in zip(names, row, strict=False)}
        except UnicodeDecodeError as error:
            raise PermanentError("The file is not UTF-8.", path=str(path), line=rows.line_num + 1) from error
        except csv.Error as error:
            raise PermanentError(f"The file is not CSV: {error}.", path=str(path), line=rows.line_num) from error


def _delimiter(header: str) -> str:
    """A comma, unless the header has none and one of the other usual delimiters."""
    return next((mark for mark in ",;\t|" if mark in header), ",")


def _header(names: list[str], path: Path) -> list[str]:
    named = [name.strip() or f"column_{number}" for number, name in enumerate(names, start=1)]
    if len(set(named)) < len(named):
        raise PermanentError("The header names a column twice.", path=str(path))
    return named


def _parquet_records(path: Path, skip: int) -> Iterator[Record]:
    from airbyte_server.connectors import parquet

    for record in parquet.rows(path, _BATCH_ROWS, skip):
        yield None, record

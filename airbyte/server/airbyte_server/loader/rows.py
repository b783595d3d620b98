"""Records to rows of COPY's text format."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from airbyte_server.loader import columnar
from airbyte_server.loader.columns import Column
from airbyte_server.loader.converters import CONVERTERS, ContradictionError, Converter, escape
from airbyte_server.loader.decoding import encode

_NULL = "\\N"
_MOST_UNKNOWN = 1000


class RowWriter:
    r"""Turns the records of one stream into lines ending in "\n"; a value that contradicts its column becomes NULL."""

    def __init__(
        self, columns: Sequence[Column], *, sync_id: int, generation_id: int, keys: Sequence[Column] = ()
    ) -> None:
        random = uuid.uuid4().hex
        self.row_id_prefix = f"{random[:8]}-{random[8:12]}-4{random[13:16]}-a{random[17:20]}-"
        """Starts `_airbyte_raw_id` of every row of this writer; the rest counts up."""
        self.null_keys = 0
        """Rows written without a full key."""
        self.unknown_fields: set[str] = set()
        self._sync_id = sync_id
        self._generation = str(generation_id)
        self._columns = tuple(columns)
        self._fields = [(column.field, CONVERTERS[column.kind]) for column in columns]
        self._known = {column.field for column in columns}
        names = [column.name for column in columns]
        self._key_positions = [names.index(key.name) for key in keys]
        self._plain_meta = escape(encode({"sync_id": sync_id, "changes": []}))
        self._count = 0
        self._second: tuple[int, str] = (0, "1970-01-01T00:00:00")

    def line(self, data: Mapping[str, Any], emitted_at: int, changes: Sequence[Mapping[str, Any]] = ()) -> str:
        """One record's row; `emitted_at` in milliseconds since 1970, `changes` what the source says it altered."""
        self._count += 1
        row = [f"{self.row_id_prefix}{self._count:012x}", self._extracted_at(emitted_at), "", self._generation]
        nulled: list[Mapping[str, Any]] = list(changes)
        for field, convert in self._fields:
            row.append(_field(field, data.get(field), convert, nulled))
        row[2] = self._meta(nulled) if nulled else self._plain_meta
        if not data.keys() <= self._known:
            self._note_unknown(data.keys() - self._known)
        if any(row[4 + position] is _NULL for position in self._key_positions):
            self.null_keys += 1
        return "\t".join(row) + "\n"

    def block(self, records: Sequence[Mapping[str, Any]], emitted_at: Sequence[int]) -> bytes:
        """The rows of many records without changes of the source's, as `line` makes them, encoded."""
        first = self._count + 1
        self._count += len(records)
        nulled: dict[int, list[Mapping[str, Any]]] = {}
        columns = [self._column(records, column, nulled) for column in self._columns]
        self._note_unknown(set().union(*records) - self._known)
        keys = [columns[position] for position in self._key_positions]
        if any(_NULL in key for key in keys):
            self.null_keys += sum(_NULL in row for row in zip(*keys, strict=True))
        ends = [f"{self._plain_meta}\t{self._generation}"] * len(records)
        for place, changes in nulled.items():
            ends[place] = f"{self._meta(changes)}\t{self._generation}"
        ids = [f"{self.row_id_prefix}{number:012x}" for number in range(first, self._count + 1)]
        return _joined([ids, self._moments(emitted_at), ends, *columns])

    def _note_unknown(self, fields: set[str]) -> None:
        if len(self.unknown_fields) < _MOST_UNKNOWN:  # some sources name fields after what is in them
            self.unknown_fields.update(fields)

    def _column(
        self, records: Sequence[Mapping[str, Any]], column: Column, nulled: dict[int, list[Mapping[str, Any]]]
    ) -> Sequence[str]:
        try:
            values = list(map(itemgetter(column.field), records))
        except KeyError:
            values = [data.get(column.field) for data in records]
        found = columnar.fields(column.kind, values, _NULL)
        if found is not None:
            return found
        row: list[str] = []
        for place, value in enumerate(values):
            changes: list[Mapping[str, Any]] = []
            row.append(_field(column.field, value, CONVERTERS[column.kind], changes))
            if changes:
                nulled.setdefault(place, []).extend(changes)
        return row

    def _moments(self, emitted_at: Sequence[int]) -> Sequence[str]:
        texts = {moment: self._extracted_at(moment) for moment in dict.fromkeys(emitted_at)}
        return list(map(texts.__getitem__, emitted_at))

    def _extracted_at(self, emitted_at: int) -> str:
        second, milliseconds = divmod(emitted_at, 1000)
        if second != self._second[0]:
            self._second = (second, datetime.fromtimestamp(second, UTC).isoformat()[:19])
        return f"{self._second[1]}.{milliseconds:03}+00:00"

    def _meta(self, changes: Sequence[Mapping[str, Any]]) -> str:
        return escape(encode({"sync_id": self._sync_id, "changes": changes}))


def _field(field: str, value: Any, convert: Converter, changes: list[Mapping[str, Any]]) -> str:
    if value is None:
        return _NULL
    try:
        return convert(value)
    except ContradictionError as contradiction:
        changes.append({"field": field, "change": "NULLED", "reason": contradiction.reason})
        return _NULL


def _joined(columns: Sequence[Sequence[str]]) -> bytes:
    """Rows of fields, by one join: a row's last field and the next row's first are one piece."""
    *others, last = columns
    width, rows = len(others), len(last)
    ends = [f"{end}\n{begin}" for end, begin in zip(last, others[0][1:], strict=False)]
    pieces = [""] * (width * rows + 1)
    pieces[0] = others[0][0]
    pieces[width::width] = [*ends, f"{last[-1]}\n"]
    for place, column in enumerate(others[1:], start=1):
        pieces[place::width] = column
    return "\t".join(pieces).encode()

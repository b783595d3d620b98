"""Records to rows of COPY's text format."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airbyte_server.loader.columns import Column
from airbyte_server.loader.converters import CONVERTERS, ContradictionError, escape
from airbyte_server.loader.decoding import encode

_NULL = "\\N"


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
        self._fields = [(column.field, CONVERTERS[column.kind]) for column in columns]
        self._known = {column.field for column in columns}
        names = [column.name for column in columns]
        self._key_positions = [4 + names.index(key.name) for key in keys]
        self._plain_meta = escape(encode({"sync_id": sync_id, "changes": []}))
        self._count = 0
        self._moment: tuple[int, str] = (0, "1970-01-01T00:00:00.000+00:00")

    def line(self, data: Mapping[str, Any], emitted_at: int, changes: Sequence[Mapping[str, Any]] = ()) -> str:
        """One record's row; `emitted_at` in milliseconds since 1970, `changes` what the source says it altered."""
        self._count += 1
        row = [f"{self.row_id_prefix}{self._count:012x}", self._extracted_at(emitted_at), "", self._generation]
        nulled: list[Mapping[str, Any]] = list(changes)
        for field, convert in self._fields:
            value = data.get(field)
            if value is None:
                row.append(_NULL)
                continue
            try:
                row.append(convert(value))
            except ContradictionError as contradiction:
                row.append(_NULL)
                nulled.append({"field": field, "change": "NULLED", "reason": contradiction.reason})
        row[2] = self._meta(nulled) if nulled else self._plain_meta
        if not data.keys() <= self._known:
            self.unknown_fields.update(data.keys() - self._known)
        if any(row[position] is _NULL for position in self._key_positions):
            self.null_keys += 1
        return "\t".join(row) + "\n"

    def _extracted_at(self, emitted_at: int) -> str:
        if emitted_at != self._moment[0]:
            moment = datetime.fromtimestamp(emitted_at / 1000, UTC).isoformat(timespec="milliseconds")
            self._moment = (emitted_at, moment)
        return self._moment[1]

    def _meta(self, changes: Sequence[Mapping[str, Any]]) -> str:
        return escape(encode({"sync_id": self._sync_id, "changes": changes}))

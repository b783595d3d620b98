"""A connector's lines, many at a time: plain records of one stream together, everything else message by message."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import contains, itemgetter
from typing import Any

from airbyte_server.loader.decoding import NotJsonError, decode_all
from airbyte_server.loader.messages import LATEST_EMISSION, JsonObject, StreamKey, read_messages

_FEWEST = 8
"""Fewer records than this are quicker one by one."""

Numbered = tuple[int, int, JsonObject]
"""Line number, bytes, message."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one stream that followed each other, with nothing said about them."""

    key: StreamKey
    data: Sequence[JsonObject]
    emitted_at: Sequence[int]
    first_line: int
    size: int


def read_batches(batches: Iterable[Sequence[bytes]]) -> Iterator[Records | Numbered]:
    r"""Every message of the batches, whose lines have no "\n", in the order of each stream and against every STATE."""
    number = 1
    for lines in batches:
        yield from _items(lines, number)
        number += len(lines)


def _items(lines: Sequence[bytes], number: int) -> Iterator[Records | Numbered]:
    try:
        messages = decode_all(lines) if len(lines) >= _FEWEST else []
        types = list(map(itemgetter("type"), messages))
    except (NotJsonError, LookupError, TypeError):
        types = []
    if not types or set(map(type, types)) != {str}:
        # The plain reader hands on what is before a bad line, and then says what is wrong with it.
        yield from read_messages(lines, first=number)
        return
    others = [place for place, kind in enumerate(types) if kind != "RECORD"] if set(types) != {"RECORD"} else []
    start = 0
    for place in [*others, len(types)]:
        yield from _records(messages[start:place], lines[start:place], number + start)
        if place < len(types):
            yield number + place, len(lines[place]) + 1, messages[place]
        start = place + 1


def _records(messages: Sequence[JsonObject], lines: Sequence[bytes], number: int) -> Iterator[Records | Numbered]:
    columns = _plain(messages) if len(messages) >= _FEWEST else None
    if columns is None:
        yield from ((number + place, len(lines[place]) + 1, message) for place, message in enumerate(messages))
        return
    keys, data, emitted_at = columns
    sizes = list(map(len, lines))
    if isinstance(keys, tuple):
        yield Records(keys, data, emitted_at, number, sum(sizes) + len(lines))
        return
    for key in dict.fromkeys(keys):
        places = [place for place, one in enumerate(keys) if one == key]
        chosen = itemgetter(*places) if len(places) > 1 else lambda rows, only=places[0]: (rows[only],)
        yield Records(key, chosen(data), chosen(emitted_at), number + places[0], sum(chosen(sizes)) + len(places))


def _plain(
    messages: Sequence[JsonObject],
) -> tuple[StreamKey | list[StreamKey], list[JsonObject], list[int]] | None:
    """The stream of all or of each, data and times of emission, unless one is strange or the source changed a value."""
    try:
        records = list(map(itemgetter("record"), messages))
        streams = list(map(itemgetter("stream"), records))
        data = list(map(itemgetter("data"), records))
        emitted_at = list(map(itemgetter("emitted_at"), records))
        is_plain = (
            set(map(type, records)) == {dict}
            and set(map(type, streams)) == {str}
            and set(map(type, data)) == {dict}
            and set(map(type, emitted_at)) == {int}
            and 0 <= min(emitted_at) <= max(emitted_at) <= LATEST_EMISSION
            and not (any(map(contains, records, repeat("meta"))) and any(map(_has_changes, records)))
        )
    except (LookupError, TypeError):
        return None
    if not is_plain:
        return None
    if not any(map(contains, records, repeat("namespace"))) and len(set(streams)) == 1:
        return (None, streams[0]), data, emitted_at
    namespaces = [record.get("namespace") for record in records]
    if not {type(name) for name in namespaces} <= {str, type(None)}:
        return None
    return list(zip(namespaces, streams, strict=True)), data, emitted_at


def _has_changes(record: JsonObject) -> Any:
    meta = record.get("meta")
    return isinstance(meta, dict) and meta.get("changes")

"""The records that the loader's benchmark replays: an order of a shop, about 600 bytes as an Airbyte message."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

STREAM = "orders"
JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": ["null", "integer"]},
        "number": {"type": ["null", "string"]},
        "reference": {"type": ["null", "string"]},
        "customer": {"type": ["null", "string"]},
        "email": {"type": ["null", "string"]},
        "status": {"type": ["null", "string"]},
        "currency": {"type": ["null", "string"]},
        "total": {"type": ["null", "number"]},
        "items": {"type": ["null", "integer"]},
        "is_paid": {"type": ["null", "boolean"]},
        "discount": {"type": ["null", "number"]},
        "due": {"type": ["null", "string"], "format": "date"},
        "created_at": {"type": ["null", "string"], "format": "date-time"},
        "updated_at": {"type": ["null", "string"], "format": "date-time"},
        "address": {"type": ["null", "object"]},
        "tags": {"type": ["null", "array"]},
        "note": {"type": ["null", "string"]},
    },
}
FIELDS = tuple(JSON_SCHEMA["properties"])
_START = datetime(2024, 1, 1, tzinfo=UTC)
_EMITTED_AT = 1_760_000_000_000
_NAMES = ("Zoë Müller", "María García", "山田 太郎", "John Smith", "Łukasz Nowak", "Amélie Dubois", "Priya Patel")
_CITIES = ("Zürich", "Kraków", "東京", "New York", "São Paulo", "Utrecht", "Malmö")
_STATUSES = ("open", "paid", "shipped", "returned", "cancelled")
_NOTES = (
    "Ring twice.\nLeave it with the neighbour at number 12.",
    'Gift: "Happy birthday" 🎁',
    "C:\\orders\\new\tleft",
)


def write_file(path: Path, records: int, *, repeats: int = 0) -> None:
    """One stream's messages, one a line; the last `repeats` of the records are newer versions of earlier ones."""
    with path.open("wb", buffering=1 << 20) as file:
        for line in lines(records, repeats):
            file.write(line)


def lines(records: int, repeats: int = 0) -> Iterator[bytes]:
    """The messages, always the same for the same arguments."""
    chance = random.Random(4)
    for number in range(records):
        is_repeat = number >= records - repeats
        order = order_of(chance.randrange(records - repeats) if is_repeat else number, chance, version=int(is_repeat))
        record = {"stream": STREAM, "data": order, "emitted_at": _EMITTED_AT + number // 4}
        yield orjson.dumps({"type": "RECORD", "record": record}) + b"\n"
    status = {"stream_descriptor": {"name": STREAM}, "status": "COMPLETE"}
    trace = {"type": "STREAM_STATUS", "emitted_at": _EMITTED_AT, "stream_status": status}
    yield orjson.dumps({"type": "TRACE", "trace": trace}) + b"\n"


def order_of(number: int, chance: random.Random, *, version: int) -> dict[str, Any]:
    """One order, with the gaps and oddities that real ones have."""
    created = _START + timedelta(seconds=number * 17, milliseconds=number % 1000)
    updated = created + timedelta(days=version, seconds=chance.randrange(86_400))
    draw = chance.random()
    return {
        "id": number,
        "number": f"SO-{number:09d}",
        "reference": str(UUID(int=chance.getrandbits(128), version=4)),
        "customer": _NAMES[number % len(_NAMES)] if draw < 0.4 else f"Customer {number % 5000}",
        "email": f"someone.{number % 50_000}@example.com",
        "status": _STATUSES[number % len(_STATUSES)],
        "currency": "EUR" if draw < 0.7 else "USD",
        "total": round(draw * 1000, 2),
        "items": number % 9 + 1,
        "is_paid": draw < 0.6,
        "discount": None if draw < 0.8 else round(draw * 10, 1),
        "due": created.date().isoformat() if draw < 0.9 else None,
        "created_at": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "updated_at": updated.isoformat(timespec="seconds"),
        "address": {
            "city": _CITIES[number % len(_CITIES)],
            "country": "NL",
            "postcode": f"{number % 9000 + 1000}",
            "street": f"Main street {number % 300}, second floor",
            "geo": {"lat": round(50 + draw, 6), "lon": round(4 + draw, 6)},
        },
        "tags": ["web", "first"] if draw < 0.3 else [],
        "note": _NOTES[number % len(_NOTES)] if draw < 0.2 else None,
    }

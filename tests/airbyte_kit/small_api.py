"""The API that the template's connector is written for, with a few customers and their invoices."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airbyte_kit.replay.exchanges import Answer, Asked
from airbyte_kit.replay.server import replay_server
from airbyte_kit.subjects import Subject

KEY = "key_live_4f9c1b"
CUSTOMERS = [
    {
        "id": f"cus_{number}",
        "name": f"Customer {number}",
        "email": None if number == 3 else f"customer{number}@example.com",
        "created_at": f"2026-0{1 + number % 3}-11T08:00:00Z",
        "updated_at": f"2026-09-{number:02d}T09:30:00Z",
    }
    for number in range(1, 8)
]
LATER = {**CUSTOMERS[1], "updated_at": "2026-09-20T09:30:00Z"}


class SmallApi(Subject):
    """Answers as documented: a window of changes, pages by cursor, a key; a day passes when it is told so."""

    name = "the small API"
    is_made_up = True

    def __init__(self) -> None:
        self._customers = CUSTOMERS

    def pass_day(self) -> bool:
        self._customers = [*CUSTOMERS[:1], *CUSTOMERS[2:], LATER]
        return True

    def answer(self, asked: Asked) -> Answer:
        """One request; whoever brings another key is refused."""
        if ("Authorization", f"Bearer {KEY}") not in asked.headers:
            return Answer(401, {"error": "This key is not known."})
        match asked.path.split("/"):
            case ["", "v1", "customers"]:
                return page(self._changed(asked), asked)
            case ["", "v1", "customers", customer, "invoices"]:
                return page(invoices(customer), asked)
        return Answer(404, {"error": "There is nothing at this path."})

    def _changed(self, asked: Asked) -> list[dict[str, Any]]:
        since, until = asked.values.get("updated_since", ""), asked.values.get("updated_until", "9")
        return [each for each in self._customers if since <= str(each["updated_at"]) <= until]


def invoices(customer: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{customer}_{number}", "amount": 10.5 * number, "currency": "EUR", "issued_at": "2026-09-01T00:00:00Z"}
        for number in range(1, 4)
    ]


def page(rows: list[dict[str, Any]], asked: Asked) -> Answer:
    begin, size = int(asked.values.get("cursor", 0)), int(asked.values.get("limit", 100))
    end = begin + size
    return Answer(200, {"data": rows[begin:end], "next_cursor": str(end) if end < len(rows) else None})


@contextmanager
def small_api() -> Iterator[SmallApi]:
    """A running one."""
    api = SmallApi()
    with replay_server() as server:
        server.answer = api.answer
        api.configuration = {"api_key": KEY, "start_date": "2026-01-01T00:00:00Z", "base_url": server.root}
        yield api

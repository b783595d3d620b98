"""What a replayed API answers: the samples in their order, nothing new, or a refusal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from airbyte_kit.replay.exchanges import Answer, Asked, Exchange, JsonObject, emptied


class Api(Protocol):
    """Whatever answers requests."""

    def answer(self, asked: Asked) -> Answer:
        """The response to one request."""
        ...


class Script:
    """The exchanges in the order in which they are asked, each once."""

    def __init__(self, exchanges: Sequence[Exchange], base_path: str) -> None:
        self.exchanges = exchanges
        self.asked: list[tuple[Asked, Exchange | None]] = []
        self._base_path = base_path

    @property
    def unused(self) -> list[str]:
        """What nobody asked for."""
        return [f"{one.place}: {json.dumps(one.request)}" for one in self.exchanges if not one.times]

    @property
    def unanswered(self) -> list[Asked]:
        """Requests that no exchange is for."""
        return [asked for asked, exchange in self.asked if exchange is None]

    def answer(self, asked: Asked) -> Answer:
        """The first match that is unused."""
        matching = (one for one in self.exchanges if not one.times and one.matches(asked, self._base_path))
        found = next(matching, None)
        self.asked.append((asked, found))
        if found is None:
            return Answer(404, {"error": "The sample has no exchange for this request."})
        found.times += 1
        return found.answer


class NothingNew:
    """The API after everything was read: what was asked before it answers as before, all else with an empty page."""

    def __init__(self, before: Script, base_path: str) -> None:
        self._known = [
            (asked, one.answer) for asked, one in before.asked if one is not None and one.answer.status < 300
        ]
        self._exchanges = before.exchanges
        self._base_path = base_path
        self.asked: list[Asked] = []
        self.unanswered: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        """As before, or nothing new."""
        number = sum(one == asked for one in self.asked)
        self.asked.append(asked)
        known = [answer for one, answer in self._known if one == asked]
        if known:
            return known[min(number, len(known) - 1)]
        pages = [one.answer for one in self._exchanges if one.is_at(asked.path, self._base_path)]
        pages = [one for one in pages if one.status < 300]
        if not pages:
            self.unanswered.append(asked)
            return Answer(404, {"error": "The sample has no exchange for this path."})
        return Answer(pages[-1].status, emptied(pages[-1].body), pages[-1].headers)


@dataclass
class Refusal:
    """Says 401, or what the connector's API says instead; one that `repeats` says the secret that it refused."""

    repeats: bool = False
    written: JsonObject | None = None

    def answer(self, asked: Asked) -> Answer:
        """To whatever is asked."""
        if self.written:
            return Exchange.read("unauthorized.json", {"request": {}, "response": self.written}).answer
        given = [value for name, value in asked.headers if name.lower() not in ("host", "user-agent")]
        sentence = " ".join(["Invalid credentials.", *(given if self.repeats else [])])
        return Answer(401, {"error": {"message": sentence}, "message": sentence})

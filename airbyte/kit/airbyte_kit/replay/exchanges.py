"""Samples: requests, each with its response."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request; its headers are no part of what it asks for."""

    method: str
    path: str
    query: tuple[tuple[str, tuple[str, ...]], ...]
    body: str
    headers: tuple[tuple[str, str], ...] = field(compare=False, repr=False, default=())

    @cached_property
    def values(self) -> JsonObject:
        """The query; a key that is repeated has a list."""
        return {name: found[0] if len(found) == 1 else list(found) for name, found in self.query}

    @cached_property
    def json(self) -> JsonObject:
        """The body, where it is a JSON object."""
        try:
            read = json.loads(self.body or "{}")
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True)
class Answer:
    """A response; its body is whatever JSON has."""

    status: int
    body: Any
    headers: JsonObject = field(default_factory=dict)


@dataclass
class Exchange:
    """A request of a sample, its response, and how often it was asked."""

    place: str
    request: JsonObject
    answer: Answer
    times: int = 0

    @classmethod
    def read(cls, place: str, written: JsonObject) -> "Exchange":
        """The exchange as a sample has it."""
        response = written["response"]
        answer = Answer(response.get("status", 200), response.get("body"), response.get("headers") or {})
        return cls(place, written["request"], answer)

    def matches(self, asked: Asked, base_path: str) -> bool:
        """Method and path, and each key that the sample names; `null` stands for a key that is absent."""
        if self.request.get("method", "GET") != asked.method or not self.is_at(asked.path, base_path):
            return False
        query = self.request.get("query") or {}
        wanted = {key: _texts(value) for key, value in query.items()}
        body = self.request.get("json") or {}
        return all(asked.values.get(key) == value for key, value in wanted.items()) and all(
            asked.json.get(key) == value for key, value in body.items()
        )

    def is_at(self, path: str, base_path: str) -> bool:
        """Whether it is about this path, which a sample writes with or without that of the base URL."""
        return bool(unquote(self.request["path"]) in (path, path.removeprefix(base_path)))


def emptied(body: Any) -> Any:
    """A page without its records: every list in it has no items."""
    if isinstance(body, dict):
        return {name: emptied(value) for name, value in body.items()}
    return [] if isinstance(body, list) else body


def _texts(value: Any) -> Any:
    """A query's value as a request has it."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)

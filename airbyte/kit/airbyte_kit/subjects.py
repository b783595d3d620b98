"""The API that a connector is checked against: one that somebody configured, or one that is made up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.watching import Injected

_SHORT = 2
Failure = Literal["rate_limit", "server_error", "unauthorised"]
RETRY_AFTER = 60
"""Longer than any connector waits by itself, where nothing is really waited for."""


class Subject:
    """An API that somebody configured: it is real, so it is asked as little as may be and never made to fail."""

    name = "the connector's side"
    is_made_up = False
    wrong_configuration: JsonObject | None = None

    def __init__(self, configuration: JsonObject) -> None:
        self.configuration = configuration

    def pass_day(self) -> bool:
        """Let a day pass; False where that is not to be had."""
        return False

    @contextmanager
    def failing(self, how: Failure, every: int) -> Iterator[Injected | None]:
        """Every so many requests fail, by the API or else by what is injected into the connector's process."""
        match how:
            case "rate_limit":
                yield Injected(429, every, {"Retry-After": str(RETRY_AFTER if self.is_made_up else _SHORT)})
            case "server_error":
                yield Injected(503, every)
            case "unauthorised":
                yield Injected(401, every)

    def forget(self) -> None:
        """Begin to note anew which pages are given out."""

    def unread(self) -> list[str]:
        """Of each list that was asked for since then and not read to its end, what is missing."""
        return []


class Noting(Protocol):
    """A server that notes which of its records were given out."""

    def forget(self) -> None:
        """Begin anew."""
        ...

    def unread(self) -> list[str]:
        """What is missing of each list that was asked for."""
        ...


class StandIn(Subject):
    """A server made of the connector's OpenAPI document."""

    name = "the stand-in"
    is_made_up = True

    def __init__(self, configuration: JsonObject, wrong_configuration: JsonObject | None, stand_in: Noting) -> None:
        super().__init__(configuration)
        self.wrong_configuration = wrong_configuration
        self._stand_in = stand_in

    def forget(self) -> None:
        """As its server has it."""
        self._stand_in.forget()

    def unread(self) -> list[str]:
        """As its server has it."""
        return self._stand_in.unread()

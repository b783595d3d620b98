"""What a connector asked its API, how long it waited and where it stopped paging, as it happened."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson


@dataclass(frozen=True)
class Request:
    """One request that was really sent; without a stream it is for a token."""

    stream: str | None
    method: str
    url: str
    body: str
    status: int
    retry_after: float | None
    thread: int


@dataclass(frozen=True)
class Wait:
    """A pause before a request is repeated."""

    seconds: float
    thread: int


@dataclass(frozen=True)
class Page:
    """A page that was read: whether the API says that there is more, and whether the connector goes on."""

    stream: str
    url: str
    body: str
    says_more: bool
    goes_on: bool


Entry = Request | Wait | Page
_KINDS: dict[str, type[Entry]] = {"Request": Request, "Wait": Wait, "Page": Page}


@dataclass(frozen=True)
class Journal:
    """The entries in their order."""

    entries: Sequence[Entry] = field(default_factory=list)

    @property
    def requests(self) -> list[Request]:
        """All that was sent."""
        return [each for each in self.entries if isinstance(each, Request)]

    @property
    def pages(self) -> list[Page]:
        """All that was read."""
        return [each for each in self.entries if isinstance(each, Page)]

    @property
    def waits(self) -> list[Wait]:
        """All that was waited, or would have been."""
        return [each for each in self.entries if isinstance(each, Wait)]

    def waited_after(self, request: Request) -> float:
        """How long the request's thread paused before it asked again."""
        place = next(number for number, each in enumerate(self.entries) if each is request)
        later = self.entries[place + 1 :]
        seconds = 0.0
        for each in later:
            if isinstance(each, Request) and each.thread == request.thread:
                break
            if isinstance(each, Wait) and each.thread == request.thread:
                seconds += each.seconds
        return seconds


def written(entry: Entry) -> bytes:
    """The entry as one line."""
    return orjson.dumps([type(entry).__name__, asdict(entry)]) + b"\n"


def read_journal(path: Path) -> Journal:
    """What was written there; the half line of a killed process is left out."""
    if not path.is_file():
        return Journal()
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return Journal([_KINDS[kind](**fields) for kind, fields in map(orjson.loads, lines)])

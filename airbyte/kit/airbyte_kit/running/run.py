"""What one command of a connector said, and what it asked its API."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from airbyte_kit.replay.exchanges import Asked, JsonObject
from airbyte_kit.running.journal import Journal

_LONGEST_TOLD = 300


@dataclass
class Run:
    """One command that ended, or was ended (`cut` says why)."""

    code: int
    lines: Sequence[bytes]
    complaints: bytes = b""
    journal: Journal = field(default_factory=Journal)
    cut: str | None = None
    asked: Sequence[Asked] = ()
    """What a replayed API was asked, with its headers."""

    @property
    def waited(self) -> list[float]:
        """The pauses, in their order."""
        return [each.seconds for each in self.journal.waits]

    @functools.cached_property
    def messages(self) -> list[JsonObject]:
        """Each line as the message it is."""
        return [orjson.loads(line) for line in self.lines]

    def of(self, kind: str) -> list[JsonObject]:
        """What the messages of a kind hold."""
        name = "connectionStatus" if kind == "CONNECTION_STATUS" else kind.lower()
        return [each[name] for each in self.messages if each["type"] == kind]

    @property
    def rows(self) -> list[JsonObject]:
        """The records' data."""
        return [each["data"] for each in self.of("RECORD")]

    @functools.cached_property
    def rows_by_stream(self) -> dict[str, list[JsonObject]]:
        """The records' data, of each stream that has any."""
        found: dict[str, list[JsonObject]] = {}
        for each in self.of("RECORD"):
            found.setdefault(each["stream"], []).append(each["data"])
        return found

    @property
    def errors(self) -> list[JsonObject]:
        """Each TRACE that is an error."""
        return [each for each in self.of("TRACE") if each["type"] == "ERROR"]

    def errors_of(self, stream: str) -> list[JsonObject]:
        """The errors that name the stream."""
        found = [each["error"] for each in self.errors]
        return [each for each in found if (each.get("stream_descriptor") or {}).get("name") == stream]

    def statuses(self, stream: str) -> list[str]:
        """What the stream's TRACE messages say of it."""
        found = [each["stream_status"] for each in self.of("TRACE") if each["type"] == "STREAM_STATUS"]
        return [each["status"] for each in found if each["stream_descriptor"]["name"] == stream]

    @property
    def state(self) -> list[JsonObject]:
        """The last state of each stream."""
        return list({each["stream"]["stream_descriptor"]["name"]: each for each in self.of("STATE")}.values())

    def told(self) -> str:
        """What to read where something is wrong."""
        logs = [each["message"] for each in self.of("LOG") if each["level"] in ("WARN", "ERROR", "FATAL")]
        errors = [f"{each['error']['message']} ({each['error'].get('internal_message')})" for each in self.errors]
        return "\n".join(text.splitlines()[0][:500] for text in [*logs[-5:], *errors[:3]] if text)

    def trouble(self, stream: str | None = None) -> str:
        """Why it failed, in one line: the connector's own sentence where it has one."""
        errors = (self.errors_of(stream) if stream else []) or [each["error"] for each in self.errors]
        if self.cut:
            return self.cut
        if errors:
            return " ".join(str(errors[0].get("message") or errors[0].get("internal_message")).split())[:_LONGEST_TOLD]
        last = self.complaints.decode(errors="replace").strip().splitlines()[-1:]
        if not last and not self.code:
            return "it ends without a word, as airbyte-cdk does where an API sends an empty record ({})"
        return last[0][:_LONGEST_TOLD] if last else f"it ended with code {self.code} and without a word"

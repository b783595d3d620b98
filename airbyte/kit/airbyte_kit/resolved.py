"""What a manifest says of its streams, references resolved."""

import functools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from airbyte_cdk.sources.declarative.interpolation.interpolated_string import InterpolatedString
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from isodate import parse_duration  # type: ignore[import-untyped]

from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.run import Run

_MOST_PAGES, _MOST_LISTS = 60, 60
_SHORT_WINDOW = "P13D"


@dataclass(frozen=True)
class Resolved:
    """A manifest without references."""

    manifest: JsonObject

    @functools.cached_property
    def streams(self) -> dict[str, JsonObject]:
        """Those that are written out, by name."""
        found = self.manifest.get("streams") or []
        return {_name(each): each for each in found}

    @functools.cached_property
    def readers(self) -> Counter[str]:
        """How many streams read each stream's pages: itself, and those it is a parent of, at any depth."""
        found = Counter(self.streams.keys())
        for stream in self.streams.values():
            found.update(_parents(stream.get("retriever") or {}))
        return found

    @functools.cached_property
    def stopping_early(self) -> set[str]:
        """Streams that stop paging where older records begin, on purpose."""
        return {name for name, each in self.streams.items() if (each.get("incremental_sync") or {}).get("is_data_feed")}

    def resends(self, stream: str) -> bool:
        """Whether its records are those of parents that changed, however old they are themselves."""
        router = (self.streams.get(stream, {}).get("retriever") or {}).get("partition_router") or {}
        routers = router if isinstance(router, list) else [router]
        parents = [parent for each in routers for parent in each.get("parent_stream_configs") or []]
        return any(parent.get("incremental_dependency") for parent in parents)

    def lookback(self, stream: str, configuration: Mapping[str, Any]) -> float:
        """How many seconds before its state a stream reads again on purpose."""
        if self.resends(stream):
            return math.inf
        written = (self.streams.get(stream, {}).get("incremental_sync") or {}).get("lookback_window")
        if not written:
            return 0.0
        text = InterpolatedString.create(str(written), parameters={}).eval(configuration)
        return float(parse_duration(text).total_seconds()) if text else 0.0

    def with_smaller_pages(self, runs: Mapping[str, Run]) -> tuple[JsonObject, list[str]]:
        """The manifest with pages so small that streams need several, and the streams that it changes."""
        changed = Resolved(orjson.loads(orjson.dumps(self.manifest, option=orjson.OPT_NON_STR_KEYS)))
        names = []
        for name, stream in changed.streams.items():
            paginator = (stream.get("retriever") or {}).get("paginator") or {}
            strategy = paginator.get("pagination_strategy") or {}
            size = _size(name, runs[name]) if name in runs else 0
            if size and "page_size" in strategy and paginator.get("page_size_option"):
                strategy["page_size"] = size
                names.append(name)
        return changed.manifest, names

    def with_short_windows(self) -> tuple[JsonObject, list[str]]:
        """The manifest whose windows of time are so short that there are several, and the streams that it changes."""
        changed = Resolved(orjson.loads(orjson.dumps(self.manifest, option=orjson.OPT_NON_STR_KEYS)))
        names = []
        for name, stream in changed.streams.items():
            cursor = stream.get("incremental_sync") or {}
            if cursor.get("type") == "DatetimeBasedCursor" and cursor.get("step"):
                cursor["step"] = _SHORT_WINDOW
                names.append(name)
        return changed.manifest, names


def resolved(text: bytes) -> Resolved:
    """A manifest, given as JSON, with each reference replaced by what it leads to."""
    return Resolved(ManifestReferenceResolver().preprocess_manifest(orjson.loads(text)))


def _name(stream: JsonObject) -> str:
    return str(stream.get("name") or (stream.get("$parameters") or {}).get("name"))


def _parents(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _parents(item)
    if not isinstance(node, dict):
        return
    if node.get("type") == "ParentStreamConfig":
        yield _name(node.get("stream") or {})
    for item in node.values():
        yield from _parents(item)


def _size(name: str, run: Run) -> int:
    """A third of what a list holds on average, so that the stream is asked for some pages, never for very many."""
    rows = len(run.rows_by_stream.get(name, []))
    lists = max(1, sum(page.stream == name and not page.goes_on for page in run.journal.pages))
    if rows < 2 or lists > _MOST_LISTS:
        return 0
    return max(1, rows // lists // 3, rows // _MOST_PAGES)

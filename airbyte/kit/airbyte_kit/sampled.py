"""The steps where nothing but samples is there: each is judged by what the replayed API was asked."""

from collections.abc import Iterator, Sequence

from airbyte_kit.findings import Finding, judged, skipped
from airbyte_kit.resolved import Resolved
from airbyte_kit.running.watching import Injected
from airbyte_kit.steps.increments import judge_second_read
from airbyte_kit.steps.paging import judge_paging
from airbyte_kit.steps.records import judge_keys, judge_reading, judge_schema
from airbyte_kit.steps.refusing import judge_limits, judge_server_errors
from airbyte_kit.steps.replaying import Samples
from airbyte_kit.subjects import RETRY_AFTER

_PLACE = "the connector's side"


class Sampled:
    """One connector against its samples alone."""

    def __init__(self, samples: Samples, resolved: Resolved, streams: Sequence[str]) -> None:
        self._samples = samples
        self._resolved = resolved
        self._streams = streams
        self._discovered = samples.session.discovered

    def steps(self) -> Iterator[Finding]:
        """Those that samples can show, after they were replayed."""
        for name in self._streams:
            yield from self._records(name)
        for name in self._streams:
            early = name in self._resolved.stopping_early
            yield judge_paging(name, self._samples.first[name].journal, self._resolved.readers[name], stops_early=early)
        for name in self._streams:
            yield self._second_read(name)
        yield skipped("later_day", "Samples have no other day.")
        yield from self._failing()

    def _records(self, name: str) -> Iterator[Finding]:
        run, stream = self._samples.first[name], self._discovered[name]
        rows = run.rows_by_stream.get(name, [])
        yield judge_reading(name, run, must_have_rows=True)
        yield judge_schema(stream, rows)
        yield judge_keys(stream, rows)

    def _second_read(self, name: str) -> Finding:
        if not self._samples.session.is_incremental(name):
            return skipped("incremental", "It is read whole each time.", name)
        run, api = self._samples.again(name)
        if api.unanswered:
            asked = api.unanswered[0]
            return judged("incremental", [f"No exchange has the path of {asked.method} {asked.path}."], stream=name)
        lookback = self._resolved.lookback(name, self._samples.session.configuration)
        return judge_second_read(self._discovered[name], self._samples.first[name], run, lookback)

    def _failing(self) -> Iterator[Finding]:
        checked = (self._resolved.manifest.get("check") or {}).get("stream_names") or []
        name = min(self._streams, key=lambda each: (each not in checked, each))
        streams = {name: self._discovered[name]}
        limit = Injected(429, 2, {"Retry-After": str(RETRY_AFTER)})
        yield judge_limits(self._samples.read_with(name, limit), streams, self._samples.first, _PLACE)
        error = Injected(503, 2)
        yield judge_server_errors(self._samples.read_with(name, error), streams, self._samples.first, _PLACE)

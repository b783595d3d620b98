"""The steps that ask an API: what is read, page by page, then again with its state, and where the API fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from airbyte_kit.findings import Finding, failed, skipped
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.resolved import Resolved
from airbyte_kit.running.run import Run
from airbyte_kit.session import Session
from airbyte_kit.steps.increments import judge_later_day, judge_second_read
from airbyte_kit.steps.paging import judge_paging, judge_short_windows, judge_smaller_pages
from airbyte_kit.steps.records import judge_keys, judge_reading, judge_schema
from airbyte_kit.steps.refusing import judge_limits, judge_refusal, judge_server_errors
from airbyte_kit.subjects import Failure, Subject

Runs = Mapping[str, Run]
Judge = Callable[[Run, Mapping[str, JsonObject], Runs, str], Finding]
_ENOUGH_PAGES = 4


class Live:
    """One connector against one API; `first` are the runs that everything else is compared with."""

    def __init__(self, session: Session, subject: Subject, resolved: Resolved, streams: Sequence[str]) -> None:
        self._session = session
        self._subject = subject
        self._resolved = resolved
        self._streams = streams
        self.first: dict[str, Run] = {}
        self._smaller: JsonObject | None = None
        """The manifest with smaller pages, so that even a small stream takes several requests."""
        self._in_pages: dict[str, Run] = {}

    def steps(self) -> Iterator[Finding]:
        """All of them in their order."""
        yield from self._read()
        yield from self._paging()
        yield from self._windows()
        yield from self._second_read()
        yield self._refused()
        yield from self._failing()
        yield from self._later_day()

    def _runs(self, streams: Sequence[str], states: Runs | None = None) -> dict[str, Run]:
        """All in one run where the API is made up, each in its own bounds where it is real."""
        groups = [list(streams)] if self._subject.is_made_up else [[each] for each in streams]
        runs: dict[str, Run] = {}
        for group in filter(None, groups):
            kept = [] if states is None else _states(states, group)
            run = self._session.run("read", group, kept)
            runs |= dict.fromkeys(group, run)
        return runs

    def _rows(self, stream: str) -> list[dict[str, object]]:
        return self.first[stream].rows_by_stream.get(stream, [])

    def _read(self) -> Iterator[Finding]:
        self._subject.forget()
        self.first = self._runs(self._streams)
        for name in self._streams:
            stream = self._session.discovered[name]
            yield judge_reading(name, self.first[name], must_have_rows=self._subject.is_made_up)
            yield judge_schema(stream, self._rows(name))
            yield judge_keys(stream, self._rows(name))

    def _paging(self) -> Iterator[Finding]:
        unread = self._subject.unread()
        natural = {
            name: judge_paging(
                name,
                self.first[name].journal,
                self._resolved.readers[name],
                stops_early=name in self._resolved.stopping_early,
            )
            for name in self._streams
        }
        smaller = self._read_smaller() if self._subject.is_made_up and not unread else {}
        for name, found in natural.items():
            if found.outcome == "failed" or name not in smaller:
                yield found
            else:
                stream, readers = self._session.discovered[name], self._resolved.readers[name]
                yield judge_smaller_pages(stream, self._rows(name), smaller[name], readers)
        if unread:
            yield failed("paging", unread[0])

    def _read_smaller(self) -> dict[str, Run]:
        self._smaller, changed = self._resolved.with_smaller_pages(self.first)
        if changed:
            run = self._session.run("read", changed, manifest=self._smaller)
            self._in_pages = dict.fromkeys(changed, run)
        return self._in_pages

    def _windows(self) -> Iterator[Finding]:
        manifest, changed = self._resolved.with_short_windows()
        streams = [name for name in self._streams if name in changed]
        if not streams or not self._subject.is_made_up:
            yield skipped("windows", "No stream is asked for windows of time." if not streams else "The API is real.")
            return
        run = self._session.run("read", streams, manifest=manifest)
        for name in streams:
            yield judge_short_windows(self._session.discovered[name], self._rows(name), run)

    def _second_read(self) -> Iterator[Finding]:
        second = self._runs(self._incremental(), self.first)
        for name in self._streams:
            if name in second:
                lookback = self._resolved.lookback(name, self._session.configuration)
                yield judge_second_read(self._session.discovered[name], self.first[name], second[name], lookback)
            elif self._session.is_incremental(name):
                yield skipped("incremental", "It was not read to its end, so its state says nothing.", name)
            else:
                yield skipped("incremental", "It is read whole each time.", name)

    def _incremental(self) -> list[str]:
        return [name for name in self._streams if self._session.is_incremental(name) and not self.first[name].cut]

    def _later_day(self) -> Iterator[Finding]:
        streams = self._incremental()
        if not streams or not self._subject.pass_day():
            yield skipped("later_day", "No day can be let pass.")
            return
        later = self._runs(streams, self.first)
        for name in streams:
            lookback = self._resolved.lookback(name, self._session.configuration)
            yield judge_later_day(self._session.discovered[name], self.first[name], later[name], lookback)
        if not any(later[name].rows_by_stream.get(name) for name in streams):
            yield failed("later_day", "A day has passed, and no stream has a record of it.")

    def _refused(self) -> Finding:
        secrets = self._session.connector.secrets(self._session.configuration)
        if not secrets:
            return skipped("unauthorised", "Its specification marks no field with airbyte_secret.")
        if self._subject.wrong_configuration is not None:
            run = self._session.run("read", self._streams, configuration=self._subject.wrong_configuration)
        else:
            with self._subject.failing("unauthorised", 1) as injected:
                run = self._session.run("read", self._streams, injected=injected)
        return judge_refusal(run, self._streams, secrets, self._subject.name)

    def _failing(self) -> Iterator[Finding]:
        name = self._tried()
        streams = {name: self._session.discovered[name]}
        every = _every(self.first[name], self._in_pages.get(name, self.first[name]), name)
        failures: tuple[tuple[Failure, Judge], ...]
        failures = ("rate_limit", judge_limits), ("server_error", judge_server_errors)
        for how, judge in failures:
            with self._subject.failing(how, every) as injected:
                run = self._session.run("read", [name], manifest=self._smaller, injected=injected)
            yield judge(run, streams, self.first, self._subject.name)

    def _tried(self) -> str:
        """A stream of enough pages to meet a fault or two: one that the check reads, else one of few lists."""
        checked = (self._resolved.manifest.get("check") or {}).get("stream_names") or []

        def order(name: str) -> tuple[bool, bool, bool, int]:
            journal = self._in_pages.get(name, self.first[name]).journal
            pages = [each for each in journal.pages if each.stream == name]
            lists = sum(not each.goes_on for each in pages)
            return not self._rows(name), len(pages) < lists + _ENOUGH_PAGES, name not in checked, lists

        return min(self._streams, key=order)


def _every(first: Run, whole: Run, name: str) -> int:
    """How often a request may fail: now and then for each list, so that no request fails until it is given up."""
    lists = sum(page.stream == name and not page.goes_on for page in first.journal.pages)
    pages = sum(page.stream == name for page in whole.journal.pages)
    return max(2, min(max(lists + 1, pages // 3), pages // 2, 7))


def _states(runs: Runs, streams: Sequence[str]) -> list[JsonObject]:
    found = {each["stream"]["stream_descriptor"]["name"]: each for name in streams for each in runs[name].state}
    return [found[name] for name in streams if name in found]

"""Whether every page was read, and none of them twice."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from airbyte_kit.findings import Finding, judged, ok, skipped
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.journal import Journal
from airbyte_kit.running.run import Run
from airbyte_kit.steps.records import key_of


def judge_paging(stream: str, journal: Journal, readers: int, *, stops_early: bool = False) -> Finding:
    """No page was asked for twice, and each that says that there is more was followed by another.

    `readers` is how many streams ask for this one's pages: itself, and its children.
    """
    pages = [each for each in journal.pages if each.stream == stream]
    problems = _repeats(stream, journal, readers)
    if not stops_early:
        problems += [
            f"{_shown(page.url)} says that there is more, and nothing was asked for after it."
            for page in pages
            if page.says_more and not page.goes_on
        ]
    if problems:
        return judged("paging", problems, stream=stream)
    if not any(page.goes_on for page in pages):
        return skipped("paging", "No list was longer than one page.", stream)
    return ok("paging", f"{len({(page.url, page.body) for page in pages})} pages", stream)


def judge_short_windows(stream: JsonObject, rows: Sequence[JsonObject], run: Run) -> Finding:
    """Windows of time leave nothing out between them, and overlap nowhere: short ones hold the same records."""
    name, keys = stream["name"], stream.get("source_defined_primary_key") or []
    if run.errors_of(name) or run.cut or "COMPLETE" not in run.statuses(name)[-1:]:
        return judged("windows", [f"With short windows it was not read to its end: {run.trouble(name)}"], stream=name)
    whole = Counter(key_of(row, keys) for row in rows)
    parts = Counter(key_of(row, keys) for row in run.rows_by_stream.get(name, []))
    lost, more = (whole - parts).total(), (parts - whole).total()
    problems = []
    if lost:
        problems.append(f"Short windows leave out {lost} of {whole.total()} records: see step and cursor_granularity.")
    problems += [f"Short windows overlap, or long ones leave out: {more} records more come."] if more else []
    return judged("windows", problems, f"short windows hold the same {whole.total()} records", name)


def judge_smaller_pages(stream: JsonObject, rows: Sequence[JsonObject], run: Run, readers: int) -> Finding:
    """Smaller pages hold the same records."""
    name, keys = stream["name"], stream.get("source_defined_primary_key") or []
    repeats = _repeats(name, run.journal, readers)
    if repeats:
        return judged("paging", repeats, stream=name)
    if run.errors_of(name) or run.cut or "COMPLETE" not in run.statuses(name)[-1:]:
        return judged("paging", [f"With smaller pages it was not read to its end: {run.trouble(name)}"], stream=name)
    whole = Counter(key_of(row, keys) for row in rows)
    parts = Counter(key_of(row, keys) for row in run.rows_by_stream.get(name, []))
    lost, more = (whole - parts).total(), (parts - whole).total()
    problems = [f"With smaller pages {lost} of {whole.total()} records are lost."] if lost else []
    problems += [f"With smaller pages {more} records come that are there twice or not at all."] if more else []
    pages = [page for page in run.journal.pages if page.stream == name]
    if not problems and not any(page.goes_on for page in pages):
        return skipped("paging", "No list has more than one page, however small.", name)
    return judged("paging", problems, f"{len(pages)} pages hold the same {whole.total()} records", name)


def _repeats(stream: str, journal: Journal, readers: int) -> list[str]:
    """Pages that were asked for, or read again from airbyte-cdk's cache, more often than streams read them."""
    sent = [(each.url, each.body) for each in journal.requests if each.stream == stream and each.status < 300]
    read = [(page.url, page.body) for page in journal.pages if page.stream == stream]
    times = Counter(sent) | Counter(read)
    return [
        f"{_shown(url)} was asked for {count} times: the page after it is never reached."
        for (url, _), count in times.most_common()
        if count > readers
    ]


def _shown(url: str) -> str:
    """A request's path and query: its host says nothing, and a key in a query is no parameter of paging."""
    address = urlsplit(url)
    return f"{address.path}?{address.query}" if address.query else address.path

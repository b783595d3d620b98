"""What a connector does where the API says no, or not now."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from airbyte_kit.findings import Finding, failed, judged, skipped
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.run import Run
from airbyte_kit.steps.records import key_of

SENTENCE = re.compile(r"[A-Z](?:(?![.!?] )[^\n])*\.")
LONGEST_SENTENCE = 250


def judge_refusal(run: Run, streams: Sequence[str], secrets: Sequence[str], place: str) -> Finding:
    """Each stream fails with one sentence for whoever configured it, at once, and without the secret."""
    problems = []
    for stream in streams:
        errors = run.errors_of(stream)
        if not errors:
            why = f": {run.trouble()}" if run.code or run.cut else "."
            problems.append(f"{stream}: refused, it does not fail with an error of its own{why}")
        for error in errors[:1]:
            problems += [f"{stream}: {what}" for what in _wrong_refusal(error, secrets)]
    if run.code == 0:
        problems.append("It ends as if it had read everything.")
    if run.journal.waits:
        problems.append("What is refused is asked for again: a refusal is no failure that passes.")
    return judged("unauthorised", problems, f"{len(streams)} streams, by {place}")


def _wrong_refusal(error: JsonObject, secrets: Sequence[str]) -> list[str]:
    message = str(error["message"])
    if any(secret in message for secret in secrets):
        return ["its error says the secret that was refused."]
    if error["failure_type"] != "config_error":
        return [f"a refusal is a {error['failure_type']}, not a config_error: {message[:150]}"]
    if not SENTENCE.fullmatch(message) or len(message) > LONGEST_SENTENCE:
        return [f"its error is not one sentence of at most {LONGEST_SENTENCE} characters: {message[:150]}"]
    return []


def judge_limits(run: Run, streams: Mapping[str, JsonObject], first: Mapping[str, Run], place: str) -> Finding:
    """A limit was met and waited for as long as the API says, and no record is missing or there twice."""
    of_streams = [each for each in run.journal.requests if each.stream is not None]
    met = [each for each in of_streams if each.retry_after is not None and each.status >= 400]
    if not met:
        return skipped("rate_limit", "No request met a limit.")
    problems = _not_the_same(run, streams, first)
    for request in met:
        waited, wanted = run.journal.waited_after(request), request.retry_after or 0.0
        if waited < wanted:
            told = f"after {waited:g} s" if waited else "at once"
            problems.append(f"Retry-After says {wanted:g} s, and it asks {request.stream} again {told}.")
    return judged("rate_limit", problems, f"{len(met)} waited for, by {place}")


def judge_server_errors(run: Run, streams: Mapping[str, JsonObject], first: Mapping[str, Run], place: str) -> Finding:
    """The API failed now and then, and no record is missing or there twice."""
    met = [each for each in run.journal.requests if each.status >= 500]
    if not met:
        return skipped("server_errors", "No request met an error of the server.")
    return judged("server_errors", _not_the_same(run, streams, first), f"{len(met)} retried, by {place}")


def _not_the_same(run: Run, streams: Mapping[str, JsonObject], first: Mapping[str, Run]) -> list[str]:
    problems = []
    for name, stream in streams.items():
        if first[name].cut and run.cut:
            continue  # neither was read to its end
        if run.cut or run.errors_of(name) or "COMPLETE" not in run.statuses(name)[-1:]:
            problems.append(f"{name} fails: {run.trouble(name)}")
            continue
        keys = stream.get("source_defined_primary_key") or []
        before = Counter(key_of(row, keys) for row in first[name].rows_by_stream.get(name, []))
        now = Counter(key_of(row, keys) for row in run.rows_by_stream.get(name, []))
        if before != now:
            problems.append(f"{name} has {now.total()} records where {before.total()} are.")
    return problems


def judge_secrets(runs: Sequence[Run], secrets: Sequence[str], *, may_be_in_address: bool = False) -> Finding:
    """Nothing that a connector wrote in any run has a secret of its configuration, nor has an address that it asked."""
    if not secrets:
        return skipped("secrets", "Its specification marks no field with airbyte_secret.")
    problems = []
    for run in runs:
        for kind, line in [*_lines(run), ("stderr", run.complaints)]:
            if any(secret.encode() in line for secret in secrets):
                problems.append(f"A secret is told in a {kind} line.")
                break
    if problems:
        return failed("secrets", f"{problems[0]} ({len(problems)} of {len(runs)} runs)")
    asked = [request for run in runs for request in run.journal.requests if not may_be_in_address]
    if any(secret in request.url for request in asked for secret in secrets):
        return failed("secrets", "A secret stands in the address of a request, where logs and proxies keep it.")
    return judged("secrets", [], f"{sum(len(run.lines) for run in runs)} lines of {len(runs)} runs")


def _lines(run: Run) -> list[tuple[str, bytes]]:
    return [(str(message.get("type")), line) for message, line in zip(run.messages, run.lines, strict=True)]

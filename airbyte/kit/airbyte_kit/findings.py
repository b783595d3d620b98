"""What a step of the check found out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One step, of one stream where it is about one; `reason` is a sentence where it is not ok."""

    step: str
    outcome: Outcome
    reason: str = ""
    stream: str | None = None


def ok(step: str, reason: str = "", stream: str | None = None) -> Finding:
    """What was looked at is right; the reason says how much that was."""
    return Finding(step, "ok", reason, stream)


def failed(step: str, reason: str, stream: str | None = None) -> Finding:
    """What was looked at is wrong."""
    return Finding(step, "failed", reason, stream)


def skipped(step: str, reason: str, stream: str | None = None) -> Finding:
    """Nothing was there to look at."""
    return Finding(step, "skipped", reason, stream)


def judged(step: str, problems: Sequence[str], told: str = "", stream: str | None = None) -> Finding:
    """Failed by the first of the problems, which says how many more there are, else ok."""
    if not problems:
        return ok(step, told, stream)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return failed(step, f"{problems[0]}{more}", stream)


def excepted(findings: Iterable[Finding], exceptions: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """The findings, where a failure that is written down with its reason (by stream and step) is skipped."""
    for finding in findings:
        reason = exceptions.get(finding.stream or "", {}).get(finding.step)
        if reason and finding.outcome == "failed":
            yield replace(finding, outcome="skipped", reason=f"Excepted: {reason}")
        else:
            yield finding

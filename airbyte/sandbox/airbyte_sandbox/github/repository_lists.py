"""What else a repository has: commits, releases, runs, people, events."""

from collections.abc import Sequence

from airbyte_sandbox.github.listing import chosen, in_order, in_state, links, moment, page, page_asked
from airbyte_sandbox.github.lookup import organisation_of, repository_of
from airbyte_sandbox.github.refusals import empty_repository, invalid, missing, too_far
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Handler, Reply

_STARRED = "application/vnd.github.star+json"
_MOST_EVENTS = 300


def plain(stream: str) -> Handler:
    """A list without filters, of a repository."""
    return lambda call: page(call, stream, repository_of(call).lists[stream])


def plain_of_organisation(stream: str) -> Handler:
    """A list without filters, of the organisation."""
    return lambda call: page(call, stream, organisation_of(call).lists[stream])


def repository(call: Call) -> Reply:
    """One repository."""
    return Reply(200, call.account.drifted("github", "repositories", [repository_of(call).shown])[0])


def organisation(call: Call) -> Reply:
    """The organisation."""
    return Reply(200, call.account.drifted("github", "organizations", [organisation_of(call).organisation])[0])


def commits(call: Call) -> Reply:
    """Commits of the default branch, or up to one of them, the newest first."""
    shown = repository_of(call).lists["commits"]
    if not shown:
        raise empty_repository()
    sha = call.one("sha")
    if sha and sha != "main":
        shas = [one["sha"] for one in shown]
        if sha not in shas:
            raise missing()
        shown = shown[shas.index(sha) :]
    begin, end = moment(call, "since", "Commit"), moment(call, "until", "Commit")
    shown = [one for one in shown if not begin or one["commit"]["committer"]["date"] >= begin]
    shown = [one for one in shown if not end or one["commit"]["committer"]["date"] <= end]
    for role in ("author", "committer"):
        who = call.one(role)
        shown = [one for one in shown if not who or who in (one[role]["login"], one["commit"][role]["email"])]
    return page(call, "commits", shown)


def branches(call: Call) -> Reply:
    """Branches, or those that are protected, or those that are not."""
    asked = call.one("protected")
    shown = repository_of(call).lists["branches"]
    return page(call, "branches", [one for one in shown if asked is None or one["protected"] == (asked == "true")])


def milestones(call: Call) -> Reply:
    """Milestones that are open unless asked otherwise, the one due next first."""
    shown = in_state(call, repository_of(call).lists["issue_milestones"], "Milestone")
    by_completeness = chosen(call, "sort", ("due_on", "completeness"), "Milestone") == "completeness"
    direction = chosen(call, "direction", ("asc", "desc"), "Milestone")
    return page(call, "issue_milestones", in_order(shown, _completeness if by_completeness else _due, direction))


def stargazers(call: Call) -> Reply:
    """People; with when they starred it only where the Accept header asks for that."""
    shown = repository_of(call).lists["stargazers"]
    asked = call.headers.get("accept", "")
    return page(call, "stargazers", shown if _STARRED in asked else [one["user"] for one in shown])


def events(call: Call) -> Reply:
    """At most 300, the newest first; a page beyond them is refused."""
    size, number = page_asked(call)
    if (number - 1) * size >= _MOST_EVENTS:
        raise too_far()
    reply = page(call, "events", repository_of(call).lists["events"])
    return Reply(reply.status, reply.body, {**reply.headers, "X-Poll-Interval": "60"})


def workflow_runs(call: Call) -> Reply:
    """Runs under their count, the newest first."""
    shown = _created(call, repository_of(call).lists["workflow_runs"])
    for name, field in (("branch", "head_branch"), ("event", "event"), ("head_sha", "head_sha")):
        asked = call.one(name)
        shown = [one for one in shown if not asked or one[field] == asked]
    status, actor = call.one("status"), call.one("actor")
    shown = [one for one in shown if not status or status in (one["status"], one["conclusion"])]
    shown = [one for one in shown if not actor or one["actor"]["login"] == actor]
    reply = page(call, "workflow_runs", shown)
    return Reply(200, {"total_count": len(shown), "workflow_runs": reply.body}, links(call, len(shown)))


def _created(call: Call, shown: Sequence[Record]) -> list[Record]:
    """GitHub's search syntax for days and moments: 2026-01-02, >=2026-01-02, 2026-01-02..2026-01-05, *..2026-01-05."""
    asked = call.one("created")
    if not asked:
        return list(shown)
    begin, end = "", "9"
    if ".." in asked:
        begin, end = (
            value.replace("*", otherwise) for value, otherwise in zip(asked.split("..", 1), ("", "9"), strict=True)
        )
    elif asked.startswith((">=", ">")):
        begin = asked.lstrip(">=")
    elif asked.startswith(("<=", "<")):
        end = asked.lstrip("<=")
    else:
        begin = end = asked
    if not all(value[:1].isdecimal() for value in (begin, end) if value):
        raise invalid("WorkflowRun", "created", asked)
    strictly = asked.startswith((">", "<")) and asked[1:2] != "="
    # As texts: a day ends after all its moments, and a moment at itself.
    found = [one for one in shown if begin <= one["created_at"] and one["created_at"][: len(end)] <= end]
    return [one for one in found if not strictly or one["created_at"][: len(asked) - 1] != asked[1:]]


def _completeness(shown: Record) -> float:
    return float(shown["closed_issues"] / max(shown["closed_issues"] + shown["open_issues"], 1))


def _due(shown: Record) -> str:
    return str(shown["due_on"])

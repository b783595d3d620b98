"""What happened in a repository: events of issues, the public timeline, and who starred it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox import words
from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer
from airbyte_sandbox.github.places import account, person
from airbyte_sandbox.github.planning import label
from airbyte_sandbox.github.records import API, ORGANISATION, ORGANISATION_ID, WEB, iso
from airbyte_sandbox.github.threads import Thread
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

_STARS_BEFORE = 40
_KEPT = timedelta(days=30)
_MOST = 300
_ACTOR = ("id", "login", "gravatar_id", "url", "avatar_url")


def issue_events(repository: Record, issues: Sequence[tuple[Thread, Record]]) -> list[Record]:
    """What was done to issues and pull requests, newest first."""
    found = (event for thread, issue in issues for event in _of_thread(repository, thread, issue))
    return sorted(found, key=lambda event: (event["created_at"], event["id"]), reverse=True)


def _of_thread(repository: Record, thread: Thread, issue: Record) -> Iterator[Record]:
    work, closed_at = thread.work, thread.closed_at
    first = 21_000_000_000 + work.repository * 100_000_000 + work.number * 10

    def event(number: int, kind: str, at: datetime, actor: Developer, sha: str | None = None) -> Record:
        return {
            "id": first + number,
            "node_id": f"EV_{first + number}",
            "url": f"{repository['url']}/issues/events/{first + number}",
            "actor": person(actor),
            "event": kind,
            "commit_id": sha,
            "commit_url": f"{repository['url']}/commits/{sha}" if sha else None,
            "created_at": iso(at),
            "issue": issue,
            "performed_via_github_app": None,
        }

    shown = label(work.repository, work.label)
    labelled = {"label": {"name": shown["name"], "color": shown["color"]}}
    yield {**event(0, "labeled", work.created_at, work.author), **labelled}
    if thread.assigned:
        who = person(thread.assigned)
        yield {**event(1, "assigned", thread.assigned_at, thread.assigned), "assignee": who, "assigner": who}
    if closed_at:
        closer = thread.assignee or work.author
        if work.merges:
            yield event(2, "merged", closed_at, closer, work.sha)
        yield event(3, "closed", closed_at, closer)


def timeline(
    world: World, repository: Record, commits: Sequence[Record], issues: Sequence[tuple[Thread, Record]],
    stars: Sequence[Record],
) -> list[Record]:  # fmt: skip
    """The last 300 events of the last thirty days, newest first."""
    since = iso(world.horizon - _KEPT)
    found = [event for event in _all(repository, commits, issues, stars) if event["created_at"] > since]
    return sorted(found, key=lambda event: (event["created_at"], event["id"]), reverse=True)[:_MOST]


def _all(
    repository: Record, commits: Sequence[Record], issues: Sequence[tuple[Thread, Record]], stars: Sequence[Record]
) -> Iterator[Record]:
    place = repository["id"] % 1000
    before = "0" * 40
    for number, shown in enumerate(commits):
        pushed = {"repository_id": repository["id"], "ref": "refs/heads/main", "head": shown["sha"], "before": before}
        before = shown["sha"]
        payload = {**pushed, "push_id": 9_000_000 + number}
        yield _event(repository, (1, place, number), "PushEvent", shown["author"], shown["created_at"], payload)
    for thread, issue in issues:
        yield from _of_issue(repository, thread, issue)
    for number, star in enumerate(stars):
        payload = {"action": "started"}
        yield _event(repository, (4, place, number), "WatchEvent", star["user"], star["starred_at"], payload)


def _of_issue(repository: Record, thread: Thread, issue: Record) -> Iterator[Record]:
    work = thread.work
    is_pull = work.kind == "pull_request"
    kind, subject = ("PullRequestEvent", "pull_request") if is_pull else ("IssuesEvent", "issue")
    short = {name: issue[name] for name in ("id", "url", "number", "title")}
    key = (2, work.repository, work.number * 10)
    payload = {"number": work.number, subject: short}
    opened = {**payload, "action": "opened"}
    yield _event(repository, key, kind, issue["user"], issue["created_at"], opened)
    for place, said in enumerate(thread.comments, start=2):
        comment = {"action": "created", "issue": short, "comment": {"id": said.id, "body": said.body}}
        number = work.number * 10 + place
        author = person(said.author)
        yield _event(repository, (2, work.repository, number), "IssueCommentEvent", author, iso(said.at), comment)
    if thread.closed_at:
        closed = {**payload, "action": "closed"}
        number = work.number * 10 + 1
        yield _event(repository, (2, work.repository, number), kind, issue["closed_by"], issue["closed_at"], closed)


def _event(repository: Record, key: tuple[int, int, int], kind: str, actor: Record, at: str, payload: Record) -> Record:
    sort, place, number = key
    return {
        "id": f"43{sort}{place:02}{number:08}",
        "type": kind,
        "actor": {"display_login": actor["login"], **{name: actor[name] for name in _ACTOR}},
        "repo": {"id": repository["id"], "name": repository["full_name"], "url": repository["url"]},
        "payload": payload,
        "public": not repository["private"],
        "created_at": at,
        "org": {
            "id": ORGANISATION_ID,
            "login": ORGANISATION,
            "gravatar_id": "",
            "url": f"{API}/orgs/{ORGANISATION}",
            "avatar_url": f"{WEB}/avatars/{ORGANISATION_ID}",
        },
    }


def stargazers(world: World, place: int, threads: Sequence[Thread]) -> list[Record]:
    """Forty before the first day, then one for every sixth thing that opens or closes; oldest first."""
    happened = sorted(at for found in threads for at in (found.work.created_at, found.closed_at) if at)
    dice = world.dice("stars", place)
    first = datetime.combine(world.start, time(), UTC)
    before = sorted(first - timedelta(seconds=dice.randrange(1, 300 * 86_400)) for _ in range(_STARS_BEFORE))
    times = [*before, *happened[5::6]]
    return [{"starred_at": iso(at), "user": _fan(world, place, number)} for number, at in enumerate(times)]


def _fan(world: World, place: int, number: int) -> Record:
    """Someone of whom nothing but the star is known."""
    first, last = words.name(world.seed, 300 * place + number + 100)
    login = f"{words.ascii_letters(first)}{words.ascii_letters(last)}{place}{number}".lower()
    shown = records.user(Developer(8_300_000 + place * 100_000 + number, login, f"{first} {last}", "", None))
    return account(shown)

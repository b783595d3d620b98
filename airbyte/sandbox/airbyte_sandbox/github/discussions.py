"""Issues, pull requests and what is said at them, as the API lists them."""

from collections.abc import Callable, Sequence

from airbyte_sandbox.github.listing import chosen, in_order, in_state, page, since
from airbyte_sandbox.github.lookup import numbered, repository_of
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Reply

_DIRECTIONS = ("desc", "asc")
_SORTS: dict[str, Callable[[Record], object]] = {
    "created": lambda one: one["created_at"],
    "created_at": lambda one: one["created_at"],
    "updated": lambda one: one["updated_at"],
    "comments": lambda one: one["comments"],
}


def issues(call: Call) -> Reply:
    """Issues and pull requests, open ones unless asked otherwise, the newest first."""
    shown = in_state(call, repository_of(call).lists["issues"], "Issue")
    shown = since(call, shown, "updated_at", "Issue")
    for label in filter(None, (call.one("labels") or "").split(",")):
        shown = [one for one in shown if label in (each["name"] for each in one["labels"])]
    shown = _of_person(shown, "user", call.one("creator"))
    shown = _of_person(shown, "assignee", call.one("assignee"))
    shown = _in_milestone(shown, call.one("milestone"))
    sort = chosen(call, "sort", ("created", "updated", "comments"), "Issue")
    return page(call, "issues", in_order(shown, _SORTS[sort], chosen(call, "direction", _DIRECTIONS, "Issue")))


def pull_requests(call: Call) -> Reply:
    """Pull requests; GitHub has no filter by time for them."""
    repository = repository_of(call)
    shown = in_state(call, repository.lists["pull_requests"], "PullRequest")
    for end, asked in (("head", call.one("head")), ("base", call.one("base"))):
        shown = [one for one in shown if not asked or asked in (one[end]["ref"], one[end]["label"])]
    said = {one["number"]: one["comments"] for one in repository.lists["issues"]}
    sort = chosen(call, "sort", ("created", "updated", "popularity", "long-running"), "PullRequest")
    directions = _DIRECTIONS if sort == "created" else _DIRECTIONS[::-1]
    direction = chosen(call, "direction", directions, "PullRequest")
    by_talk: dict[str, Callable[[Record], object]] = {"popularity": lambda one: said[one["number"]]}
    key = by_talk.get(sort) or _SORTS.get(sort, _SORTS["created"])
    return page(call, "pull_requests", in_order(shown, key, direction))


def comments(call: Call) -> Reply:
    """The comments of a whole repository."""
    return _remarks(call, "comments", repository_of(call).lists["comments"])


def review_comments(call: Call) -> Reply:
    """The remarks on lines of a whole repository."""
    return _remarks(call, "review_comments", repository_of(call).lists["review_comments"])


def comments_of(call: Call) -> Reply:
    """The comments of one issue or pull request."""
    here = numbered(call, "issues")["url"]
    return _remarks(
        call, "comments", [one for one in repository_of(call).lists["comments"] if one["issue_url"] == here]
    )


def review_comments_of(call: Call) -> Reply:
    """The remarks on the lines of one pull request."""
    here = numbered(call, "pull_requests")["url"]
    shown = [one for one in repository_of(call).lists["review_comments"] if one["pull_request_url"] == here]
    return _remarks(call, "review_comments", shown)


def reviews(call: Call) -> Reply:
    """The reviews of one pull request, oldest first."""
    number = numbered(call, "pull_requests")["number"]
    return page(call, "reviews", repository_of(call).reviews[number])


def issue(call: Call) -> Reply:
    """One issue or pull request."""
    return Reply(200, call.account.drifted("github", "issues", [numbered(call, "issues")])[0])


def pull_request(call: Call) -> Reply:
    """One pull request."""
    return Reply(200, call.account.drifted("github", "pull_requests", [numbered(call, "pull_requests")])[0])


def _remarks(call: Call, stream: str, shown: Sequence[Record]) -> Reply:
    shown = since(call, shown, "updated_at", "IssueComment")
    if call.one("sort"):
        sort = chosen(call, "sort", ("created", "updated", "created_at"), "IssueComment")
        shown = in_order(shown, _SORTS[sort], chosen(call, "direction", _DIRECTIONS, "IssueComment"))
    return page(call, stream, shown)


def _of_person(shown: Sequence[Record], field: str, login: str | None) -> list[Record]:
    match login:
        case None | "":
            return list(shown)
        case "none":
            return [one for one in shown if one[field] is None]
        case "*":
            return [one for one in shown if one[field] is not None]
        case _:
            return [one for one in shown if one[field] and one[field]["login"] == login]


def _in_milestone(shown: Sequence[Record], asked: str | None) -> list[Record]:
    match asked:
        case None | "":
            return list(shown)
        case "none":
            return [one for one in shown if one["milestone"] is None]
        case "*":
            return [one for one in shown if one["milestone"] is not None]
        case _:
            return [one for one in shown if one["milestone"] and str(one["milestone"]["number"]) == asked]

"""GitHub's REST API (docs.github.com/en/rest, version 2022-11-28) for one organisation of four repositories."""

from collections.abc import Mapping
from typing import Any

from airbyte_sandbox.github import discussions, quota, refusals, repository_lists
from airbyte_sandbox.github.records import REPOSITORIES, full_name
from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply, ToolApi

_VERSION = "2022-11-28"
_OF_REPOSITORY: Mapping[str, Handler] = {
    "": repository_lists.repository,
    "/assignees": repository_lists.plain("assignees"),
    "/collaborators": repository_lists.plain("collaborators"),
    "/branches": repository_lists.branches,
    "/tags": repository_lists.plain("tags"),
    "/commits": repository_lists.commits,
    "/issues": discussions.issues,
    "/issues/comments": discussions.comments,
    "/issues/events": repository_lists.plain("issue_events"),
    "/issues/{number}": discussions.issue,
    "/issues/{number}/comments": discussions.comments_of,
    "/pulls": discussions.pull_requests,
    "/pulls/comments": discussions.review_comments,
    "/pulls/{number}": discussions.pull_request,
    "/pulls/{number}/comments": discussions.review_comments_of,
    "/pulls/{number}/reviews": discussions.reviews,
    "/releases": repository_lists.plain("releases"),
    "/stargazers": repository_lists.stargazers,
    "/labels": repository_lists.plain("issue_labels"),
    "/milestones": repository_lists.milestones,
    "/events": repository_lists.events,
    "/actions/runs": repository_lists.workflow_runs,
}
_OF_ORGANISATION: Mapping[str, Handler] = {
    "": repository_lists.organisation,
    "/members": repository_lists.plain_of_organisation("users"),
    "/teams": repository_lists.plain_of_organisation("teams"),
    "/repos": repository_lists.plain_of_organisation("repositories"),
}


def _rate_limit(call: Call) -> Reply:
    """The limit of the hour; the names are those of the headers."""
    told = {name.removeprefix("x-ratelimit-"): value for name, value in quota.count(call.account.name).items()}
    core = {name: int(told[name]) for name in ("limit", "used", "remaining", "reset")}
    return Reply(200, {"resources": {"core": core}, "rate": core})


def _answering(handler: Handler) -> Handler:
    """With what every answer of GitHub carries, refusals too."""

    def answer(call: Call) -> Reply:
        counted = {**quota.count(call.account.name), "x-github-api-version-selected": _VERSION}
        try:
            _refuse_strangers(call)
            reply = handler(call)
        except ApiError as error:
            reply = error.reply
        return Reply(reply.status, reply.body, {**counted, **reply.headers})

    return answer


def _refuse_strangers(call: Call) -> None:
    version = call.headers.get("x-github-api-version", _VERSION)
    if version != _VERSION:
        raise refusals.bad_version(version)
    if not call.headers.get("user-agent"):
        raise refusals.unnamed_client()


def _credential(headers: Mapping[str, str], path: str) -> str | None:
    """GitHub takes `Bearer` and `token` alike."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() in ("bearer", "token") else None


def _configuration(base_url: str, key: str) -> dict[str, Any]:
    return {
        "credentials": {"option_title": "PAT Credentials", "personal_access_token": key},
        "repositories": [full_name(place) for place in range(len(REPOSITORIES))],
        "base_url": base_url,
    }


API = ToolApi(
    name="github",
    routes={
        **{f"GET /repos/{{owner}}/{{repository}}{rest}": _answering(one) for rest, one in _OF_REPOSITORY.items()},
        **{f"GET /repositories/{{repository_id}}{rest}": _answering(one) for rest, one in _OF_REPOSITORY.items()},
        **{f"GET /orgs/{{organisation}}{rest}": _answering(one) for rest, one in _OF_ORGANISATION.items()},
        **{f"GET /organizations/{{organisation_id}}{rest}": _answering(one) for rest, one in _OF_ORGANISATION.items()},
        "GET /rate_limit": _rate_limit,
    },
    credential=_credential,
    configuration=_configuration,
    start=lambda first_day: {"start_date": f"{first_day.isoformat()}T00:00:00Z"},
    key_prefix="ghp_",
    unauthorised=refusals.UNAUTHORISED,
    rate_limited=refusals.RATE_LIMITED,
    server_error=refusals.SERVER_ERROR,
    not_found=refusals.NOT_FOUND,
)

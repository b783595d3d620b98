"""How the API shows issues, pull requests, comments and reviews."""

from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer
from airbyte_sandbox.github.places import person
from airbyte_sandbox.github.planning import label
from airbyte_sandbox.github.records import API, WEB, full_name, iso
from airbyte_sandbox.github.threads import Review, Saying, Thread
from airbyte_sandbox.schema import Record

_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
# The stream adds these from its address; the API has them under other names or nowhere.
_OF_THE_STREAM = ("repository", "user_id")


def issue(thread: Thread, milestone: Record | None) -> Record:
    """An issue, or a pull request as the list of issues has it, with an id of its own there."""
    work = thread.work
    base = {key: value for key, value in records.issue(work, thread.horizon).items() if key not in _OF_THE_STREAM}
    here, closed = base["url"], thread.closed_at is not None
    is_issue = work.kind == "issue"
    shown = {
        **base,
        **_both(thread, milestone),
        "labels_url": f"{here}/labels{{/name}}",
        "comments_url": f"{here}/comments",
        "events_url": f"{here}/events",
        "timeline_url": f"{here}/timeline",
        "comments": len(thread.comments),
        "state_reason": "completed" if closed and is_issue else None,
        "closed_by": person(thread.assignee or work.author) if closed else None,
        "reactions": reactions(here),
        "performed_via_github_app": None,
        "type": None,
    }
    if is_issue:
        return {**shown, "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0}}
    pull = records.pull_request(work, thread.horizon)
    number = base["id"] + 100_000_000
    addresses = {name: pull[name] for name in ("url", "html_url", "diff_url", "merged_at")}
    addresses["patch_url"] = pull["diff_url"].replace(".diff", ".patch")
    shown |= {"id": number, "node_id": f"I_{number}", "html_url": pull["html_url"], "draft": False}
    return {**shown, "pull_request": addresses}


def pull_request(thread: Thread, milestone: Record | None, repository: Record) -> Record:
    """A pull request as it is in a list."""
    shown = records.pull_request(thread.work, thread.horizon)
    here, issue_here = shown["url"], shown["issue_url"]
    hrefs = {
        "self": here, "html": shown["html_url"], "issue": issue_here, "comments": f"{issue_here}/comments",
        "review_comments": f"{here}/comments", "review_comment": f"{repository['url']}/pulls/comments{{/number}}",
        "commits": f"{here}/commits", "statuses": f"{repository['url']}/statuses/{shown['head']['sha']}",
    }  # fmt: skip
    return {
        **{key: value for key, value in shown.items() if key not in _OF_THE_STREAM},
        **_both(thread, milestone),
        "patch_url": shown["diff_url"].replace(".diff", ".patch"),
        **{f"{name}_url": href for name, href in hrefs.items() if name not in ("self", "html", "issue")},
        "requested_reviewers": [person(found) for found in thread.awaited],
        "requested_teams": [],
        "head": _end(shown["head"], person(thread.work.author), repository),
        "base": _end(shown["base"], repository["owner"], repository),
        "_links": {name: {"href": href} for name, href in hrefs.items()},
        "auto_merge": None,
    }


def comment(thread: Thread, saying: Saying) -> Record:
    """A comment of an issue or a pull request."""
    work = thread.work
    page = "pull" if work.kind == "pull_request" else "issues"
    here = f"{API}/repos/{full_name(work.repository)}/issues"
    return {
        **_said(saying, f"{here}/comments/{saying.id}", f"IC_{saying.id}"),
        "html_url": f"{WEB}/{full_name(work.repository)}/{page}/{work.number}#issuecomment-{saying.id}",
        "issue_url": f"{here}/{work.number}",
        "performed_via_github_app": None,
    }


def review(thread: Thread, found: Review) -> Record:
    """A review of a pull request."""
    work = thread.work
    pull = f"{API}/repos/{full_name(work.repository)}/pulls/{work.number}"
    page = f"{WEB}/{full_name(work.repository)}/pull/{work.number}#pullrequestreview-{found.id}"
    return {
        "id": found.id,
        "node_id": f"PRR_{found.id}",
        "user": person(found.author),
        "body": found.body,
        "state": found.state,
        "html_url": page,
        "pull_request_url": pull,
        "author_association": association(found.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
        "submitted_at": iso(found.at),
        "commit_id": work.sha[::-1],
    }


def review_comment(thread: Thread, found: Review, remark: Saying) -> Record:
    """A remark on a line, which belongs to a review."""
    work = thread.work
    here = f"{API}/repos/{full_name(work.repository)}/pulls"
    page = f"{WEB}/{full_name(work.repository)}/pull/{work.number}#discussion_r{remark.id}"
    line = 3 + remark.id % 90
    hrefs = {"self": f"{here}/comments/{remark.id}", "html": page, "pull_request": f"{here}/{work.number}"}
    return {
        **_said(remark, hrefs["self"], f"PRRC_{remark.id}"),
        "pull_request_review_id": found.id,
        "diff_hunk": f"@@ -{line},2 +{line},3 @@\n before\n+after",
        "path": f"src/{work.label}.py",
        "commit_id": work.sha[::-1],
        "original_commit_id": work.sha[::-1],
        "html_url": page,
        "pull_request_url": hrefs["pull_request"],
        "_links": {name: {"href": href} for name, href in hrefs.items()},
        **dict.fromkeys(("start_line", "original_start_line", "start_side")),
        **dict.fromkeys(("line", "original_line", "position", "original_position"), line),
        "side": "RIGHT",
        "subject_type": "line",
    }


def association(author: Developer) -> str:
    """What the author is to the repository."""
    return "CONTRIBUTOR" if author.since else "MEMBER"


def reactions(here: str) -> Record:
    """Nobody has reacted."""
    return {"url": f"{here}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}


def _both(thread: Thread, milestone: Record | None) -> Record:
    assignees = [person(thread.assigned)] if thread.assigned else []
    return {
        "user": person(thread.work.author),
        "labels": [label(thread.work.repository, thread.work.label)],
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": milestone,
        "active_lock_reason": None,
        "updated_at": iso(thread.updated_at),
    }


def _said(saying: Saying, here: str, node: str) -> Record:
    return {
        "url": here,
        "id": saying.id,
        "node_id": node,
        "user": person(saying.author),
        "created_at": iso(saying.at),
        "updated_at": iso(saying.edited_at or saying.at),
        "body": saying.body,
        "author_association": association(saying.author),
        "reactions": reactions(here),
    }


def _end(shown: Record, user: Record, repository: Record) -> Record:
    return {**{name: shown[name] for name in ("label", "ref", "sha")}, "user": user, "repo": repository}

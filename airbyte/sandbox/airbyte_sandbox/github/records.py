"""How the code host's API shows a repository, a person, a pull request, an issue and a commit."""

from datetime import date, datetime, timedelta
from random import Random

from airbyte_sandbox import words
from airbyte_sandbox.github.contributions import Developer, Work
from airbyte_sandbox.schema import Record

ORGANISATION, ORGANISATION_ID = "sandbox-labs", 59_000_000
API, WEB = "https://api.sandbox-labs.example", "https://sandbox-labs.example"
REPOSITORIES = (
    ("api", "The service behind everything", "Python"),
    ("web", "What people see", "TypeScript"),
    ("mobile", "What people carry", "Kotlin"),
    ("docs", "What people read", None),
)
REPOSITORY_BASE, _WORK_BASE = 418_000_000, 1_900_000_000
_LABELS = {"bug": (1, "d73a4a"), "enhancement": (2, "a2eeef"), "question": (3, "d876e3")}


def full_name(place: int) -> str:
    """Owner and name of a repository."""
    return f"{ORGANISATION}/{REPOSITORIES[place][0]}"


def title(dice: Random) -> str:
    """A title for a change or a wish."""
    return f"{dice.choice(words.VERBS)} {dice.choice(words.SUBJECTS)}"


def user(developer: Developer) -> Record:
    """A person as part of another record."""
    return _account(developer.id, developer.login, "User")


def repository(place: int, start: date, events: list[datetime], pushes: list[str], open_now: int) -> Record:
    """A repository after these events; every change of a count comes with a later `updated_at`."""
    name, description, language = REPOSITORIES[place]
    created = f"{(start - timedelta(days=700 - 90 * place)).isoformat()}T10:00:00Z"
    stars = 40 + len(events) // 6
    return {
        "id": REPOSITORY_BASE + place,
        "node_id": f"R_{REPOSITORY_BASE + place}",
        "name": name,
        "full_name": full_name(place),
        "owner": _account(ORGANISATION_ID, ORGANISATION, "Organization"),
        "private": name == "mobile",
        "visibility": "private" if name == "mobile" else "public",
        "html_url": f"{WEB}/{full_name(place)}",
        "url": f"{API}/repos/{full_name(place)}",
        "homepage": None,
        "description": description,
        "language": language,
        "default_branch": "main",
        "forks_count": stars // 8,
        "stargazers_count": stars,
        "watchers_count": stars,
        "size": 900 + 3 * len(pushes),
        "open_issues_count": open_now,
        "fork": False,
        "archived": False,
        "disabled": False,
        "has_issues": True,
        "has_wiki": False,
        "topics": ["sandbox"],
        "created_at": created,
        "pushed_at": max(pushes, default=created),
        "updated_at": max([created, *pushes, *(iso(event) for event in events)]),
    }


def pull_request(work: Work, horizon: datetime) -> Record:
    """A pull request as it is at the horizon."""
    closed_at = work.closed_by(horizon)
    merged_at = closed_at if work.merges else None
    here = f"{full_name(work.repository)}/pull/{work.number}"
    branch = f"{work.author.login}/{work.number}"
    return {
        **_shared(work, closed_at),
        "html_url": f"{WEB}/{here}",
        "url": f"{API}/repos/{full_name(work.repository)}/pulls/{work.number}",
        "diff_url": f"{WEB}/{here}.diff",
        "issue_url": f"{API}/repos/{full_name(work.repository)}/issues/{work.number}",
        "merge_commit_sha": work.sha if merged_at else None,
        "merged_at": iso(merged_at) if merged_at else None,
        "draft": False,
        "assignees": [],
        "head": _branch(work, branch, work.sha[::-1]),
        "base": _branch(work, "main", work.sha[20:] + work.sha[:20]),
    }


def issue(work: Work, horizon: datetime) -> Record:
    """An issue as it is at the horizon."""
    here = f"{full_name(work.repository)}/issues/{work.number}"
    return {
        **_shared(work, work.closed_by(horizon)),
        "html_url": f"{WEB}/{here}",
        "url": f"{API}/repos/{here}",
        "repository_url": f"{API}/repos/{full_name(work.repository)}",
        "comments": 0,
        "user_id": work.author.id,
        "assignee": None,
    }


def commit(sha: str, place: int, author: Developer, at: datetime, message: str) -> Record:
    """A commit; its author's e-mail is the one the person is known by elsewhere."""
    here = f"{API}/repos/{full_name(place)}/commits/{sha}"
    signature = {"name": author.name, "email": author.email, "date": iso(at)}
    return {
        "sha": sha,
        "node_id": f"C_{sha[:16]}",
        "repository": full_name(place),
        "created_at": iso(at),
        "url": here,
        "html_url": f"{WEB}/{full_name(place)}/commit/{sha}",
        "comments_url": f"{here}/comments",
        "commit": {"message": message, "url": here, "comment_count": 0, "author": signature, "committer": signature},
        "author": user(author),
        "committer": user(author),
        "parents": [],
    }


def _shared(work: Work, closed_at: datetime | None) -> Record:
    work_id = _WORK_BASE + work.repository * 10_000_000 + work.number
    number, colour = _LABELS[work.label]
    label = {"id": number, "node_id": f"LA_{number}", "name": work.label, "color": colour, "default": True}
    return {
        "id": work_id,
        "node_id": f"N_{work_id}",
        "repository": full_name(work.repository),
        "number": work.number,
        "state": "closed" if closed_at else "open",
        "locked": False,
        "title": work.title,
        "body": f"{work.title}.",
        "user": user(work.author),
        "labels": [{**label, "description": None}],
        "author_association": "CONTRIBUTOR" if work.author.since else "MEMBER",
        "created_at": iso(work.created_at),
        "updated_at": iso(closed_at or work.created_at),
        "closed_at": iso(closed_at) if closed_at else None,
    }


def _branch(work: Work, ref: str, sha: str) -> Record:
    return {
        "label": f"{ORGANISATION}:{ref}",
        "ref": ref,
        "sha": sha,
        "user_id": work.author.id,
        "repo_id": REPOSITORY_BASE + work.repository,
    }


def _account(number: int, login: str, kind: str) -> Record:
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"{WEB}/avatars/{number}",
        "url": f"{API}/users/{login}",
        "html_url": f"{WEB}/{login}",
        "type": kind,
        "site_admin": False,
    }


def iso(at: datetime) -> str:
    """A moment as the API writes it."""
    return f"{at.isoformat()[:19]}Z"

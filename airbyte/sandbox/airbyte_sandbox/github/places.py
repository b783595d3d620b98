"""How the API shows people, repositories and the organisation: with all the addresses that lead on from them."""

from datetime import date
from functools import lru_cache

from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer
from airbyte_sandbox.github.records import API, ORGANISATION, ORGANISATION_ID, WEB
from airbyte_sandbox.schema import Record

PLACES = range(len(records.REPOSITORIES))
_OF_USERS = {
    "followers": "followers", "following": "following{/other_user}", "gists": "gists{/gist_id}",
    "starred": "starred{/owner}{/repo}", "subscriptions": "subscriptions", "organizations": "orgs", "repos": "repos",
    "events": "events{/privacy}", "received_events": "received_events",
}  # fmt: skip
_OF_REPOSITORIES = {
    "archive": "{archive_format}{/ref}", "assignees": "assignees{/user}", "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}", "collaborators": "collaborators{/collaborator}", "comments": "comments{/number}",
    "commits": "commits{/sha}", "compare": "compare/{base}...{head}", "contents": "contents/{+path}",
    "contributors": "contributors", "deployments": "deployments", "downloads": "downloads", "events": "events",
    "forks": "forks", "git_commits": "git/commits{/sha}", "git_refs": "git/refs{/sha}", "git_tags": "git/tags{/sha}",
    "hooks": "hooks", "issue_comment": "issues/comments{/number}", "issue_events": "issues/events{/number}",
    "issues": "issues{/number}", "keys": "keys{/key_id}", "labels": "labels{/name}", "languages": "languages",
    "merges": "merges", "milestones": "milestones{/number}", "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}", "releases": "releases{/id}", "stargazers": "stargazers", "statuses": "statuses/{sha}",
    "subscribers": "subscribers", "subscription": "subscription", "tags": "tags", "teams": "teams",
    "trees": "git/trees{/sha}",
}  # fmt: skip
_SHORT = ("id", "node_id", "name", "full_name", "private", "owner", "html_url", "description", "fork", "url")


@lru_cache(maxsize=10_000)
def person(developer: Developer) -> Record:
    """A person as part of another record, or in a list."""
    return account(records.user(developer))


def account(shown: Record) -> Record:
    """A person or an organisation with its addresses."""
    addresses = {f"{name}_url": f"{shown['url']}/{rest}" for name, rest in _OF_USERS.items()}
    return {**shown, "gravatar_id": "", **addresses}


def collaborator(developer: Developer) -> Record:
    """The team may push, one of them everything; who contributes may read."""
    of_team = developer.since is None
    role = "admin" if developer.id % 100 == 0 and of_team else "write" if of_team else "read"
    allowed = {"admin": role == "admin", "maintain": role == "admin", "push": of_team, "triage": of_team, "pull": True}
    return {**person(developer), "permissions": allowed, "role_name": role}


def repository(shown: Record) -> Record:
    """A repository as it is asked for alone, made of the generator's record."""
    web, stars = shown["html_url"], shown["stargazers_count"]
    clone = f"{web.removeprefix('https://')}.git"
    return {
        **shown,
        "owner": account(shown["owner"]),
        "organization": account(shown["owner"]),
        **{f"{name}_url": f"{shown['url']}/{rest}" for name, rest in _OF_REPOSITORIES.items()},
        "git_url": f"git://{clone}",
        "ssh_url": f"git@{clone.replace('/', ':', 1)}",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "forks": shown["forks_count"],
        "open_issues": shown["open_issues_count"],
        "watchers": stars,
        "subscribers_count": stars // 10,
        "network_count": shown["forks_count"],
        "is_template": False,
        "web_commit_signoff_required": False,
        "allow_forking": True,
        "license": None,
        "has_projects": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True},
    }


def short_repository(place: int, start: date) -> Record:
    """A repository as part of another record: what of it never changes."""
    shown = records.repository(place, start, [], [], 0)
    short = {name: shown[name] for name in _SHORT}
    return {**short, "owner": account(shown["owner"]), "default_branch": shown["default_branch"]}


def organisation(start: date, seats: int) -> Record:
    """The organisation that all repositories belong to."""
    here = f"{API}/orgs/{ORGANISATION}"
    rests = ("repos", "events", "hooks", "issues", "members{/member}", "public_members{/member}")
    private = sum(records.repository(place, start, [], [], 0)["private"] for place in PLACES)
    return {
        "login": ORGANISATION,
        "id": ORGANISATION_ID,
        "node_id": f"O_{ORGANISATION_ID}",
        "url": here,
        **{f"{rest.split('{')[0]}_url": f"{here}/{rest}" for rest in rests},
        "avatar_url": f"{WEB}/avatars/{ORGANISATION_ID}",
        "description": "Whatever the sandbox needs",
        "name": "Sandbox Labs",
        "company": None,
        "blog": WEB,
        "location": "Berlin",
        "email": "hello@sandbox-labs.example",
        "twitter_username": None,
        "is_verified": True,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": len(PLACES) - private,
        "public_gists": 0,
        "followers": 31,
        "following": 0,
        "html_url": f"{WEB}/{ORGANISATION}",
        "created_at": records.repository(0, start, [], [], 0)["created_at"],
        "updated_at": f"{start.isoformat()}T00:00:00Z",
        "archived_at": None,
        "type": "Organization",
        "total_private_repos": private,
        "owned_private_repos": private,
        "default_repository_permission": "read",
        "two_factor_requirement_enabled": True,
        "plan": {"name": "team", "space": 976_562_499, "private_repos": 999_999, "filled_seats": seats, "seats": 50},
    }


def teams() -> list[Record]:
    """Three teams; two of them are part of the first."""
    whole = _team(1, "Engineering")
    parts = [_team(2, "Platform"), _team(3, "Clients")]
    return [{**whole, "parent": None}, *({**part, "parent": whole} for part in parts)]


def _team(number: int, name: str) -> Record:
    here = f"{API}/organizations/{ORGANISATION_ID}/team/{8_100_000 + number}"
    return {
        "id": 8_100_000 + number,
        "node_id": f"T_{8_100_000 + number}",
        "url": here,
        "html_url": f"{WEB}/orgs/{ORGANISATION}/teams/{name.lower()}",
        "name": name,
        "slug": name.lower(),
        "description": f"Everyone in {name.lower()}",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "push",
        "members_url": f"{here}/members{{/member}}",
        "repositories_url": f"{here}/repos",
    }

"""The code host's streams, in the shapes of GitHub's public API (a subset of its fields)."""

from airbyte_sandbox.schema import Stream, boolean, fields, integer, listing, moment, record, text

_user = {**fields("login node_id avatar_url url html_url type", text), "id": integer, "site_admin": boolean}
_place = record({**fields("label ref sha", text), **fields("user_id repo_id", integer)})
_labels = listing(record({**fields("node_id name description color", text), "id": integer, "default": boolean}))
_repository = {"type": ["string"]}

_repositories = {
    **fields("node_id name full_name html_url description url language default_branch visibility homepage", text),
    **fields("id forks_count stargazers_count watchers_count size open_issues_count", integer),
    **fields("private fork archived disabled has_issues has_wiki", boolean),
    **fields("created_at pushed_at", moment),
    "updated_at": {"type": "string", "format": "date-time"},
    "owner": record(_user),
    "topics": listing(text),
}

_pull_requests = {
    **fields("node_id url html_url diff_url issue_url state title body merge_commit_sha author_association", text),
    **fields("id number", integer),
    **fields("locked draft", boolean),
    **fields("created_at updated_at closed_at merged_at", moment),
    "repository": _repository,
    "user": record(_user),
    "labels": _labels,
    "assignees": listing(record(_user)),
    "head": _place,
    "base": _place,
}

_issues = {
    **fields("node_id url html_url repository_url state title body author_association", text),
    **fields("id number comments user_id", integer),
    "locked": boolean,
    **fields("created_at updated_at closed_at", moment),
    "repository": _repository,
    "user": record(_user),
    "labels": _labels,
    "assignee": record(_user),
}

_signature = record({**fields("name email", text), "date": moment})
_commits = {
    **fields("sha node_id url html_url comments_url", text),
    "created_at": moment,
    "repository": _repository,
    "commit": record(
        {"message": text, "url": text, "comment_count": integer, "author": _signature, "committer": _signature},
    ),
    "author": record(_user),
    "committer": record(_user),
    "parents": listing(record(fields("sha url html_url", text))),
}

STREAMS = (
    Stream("repositories", _repositories, cursor="updated_at"),
    Stream("pull_requests", _pull_requests, cursor="updated_at"),
    Stream("commits", _commits, key="sha", cursor="created_at"),
    Stream("issues", _issues, cursor="updated_at"),
    Stream("users", {**_user, "organization": text}),
)

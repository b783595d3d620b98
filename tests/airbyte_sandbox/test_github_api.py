"""The code host over HTTP: pages, filters, refusals, and that it tells of the world that the other tools tell of."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from airbyte_sandbox import TOOLS
from airbyte_sandbox.github.api import API
from airbyte_sandbox.github.contents import contents
from airbyte_sandbox.people import population
from airbyte_sandbox.server.account import Account, Fault
from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.drifts import Drift
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.team import TEAM

START = date(2026, 3, 3)
ACCOUNT = Account(name="small", customers=60, start=START, end=START + timedelta(days=59))
LIMITED = Account(
    name="limited", customers=5, start=START, end=START, faults=(Fault("github", "rate_limit", every=1, seconds=7),)
)
DRIFTED = Account(
    name="drifted",
    customers=5,
    start=START,
    end=START + timedelta(days=9),
    drifts=(Drift("github", "commits", "rename_field", "commit.message", to="text"),),
)
EMPTY = Account(name="empty", customers=5, start=date(2026, 3, 8), end=date(2026, 3, 8))
HERE = "/repos/sandbox-labs/api"
LISTS = ("assignees", "collaborators", "branches", "tags", "commits", "releases", "stargazers", "labels")


class Host:
    """One account's code host, asked with its token."""

    def __init__(self, client: httpx.Client, account: Account) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key_of(account, API)}"}

    def ask(self, path: str, headers: dict | None = None, **query: object) -> httpx.Response:
        return self.client.get(f"/github{path}", params=query or None, headers={**self.headers, **(headers or {})})

    def get(self, path: str, **query: object):
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, path: str, **query: object) -> list[httpx.Response]:
        found = [self.ask(path, **query)]
        while "next" in found[-1].links:
            following = found[-1].links["next"]["url"]
            assert following.startswith(f"{self.client.base_url}".rstrip("/") + "/github/repositories/")
            found.append(self.client.get(following, headers=self.headers))
        return found

    def all(self, path: str, **query: object) -> list[dict]:
        return [one for page in self.pages(path, per_page=100, **query) for one in page.json()]


@pytest.fixture(scope="module")
def clients():
    with (
        serving(Accounts(accounts=[ACCOUNT, LIMITED, DRIFTED, EMPTY]), [API]) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield SimpleNamespace(host=Host(client, ACCOUNT), client=client)


@pytest.fixture
def host(clients) -> Host:
    return clients.host


@pytest.mark.parametrize("size", [100, 37])
def test_pages_add_up_to_the_whole_and_the_last_one_names_no_next(host, size):
    pages = host.pages(f"{HERE}/issues", state="all", per_page=size)
    numbers = [one["number"] for page in pages for one in page.json()]
    assert len(pages) > 1 and all(len(page.json()) == size for page in pages[:-1])
    assert numbers == list(range(len(numbers), 0, -1))
    assert set(pages[0].links) == {"next", "last"} and set(pages[-1].links) == {"prev", "first"}
    last = httpx.URL(pages[0].links["last"]["url"])
    assert int(last.params["page"]) == len(pages) and last.params["state"] == "all"


def test_a_page_has_thirty_unless_asked_otherwise_and_a_hundred_at_most(host):
    assert len(host.get(f"{HERE}/issues", state="all")) == 30
    assert len(host.get(f"{HERE}/issues", state="all", per_page=5000)) == 100
    assert len(host.get(f"{HERE}/issues", state="all", per_page="9" * 5000)) == 30
    assert host.get(f"{HERE}/issues", state="all", page=99) == []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_same_by_the_repositorys_number(host, name):
    number = host.get(HERE)["id"]
    assert host.get(f"{HERE}/{name}") == host.get(f"/repositories/{number}/{name}") != []


def test_issues_are_chosen_by_state_time_label_and_person_and_sorted(host):
    every = host.all(f"{HERE}/issues", state="all")
    assert {one["number"] for one in host.all(f"{HERE}/issues")} == {o["number"] for o in every if o["state"] == "open"}
    since = "2026-04-20T12:00:00Z"
    recent = host.all(f"{HERE}/issues", state="all", since=since, sort="updated", direction="desc")
    assert [one["updated_at"] for one in recent] == sorted((one["updated_at"] for one in recent), reverse=True)
    assert {one["id"] for one in recent} == {one["id"] for one in every if one["updated_at"] >= since}
    assert 0 < len(recent) < len(every)
    author = every[0]["user"]["login"]
    for query, fits in (
        ({"labels": "bug"}, lambda one: one["labels"][0]["name"] == "bug"),
        ({"creator": author}, lambda one: one["user"]["login"] == author),
        ({"assignee": "none"}, lambda one: one["assignee"] is None),
        ({"milestone": "1"}, lambda one: (one["milestone"] or {}).get("number") == 1),
    ):
        chosen = host.all(f"{HERE}/issues", state="all", **query)
        assert {one["id"] for one in chosen} == {one["id"] for one in every if fits(one)} != set()


def test_issues_hold_pull_requests_under_other_ids(host):
    issues = {one["number"]: one for one in host.all(f"{HERE}/issues", state="all")}
    pulls = {one["number"]: one for one in host.all(f"{HERE}/pulls", state="all")}
    assert {number for number, one in issues.items() if "pull_request" in one} == set(pulls)
    for number, pull in pulls.items():
        assert issues[number]["id"] != pull["id"] and issues[number]["pull_request"]["url"] == pull["url"]
        assert issues[number]["updated_at"] == pull["updated_at"]
    assert len({one["id"] for one in issues.values()}) == len(issues)


def test_pull_requests_have_no_filter_by_time_and_are_sorted(host):
    newest = host.all(f"{HERE}/pulls", state="all", sort="updated", direction="desc", since="2026-04-28T00:00:00Z")
    assert newest[0]["updated_at"] >= newest[-1]["updated_at"] and newest[-1]["updated_at"] < "2026-03-20"
    assert [o["updated_at"] for o in host.all(f"{HERE}/pulls", state="all", sort="updated")] == [
        one["updated_at"] for one in newest[::-1]
    ], "oldest first where no direction is given"
    head = newest[0]["head"]
    assert [one["id"] for one in host.all(f"{HERE}/pulls", state="all", head=head["label"])] == [newest[0]["id"]]


@pytest.mark.parametrize("path", ["issues/comments", "pulls/comments"])
def test_comments_come_by_id_unless_sorted_and_from_a_moment_on(host, path):
    every = host.all(f"{HERE}/{path}")
    assert [one["created_at"] for one in every] == sorted(one["created_at"] for one in every)
    since = every[len(every) // 2]["updated_at"]
    recent = host.all(f"{HERE}/{path}", since=since, sort="updated", direction="desc")
    assert [one["updated_at"] for one in recent] == sorted((one["updated_at"] for one in recent), reverse=True)
    assert {one["id"] for one in recent} == {one["id"] for one in every if one["updated_at"] >= since}
    assert any(one["updated_at"] > one["created_at"] for one in every), "some are edited"


def test_commits_are_chosen_by_time_person_and_place(host):
    every = host.all(f"{HERE}/commits")
    dates = [one["commit"]["committer"]["date"] for one in every]
    assert dates == sorted(dates, reverse=True)
    middle = len(every) // 2
    assert host.all(f"{HERE}/commits", sha=every[middle]["sha"]) == every[middle:]
    between = host.all(f"{HERE}/commits", since=dates[middle], until=dates[3])
    assert [one["sha"] for one in between] == [
        o["sha"] for o, at in zip(every, dates, strict=True) if dates[middle] <= at <= dates[3]
    ]
    author = every[0]["commit"]["author"]["email"]
    assert {one["commit"]["author"]["email"] for one in host.all(f"{HERE}/commits", author=author)} == {author}
    assert [one["parents"][0]["sha"] for one in every[:-1]] == [one["sha"] for one in every[1:]]


def test_stars_have_their_moment_only_for_who_asks_for_it(host):
    dated = host.ask(f"{HERE}/stargazers", {"Accept": "application/vnd.github.star+json"}).json()
    assert [one["user"] for one in dated] == host.get(f"{HERE}/stargazers")
    assert [one["starred_at"] for one in dated] == sorted(one["starred_at"] for one in dated)
    assert host.get(HERE)["stargazers_count"] == len(host.all(f"{HERE}/stargazers"))


def test_workflow_runs_are_counted_and_chosen(host):
    first = host.get(f"{HERE}/actions/runs", per_page=100)
    runs = [one for page in host.pages(f"{HERE}/actions/runs", per_page=100) for one in page.json()["workflow_runs"]]
    assert first["total_count"] == len(runs) > 100
    assert [one["created_at"] for one in runs] == sorted((one["created_at"] for one in runs), reverse=True)
    for query, fits in (
        ({"event": "push"}, lambda one: one["event"] == "push"),
        ({"status": "failure"}, lambda one: one["conclusion"] == "failure"),
        (
            {"branch": "main", "status": "completed"},
            lambda one: (one["head_branch"], one["status"]) == ("main", "completed"),
        ),
        ({"created": ">=2026-04-20"}, lambda one: one["created_at"] >= "2026-04-20"),
        ({"created": "<2026-04-20"}, lambda one: one["created_at"] < "2026-04-20"),
        ({"created": "2026-03-10..2026-03-12"}, lambda one: "2026-03-10" <= one["created_at"] < "2026-03-13"),
    ):
        assert host.get(f"{HERE}/actions/runs", **query)["total_count"] == sum(map(fits, runs)) > 0, query
    assert any(one["run_attempt"] == 2 and one["updated_at"] > one["created_at"] for one in runs)


def test_events_are_three_hundred_of_thirty_days_and_no_page_lies_beyond(host):
    events = host.all(f"{HERE}/events")
    assert len(events) == 300 and min(one["created_at"] for one in events) > "2026-04-01"
    assert {"PushEvent", "PullRequestEvent", "IssuesEvent", "IssueCommentEvent", "WatchEvent"} == {
        o["type"] for o in events
    }
    beyond = host.ask(f"{HERE}/events", per_page=100, page=4)
    assert (beyond.status_code, beyond.json()["status"]) == (422, "422")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/repos/sandbox-labs/none/issues", {}, 404),
        ("/repos/other/api", {}, 404),
        ("/orgs/other", {}, 404),
        ("/no/such/path", {}, 404),
        (f"{HERE}/pulls/99999/reviews", {}, 404),
        (f"{HERE}/issues", {"state": "shut"}, 422),
        (f"{HERE}/issues", {"since": "yesterday"}, 422),
        (f"{HERE}/pulls", {"sort": "size"}, 422),
    ],
)
def test_refusals_have_githubs_form(host, path, query, status):
    answer = host.ask(path, **query)
    assert answer.status_code == status
    assert {"message", "documentation_url"} <= answer.json().keys()


def test_a_repository_without_commits_says_so(clients):
    answers = {
        name: Host(clients.client, EMPTY).ask(f"/repos/sandbox-labs/{name}/commits").status_code
        for name in ("api", "web", "mobile", "docs")
    }
    assert 409 in answers.values(), "on a Sunday hardly anyone works"


@pytest.mark.parametrize("header", [None, "Bearer ghp_wrong", "Basic Z2g6eA=="])
def test_without_a_right_token_nothing_is_told(clients, header):
    answer = clients.client.get(f"/github{HERE}", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401 and answer.json()["message"] == "Bad credentials"


def test_the_word_token_and_names_in_capitals_are_taken_too(clients):
    key = key_of(ACCOUNT, API)
    answer = clients.client.get("/github/repos/Sandbox-Labs/API", headers={"Authorization": f"token {key}"})
    assert answer.json()["full_name"] == "sandbox-labs/api"


def test_another_version_of_the_api_and_a_client_without_a_name_are_refused(host):
    assert host.ask(HERE, {"X-GitHub-Api-Version": "2020-01-01"}).status_code == 400
    assert host.ask(HERE, {"X-GitHub-Api-Version": "2022-11-28"}).status_code == 200
    assert host.ask(HERE, {"User-Agent": ""}).status_code == 403


def test_every_answer_counts_the_hours_requests(host):
    first, second = (host.ask(path).headers for path in (HERE, "/repos/other/api"))
    assert int(second["x-ratelimit-used"]) == int(first["x-ratelimit-used"]) + 1
    assert (
        int(first["x-ratelimit-remaining"]) + int(first["x-ratelimit-used"]) == int(first["x-ratelimit-limit"]) == 5000
    )
    assert host.get("/rate_limit")["rate"]["reset"] == int(first["x-ratelimit-reset"])


def test_the_secondary_limit_is_a_403_that_says_how_long(clients):
    answer = Host(clients.client, LIMITED).ask(HERE)
    assert (answer.status_code, answer.headers["retry-after"]) == (403, "7")
    assert "secondary rate limit" in answer.json()["message"] and "x-ratelimit-remaining" not in answer.headers


def test_a_drift_is_in_the_pages(clients):
    commit = Host(clients.client, DRIFTED).get(f"{HERE}/commits")[0]["commit"]
    assert "message" not in commit and commit["text"]


def test_what_is_counted_is_there(host):
    issues = host.all(f"{HERE}/issues", state="all")
    assert host.get(HERE)["open_issues_count"] == sum(one["state"] == "open" for one in issues)
    talked = next(one for one in issues if one["comments"] > 1)
    said = host.get(f"{HERE}/issues/{talked['number']}/comments")
    assert len(said) == talked["comments"] and all(one["issue_url"] == talked["url"] for one in said)
    for month in host.get(f"{HERE}/milestones", state="all"):
        inside = [one for one in issues if (one["milestone"] or {}).get("id") == month["id"]]
        assert month["open_issues"] + month["closed_issues"] == len(inside) > 0
    remark = host.all(f"{HERE}/pulls/comments")[0]
    reviews = host.get(f"{remark['pull_request_url'].partition('.example')[2]}/reviews")
    assert remark["pull_request_review_id"] in {one["id"] for one in reviews}
    assert len(host.get("/orgs/sandbox-labs/repos")) == 4 and len(host.get("/orgs/sandbox-labs/teams")) == 3


def test_releases_are_tags_of_commits(host):
    shas = {one["sha"] for one in host.all(f"{HERE}/commits")}
    tags = host.get(f"{HERE}/tags")
    assert [one["name"] for one in tags] == [one["tag_name"] for one in host.get(f"{HERE}/releases")]
    assert {one["commit"]["sha"] for one in tags} <= shas
    (main,) = host.get(f"{HERE}/branches", protected="true")
    assert main["commit"]["sha"] == host.get(f"{HERE}/commits", per_page=1)[0]["sha"]


def test_who_commits_is_known_elsewhere_by_the_same_address(host):
    people = {person.email for person in population(ACCOUNT.world)} | {one.email for one in TEAM}
    authors = {one["commit"]["author"]["email"] for one in host.all(f"{HERE}/commits")}
    assert authors <= people and len(authors & {person.email for person in population(ACCOUNT.world)}) > 2
    assert {one["login"] for one in host.get(f"{HERE}/assignees")} == {one.login for one in TEAM}


def test_the_api_tells_what_the_files_tell():
    files = TOOLS["github"].records(ACCOUNT.world)
    found = contents(ACCOUNT.world)
    for stream, key in (("pull_requests", "id"), ("commits", "sha")):
        told = {one[key]: one for each in found.repositories.values() for one in each.lists[stream]}
        assert told.keys() == {one[key] for one in files[stream]}
        for one in files[stream]:
            same = one.keys() & told[one[key]].keys() - {"user", "author", "committer", "commit", "parents"}
            moved = {"updated_at", "labels", "assignees", "head", "base"}
            assert {name: told[one[key]][name] for name in same - moved} == {name: one[name] for name in same - moved}
    assert {one["id"] for one in found.lists["users"]} == {one["id"] for one in files["users"]}


# Objects of others inside a record are as they are now, and a list of branches or a count has no moment.
UNDATED = {"milestone", "issue", "repository", "head_repository"}


@pytest.mark.parametrize("days", [20, 59])
def test_a_further_day_adds_records_and_changes_none_without_a_later_moment(days):
    before, after = (
        _lists(Account(name="x", customers=60, start=START, end=START + timedelta(days=n))) for n in (days, days + 1)
    )
    horizon = (START + timedelta(days=days)).isoformat()
    for (repository, stream), records in before.items():
        if stream == "branches" or (stream == "events" and repository):
            continue
        now = {_key(one): one for one in after[repository, stream]}
        for one in records:
            found = now[_key(one)]
            if _dated(found) != _dated(one):
                assert found["updated_at"] > one["updated_at"], (stream, one, found)
                assert found["updated_at"][:10] > horizon
    assert sum(map(len, after.values())) > sum(map(len, before.values()))


def test_nothing_is_of_the_future():
    for (_, stream), records in _lists(ACCOUNT).items():
        for one in records:
            for name, value in one.items():
                if value is not None and name.endswith("_at"):
                    assert datetime.fromisoformat(value) <= ACCOUNT.world.horizon, (stream, name, value)


def _lists(account: Account) -> dict[tuple[str, str], list[dict]]:
    found = contents(account.world)
    lists = {("", name): records for name, records in found.lists.items() if name != "repositories"}
    for name, each in found.repositories.items():
        lists |= {(name, stream): records for stream, records in each.lists.items()}
        lists[name, "reviews"] = [one for reviews in each.reviews.values() for one in reviews]
    return lists


def _key(one: dict) -> object:
    return one.get("id") or one.get("sha") or one.get("name") or one["user"]["id"]


def _dated(one: dict) -> dict:
    return {name: value for name, value in one.items() if name not in UNDATED}

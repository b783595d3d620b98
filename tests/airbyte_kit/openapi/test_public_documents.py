"""Documents of real APIs draft to manifests that pass the check against servers made of the same documents."""

from collections.abc import Callable
from pathlib import Path

import pytest
from airbyte_kit.check import examined_against
from airbyte_kit.choosing import subject_of
from airbyte_kit.connector import Connector
from airbyte_kit.findings import Finding
from airbyte_kit.openapi.document import Document
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.folder import write_folder
from airbyte_kit.running.forker import Forker

HERE = Path(__file__).parent
ALL = {
    "figma": [
        "/v1/teams/{team_id}/projects",
        "/v1/teams/{team_id}/components",
        "/v1/files/{file_key}/versions",
        "/v1/files/{file_key}/comments",
        "/v1/files/{file_key}/comments/{comment_id}/reactions",
        "/v2/webhooks",
        "/v2/webhooks/{webhook_id}/requests",
        "/v1/activity_logs",
        "/v1/ai_usage/daily",
    ],
    "airflow": [],
    "github": [
        *("gists", "/gists/{gist_id}/comments", "issues", "organizations", "licenses", "users", "orgs"),
        "/repos/{owner}/{repo}/milestones",
        "/repos/{owner}/{repo}/issues/comments",
        "/repos/{owner}/{repo}/commits",
    ],
}
PAGED = {
    "figma": {"link": 3, "cursor": 2, "none": 4},
    "airflow": {"offset": 10},
    "github": {"header": 9, "page": 1},
}


@pytest.fixture
def check(forks: Forker) -> Callable[[Path], list[Finding]]:
    def run(folder: Path) -> list[Finding]:
        connector = Connector(folder)
        with subject_of(connector, None, None) as subject:
            return list(examined_against(connector, subject, forks))

    return run


@pytest.mark.parametrize("name", ALL)
def test_each_pages_in_its_own_way(name):
    found = draft(Document.read(HERE / f"{name}.yaml"), ALL[name])
    ways = [each.way for each in found.streams]
    assert {way: ways.count(way) for way in ways} == PAGED[name]


def test_what_is_known_of_them_is_found():
    airflow = {each.name: each for each in draft(Document.read(HERE / "airflow.yaml")).streams}
    assert airflow["dag_runs"].key == ["dag_id", "dag_run_id"] and airflow["dag_runs"].parent == "dags"
    assert airflow["events"].filter.parameter == "timestamp_gte"
    github = {each.name: each for each in draft(Document.read(HERE / "github.yaml")).streams}
    assert github["gists"].filter.field == "updated_at"
    assert (
        github["orgs"].component["retriever"]["partition_router"]["parent_stream_configs"][0]["parent_key"] == "login"
    )
    figma = draft(Document.read(HERE / "figma.yaml"), ALL["figma"])
    assert figma.manifest["spec"]["connection_specification"]["required"] == [
        "api_key",
        "team_id",
        "file_key",
        "start_date_parameter",
        "end_date",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_each_passes_the_check(name, tmp_path, check):
    folder = write_folder(draft(Document.read(HERE / f"{name}.yaml"), ALL[name]), tmp_path, name)
    findings = check(folder)
    assert not [each for each in findings if each.outcome == "failed"]
    passed = {each.step for each in findings if each.outcome == "ok"}
    assert {"spec", "check", "discover", "read", "schema", "keys", "paging", "rate_limit", "server_errors"} <= passed


@pytest.mark.slow
def test_a_draft_that_was_broken_fails_the_check(tmp_path, check):
    folder = write_folder(draft(Document.read(HERE / "airflow.yaml"), ["dags"]), tmp_path, "airflow")
    manifest = folder / "manifest.yaml"
    text = manifest.read_text()
    paginator = "        paginator: {$ref: '#/definitions/paginators/offset'}\n"
    assert paginator in text
    manifest.write_text(text.replace(paginator, ""))
    failed = [each for each in check(folder) if each.outcome == "failed"]
    assert [each.step for each in failed] == ["paging"]
    assert "GET /api/v2/dags: 3 of 13 records were given out" in failed[0].reason

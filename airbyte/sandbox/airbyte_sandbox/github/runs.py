"""The runs of the tests: one for every push to the default branch and every new pull request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airbyte_sandbox.github.places import person
from airbyte_sandbox.github.records import WEB, iso
from airbyte_sandbox.github.threads import Thread
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World


@dataclass(frozen=True)
class _Trigger:
    at: datetime
    sha: str
    event: str
    branch: str
    title: str
    actor: Record
    name: str
    email: str


def workflow_runs(
    world: World, repository: Record, commits: Sequence[Record], threads: Sequence[Thread]
) -> list[Record]:
    """Newest first; a run that has begun may be in progress still."""
    pulls = (_opened(found) for found in threads if found.work.kind == "pull_request")
    triggers = sorted([*map(_pushed, commits), *pulls], key=lambda trigger: (trigger.at, trigger.sha))
    runs = [_run(world, repository, number, trigger) for number, trigger in enumerate(triggers, start=1)]
    return [run for run in runs if run][::-1]


def _pushed(shown: Record) -> _Trigger:
    who, at = shown["commit"]["author"], datetime.fromisoformat(shown["created_at"])
    title = shown["commit"]["message"]
    return _Trigger(at, shown["sha"], "push", "main", title, shown["author"], who["name"], who["email"])


def _opened(thread: Thread) -> _Trigger:
    work, who = thread.work, thread.work.author
    branch = f"{who.login}/{work.number}"
    head = work.sha[::-1]
    return _Trigger(work.created_at, head, "pull_request", branch, work.title, person(who), who.name, who.email)


def _run(world: World, repository: Record, number: int, trigger: _Trigger) -> Record | None:
    begun = trigger.at + timedelta(seconds=7)
    if begun > world.horizon:
        return None
    place = repository["id"] % 1000
    run_id, workflow_id = 12_000_000_000 + place * 10_000_000 + number, 13_000 + place
    here, suite = f"{repository['url']}/actions/runs/{run_id}", f"{repository['url']}/check-suites/{run_id + 1}"
    return {
        "id": run_id,
        "name": "tests",
        "node_id": f"WFR_{run_id}",
        "head_branch": trigger.branch,
        "head_sha": trigger.sha,
        "path": ".github/workflows/tests.yml",
        "display_title": trigger.title,
        "run_number": number,
        "event": trigger.event,
        **_progress(world, trigger.sha, begun, here),
        "workflow_id": workflow_id,
        "check_suite_id": run_id + 1,
        "check_suite_node_id": f"CS_{run_id + 1}",
        "url": here,
        "html_url": f"{WEB}/{repository['full_name']}/actions/runs/{run_id}",
        "pull_requests": [],
        "created_at": iso(begun),
        "actor": trigger.actor,
        "triggering_actor": trigger.actor,
        "referenced_workflows": [],
        **{f"{name}_url": f"{here}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
        "check_suite_url": suite,
        "workflow_url": f"{repository['url']}/actions/workflows/{workflow_id}",
        "head_commit": _head(trigger),
        "repository": repository,
        "head_repository": repository,
    }


def _progress(world: World, sha: str, begun: datetime, here: str) -> Record:
    """How far the run is: some fail, and some of those are run again within two days."""
    dice = world.dice("run", sha)
    ends = begun + timedelta(seconds=dice.randrange(120, 900))
    result = "success" if dice.random() < 0.86 else dice.choice(("failure", "failure", "cancelled"))
    again = ends + timedelta(seconds=dice.randrange(600, 170_000))
    attempt = 1
    if result == "failure" and dice.random() < 0.5 and again <= world.horizon:
        begun, ends, result, attempt = again, again + timedelta(seconds=dice.randrange(120, 900)), "success", 2
    done = ends <= world.horizon
    return {
        "status": "completed" if done else "in_progress",
        "conclusion": result if done else None,
        "run_attempt": attempt,
        "run_started_at": iso(begun),
        "updated_at": iso(ends if done else begun),
        "previous_attempt_url": f"{here}/attempts/1" if attempt > 1 else None,
    }


def _head(trigger: _Trigger) -> Record:
    who = {"name": trigger.name, "email": trigger.email}
    return {
        "id": trigger.sha,
        "tree_id": trigger.sha[::-1],
        "message": trigger.title,
        "timestamp": iso(trigger.at),
        "author": who,
        "committer": who,
    }

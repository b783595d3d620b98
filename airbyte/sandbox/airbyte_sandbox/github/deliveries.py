"""What becomes of commits: releases with their tags, and branches."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.github.contributions import Developer
from airbyte_sandbox.github.places import person
from airbyte_sandbox.github.records import API, WEB, full_name, iso
from airbyte_sandbox.github.shapes import reactions
from airbyte_sandbox.github.threads import Thread
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

_FORTNIGHT = 14


def commit(shown: Record, before: Record | None) -> Record:
    """A commit with the one before it."""
    tree = {"sha": shown["sha"][::-1], "url": f"{API}/repos/{shown['repository']}/git/trees/{shown['sha'][::-1]}"}
    unsigned = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
    parents = [{name: before[name] for name in ("sha", "url", "html_url")}] if before else []
    rest = {key: value for key, value in shown.items() if key not in ("repository", "created_at")}
    return {**rest, "commit": {**shown["commit"], "tree": tree, "verification": unsigned}, "parents": parents}


def releases(world: World, place: int, commits: Sequence[Record], author: Developer) -> list[Record]:
    """One every two weeks, of the last commit until then; newest first."""
    times = [shown["created_at"] for shown in commits]
    found: list[Record] = []
    for number, day in enumerate(list(world.days())[3 + 2 * place :: _FORTNIGHT], start=1):
        at = datetime.combine(day, time(15, 10 * place), UTC)
        last = bisect_right(times, iso(at))
        if last and at <= world.horizon:
            found.append(_release(place, number, at, author))
    return found[::-1]


def tags(shown: Sequence[Record], commits: Sequence[Record]) -> list[Record]:
    """The tag of each release, at the last commit before it."""
    times = [found["created_at"] for found in commits]
    return [_tag(release, commits[bisect_right(times, release["created_at"]) - 1]) for release in shown]


def branches(place: int, commits: Sequence[Record], threads: Sequence[Thread]) -> list[Record]:
    """Those of open pull requests and the default one, by name."""
    here = f"{API}/repos/{full_name(place)}"
    heads = {f"{found.work.author.login}/{found.work.number}": found.work.sha[::-1] for found in threads}
    if commits:
        heads["main"] = commits[-1]["sha"]
    return [
        {
            "name": name,
            "commit": {"sha": sha, "url": f"{here}/commits/{sha}"},
            "protected": name == "main",
            "protection": {
                "enabled": name == "main",
                "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
            },
            "protection_url": f"{here}/branches/{name}/protection",
        }
        for name, sha in sorted(heads.items())
    ]


def _release(place: int, number: int, at: datetime, author: Developer) -> Record:
    number_of_all, name = 31_000_000 + place * 100_000 + number, f"v1.{number}.0"
    here = f"{API}/repos/{full_name(place)}"
    return {
        "url": f"{here}/releases/{number_of_all}",
        "assets_url": f"{here}/releases/{number_of_all}/assets",
        "upload_url": f"{here}/releases/{number_of_all}/assets{{?name,label}}",
        "html_url": f"{WEB}/{full_name(place)}/releases/tag/{name}",
        "id": number_of_all,
        "node_id": f"RE_{number_of_all}",
        "author": person(author),
        "tag_name": name,
        "target_commitish": "main",
        "name": name,
        "draft": False,
        "immutable": False,
        "prerelease": False,
        "created_at": iso(at),
        "updated_at": iso(at + timedelta(minutes=9)),
        "published_at": iso(at + timedelta(minutes=9)),
        "assets": [_asset(here, name, number_of_all, at, author)],
        "tarball_url": f"{here}/tarball/{name}",
        "zipball_url": f"{here}/zipball/{name}",
        "body": f"What is new in {name}.",
        "reactions": reactions(f"{here}/releases/{number_of_all}"),
    }


def _asset(here: str, tag: str, number: int, at: datetime, author: Developer) -> Record:
    return {
        "url": f"{here}/releases/assets/{number + 9_000_000}",
        "browser_download_url": f"{here.replace(API + '/repos', WEB)}/releases/download/{tag}/package.tar.gz",
        "id": number + 9_000_000,
        "node_id": f"RA_{number + 9_000_000}",
        "name": "package.tar.gz",
        "label": "",
        "state": "uploaded",
        "content_type": "application/gzip",
        "digest": None,
        "size": 40_000 + number % 1000,
        "download_count": 0,
        "created_at": iso(at + timedelta(minutes=8)),
        "updated_at": iso(at + timedelta(minutes=8)),
        "uploader": person(author),
    }


def _tag(release: Record, shown: Record) -> Record:
    return {
        "name": release["tag_name"],
        "commit": {"sha": shown["sha"], "url": shown["url"]},
        "zipball_url": release["zipball_url"],
        "tarball_url": release["tarball_url"],
        "node_id": f"REF_{release['id']}",
    }

"""A disk without room is named, costs a run and nothing else, and all goes on once there is room again."""

import json
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.slow

RECORDS = 20_000
LITTLE, ROOM = "30m", "700m"
MEBIBYTE = 1024**2


@pytest.fixture(scope="module")
def disk(mounted):
    """A small disk that is nearly full."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-full-disk-"))
    folder.chmod(0o711)
    with mounted(folder, LITTLE):
        yield folder
    folder.rmdir()


@pytest.fixture(scope="module")
def small(disk, make_stack):
    """A stack on that disk, not started."""
    folder = disk / "stack"
    folder.mkdir()
    with make_stack(folder) as made:
        yield made


@pytest.fixture(scope="module")
def roomy(small, disk, tmp_path_factory):
    """The same stack, started once there was room, with a tenant that was onboarded."""
    subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(disk)], check=True)
    small.sluice("up", "--no-ui")
    source = tmp_path_factory.mktemp("source") / "orders.jsonl"
    source.write_text(
        "".join(
            json.dumps({"id": n, "total": 5, "placed_at": "2026-01-02T00:00:00Z", "note": "x" * 200}) + "\n"
            for n in range(RECORDS)
        )
    )
    small.add("acme", shop=f"file:path={source}")
    small.sluice("onboard", "acme")
    return small


def totals(stack):
    """What a reader sees of the orders."""
    with psycopg.connect(stack.reader_url("acme")) as reader:
        return reader.execute("select count(*), sum(total_amount), max(_extracted_at) from canonical_order").fetchall()


def is_down(stack):
    return {each["state"] for each in stack.json("status")["components"]} == {"down"}


def test_a_start_on_a_full_disk_is_refused_in_one_sentence_and_leaves_nothing_half_made(small):
    sentence = small.attempt("up", "--no-ui").sentence
    assert f"The disk of {small.home}" in sentence
    assert "full" in sentence
    assert is_down(small)
    assert not (small.home / "endpoints.json").exists()
    assert not list((small.home / "postgres").iterdir())


@pytest.mark.parametrize("command", ["sync", "build"])
def test_a_run_that_fills_the_disk_says_so_and_what_is_published_stays(roomy, disk, filled, command):
    before = totals(roomy)
    with filled(disk, left=3 * MEBIBYTE):
        sentence = roomy.attempt(command, "acme").sentence
        assert "No space left on device" in sentence
        assert (roomy.published("acme"), totals(roomy)) == (1, before)
    assert roomy.leftovers("acme") == []


def test_a_start_on_a_disk_that_filled_up_later_is_refused_too(roomy, disk, filled):
    roomy.sluice("down")
    with filled(disk, left=0):
        assert "full" in roomy.attempt("up", "--no-ui").sentence
        assert is_down(roomy)


def test_with_room_again_the_same_tenant_is_published_anew(roomy):
    roomy.sluice("up", "--no-ui")
    roomy.sluice("onboard", "acme")
    assert roomy.published("acme") > 1
    assert roomy.control("select count(*) from tenant_acme.shop_orders") == [(RECORDS,)]
    assert totals(roomy)[0][0] == RECORDS
    assert (roomy.leftovers("acme"), roomy.json("tenant", "show", "acme")["incidents"]) == ([], [])

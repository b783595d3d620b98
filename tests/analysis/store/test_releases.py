import pytest
from sqlalchemy import exc

from analysis.store import releases


def published(store):
    number = releases.insert_release(store, "acme").number
    releases.mark_sealed(store, "acme", number, {"mart": 3})
    return releases.mark_published(store, "acme", number)


def test_numbers_are_never_used_again(store):
    first = releases.insert_release(store, "acme")
    releases.mark_gone(store, "acme", first.number, "failed")
    assert releases.insert_release(store, "acme").number == first.number + 1


@pytest.mark.parametrize("make", [published, lambda store: releases.insert_release(store, "acme")])
def test_a_tenant_has_one_published_release_and_one_build(store, make):
    make(store)
    with pytest.raises(exc.IntegrityError, match="uq_releases"):
        make(store)


def test_staleness_marks_the_published_release_until_the_next(store):
    first = published(store)
    releases.mark_stale(store, "acme", "A test failed.")
    assert releases.find_status(store, "acme", "published").stale_reason == "A test failed."
    releases.mark_retired(store, "acme", first.number, "previous")
    assert not published(store).is_stale


def test_kept_releases_come_most_recently_read_first(store):
    numbers = []
    for _ in range(3):
        release = published(store)
        numbers.append(releases.mark_retired(store, "acme", release.number, "previous").number)
    assert [row.number for row in releases.list_kept(store, "acme")] == numbers[::-1]
    assert [row.number for row in releases.list_releases(store, "acme")] == numbers[::-1]

"""Jobs that read everything anew, and jobs that empty the tables."""

import psycopg
import pytest
from airbyte_api import AirbyteAPI, models

PROPERTIES = {"id": {"type": ["null", "integer"]}, "moment": {"type": ["null", "integer"]}}
MODES = {
    "appended": "incremental_append",
    "deduped": "incremental_deduped_history",
    "overwritten": "full_refresh_overwrite",
    "kept": "full_refresh_append",
}
FIRST = [(1, 1), (2, 2), (3, 3)]
LATER = [(2, 2), (3, 4)]


def stream(name):
    return {
        "name": name,
        "json_schema": {"type": "object", "properties": PROPERTIES},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [["id"]],
        "default_cursor_field": ["moment"],
    }


def write(shop, rows):
    for name in MODES:
        shop.write(name, [{"id": number, "moment": moment} for number, moment in rows])


@pytest.fixture
def shop(workshop):
    """Four streams, one of each mode; `connection` has synced once."""
    write(workshop, FIRST)
    source = workshop.source(catalog=str(workshop.write_catalog(*map(stream, MODES))))
    streams = [{"name": name, "syncMode": mode} for name, mode in MODES.items()]
    workshop.connection = workshop.connect(source, configurations={"streams": streams})
    assert workshop.sync(workshop.connection)["status"] == "succeeded"
    return workshop


def start(shop, job_type, **more):
    body = {"connectionId": shop.connection["connectionId"], "jobType": job_type, **more}
    response = shop.client.post("/jobs", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def run(shop, job_type, **more):
    started = start(shop, job_type, **more)
    assert started["jobType"] == job_type
    ended = shop.wait(started)
    assert ended["jobType"] == job_type
    return ended


def succeeded(job):
    assert job["status"] == "succeeded", job.get("failureReason")


def stored(shop, name):
    return sorted(shop.rows(f"shop_{name}", "id, moment"))


def generations(shop, name):
    return {generation for (generation,) in shop.rows(f"shop_{name}", "_airbyte_generation_id")}


def break_source(shop, name):
    with (shop.folder / f"{name}.jsonl").open("ab") as lines:
        lines.write(b"{this is not JSON\n")


def test_a_refresh_replaces_what_incremental_modes_would_keep(shop):
    before = {name: generations(shop, name) for name in MODES}
    write(shop, LATER)
    job = run(shop, "refresh", note="unknown optional fields are accepted")
    assert job["status"] == "succeeded", job.get("failureReason")
    assert job["rowsSynced"] == len(LATER) * len(MODES)
    for name in ("appended", "deduped", "overwritten"):
        assert stored(shop, name) == LATER, name
        assert min(generations(shop, name)) > max(before[name])
        assert len(generations(shop, name)) == 1
    assert stored(shop, "kept") == sorted(FIRST + LATER)
    # The refresh's state counts from here on: only what is new is read, and it keeps the generation.
    refreshed = generations(shop, "appended")
    write(shop, [*LATER, (4, 5)])
    succeeded(shop.sync(shop.connection))
    assert stored(shop, "deduped") == [(2, 2), (3, 4), (4, 5)]
    assert stored(shop, "appended") == [(2, 2), (3, 4), (3, 4), (4, 5)]  # the row at the cursor comes again
    assert generations(shop, "appended") == refreshed


@pytest.mark.slow
def test_a_refresh_that_fails_changes_nothing_and_the_next_sync_goes_on_where_the_last_stopped(shop):
    write(shop, LATER)
    for name in ("appended", "deduped"):
        break_source(shop, name)
    assert run(shop, "refresh")["status"] == "failed"
    assert stored(shop, "appended") == stored(shop, "deduped") == FIRST
    write(shop, [*FIRST, (4, 4)])
    succeeded(shop.sync(shop.connection))
    assert stored(shop, "appended") == [*FIRST, (3, 3), (4, 4)]
    assert stored(shop, "deduped") == [*FIRST, (4, 4)]
    succeeded(run(shop, "refresh"))
    assert stored(shop, "appended") == [*FIRST, (4, 4)]


@pytest.mark.slow
def test_a_refresh_of_a_stream_that_is_empty_now_forgets_its_state_too(shop):
    write(shop, [])
    succeeded(run(shop, "refresh"))
    assert stored(shop, "appended") == stored(shop, "deduped") == []
    write(shop, FIRST)
    succeeded(shop.sync(shop.connection))
    assert stored(shop, "appended") == stored(shop, "deduped") == FIRST


def test_tables_are_emptied_without_the_source_and_the_next_sync_reads_everything(shop):
    with psycopg.connect(shop.server.loader_url, autocommit=True) as reader:
        reader.execute(f'create view "{shop.namespace}".reader as select id from "{shop.namespace}".shop_deduped')
    for name in MODES:
        (shop.folder / f"{name}.jsonl").unlink()
    (shop.folder.parent / f"{shop.folder.name}.catalog.json").rename(shop.folder.parent / "away.json")
    before = generations(shop, "appended")
    job = run(shop, "clear")
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 0), job
    assert [stored(shop, name) for name in MODES] == [[]] * len(MODES)
    assert shop.rows("reader") == []
    (shop.folder.parent / "away.json").rename(shop.folder.parent / f"{shop.folder.name}.catalog.json")
    write(shop, FIRST)
    with psycopg.connect(shop.server.loader_url, autocommit=True) as reader:
        reader.execute(f'drop view "{shop.namespace}".reader')
    succeeded(shop.sync(shop.connection))
    assert [stored(shop, name) for name in MODES] == [FIRST] * len(MODES)
    assert min(generations(shop, "appended")) > max(before)


@pytest.mark.slow
def test_clearing_is_all_or_nothing_and_touches_only_airbytes_tables(shop):
    with psycopg.connect(shop.server.loader_url, autocommit=True) as owner:
        owner.execute(f'drop table "{shop.namespace}".shop_overwritten')
        owner.execute(f'create table "{shop.namespace}".shop_overwritten as select 7 as seven')
    job = run(shop, "clear")
    assert job["status"] == "failed"
    assert "not an Airbyte table" in job["failureReason"]
    assert stored(shop, "appended") == FIRST
    assert shop.rows("shop_overwritten") == [(7,)]
    with psycopg.connect(shop.server.loader_url, autocommit=True) as owner:
        owner.execute(f'drop table "{shop.namespace}".shop_overwritten')
    succeeded(run(shop, "clear"))
    assert stored(shop, "appended") == []


@pytest.mark.slow
def test_a_clear_that_waits_for_a_reader_is_cancelled_and_changes_nothing(shop):
    with psycopg.connect(shop.server.loader_url) as reader:
        reader.execute(f'select count(*) from "{shop.namespace}".shop_appended')
        job = start(shop, "clear")
        busy = shop.client.post("/jobs", json={"connectionId": job["connectionId"], "jobType": "sync"})
        assert busy.status_code == 409
        shop.wait(job, "running")
        assert shop.client.delete(f"/jobs/{job['jobId']}").status_code == 200
        assert shop.wait(job)["status"] == "cancelled"
    assert stored(shop, "appended") == FIRST
    succeeded(shop.sync(shop.connection))


def test_the_sdk_starts_and_finds_them_by_type_and_reset_is_another_word_for_clear(shop):
    token = shop.client.headers["Authorization"].removeprefix("Bearer ")
    api = AirbyteAPI(server_url=shop.server.url, security=models.Security(bearer_auth=token), timeout_ms=60_000)
    made = {}
    for job_type in (models.JobTypeEnum.REFRESH, models.JobTypeEnum.CLEAR, models.JobTypeEnum.RESET):
        request = models.JobCreateRequest(connection_id=shop.connection["connectionId"], job_type=job_type)
        job = api.jobs.create_job(request=request).job_response
        made[job_type] = job.job_id
        succeeded(shop.wait({"jobId": job.job_id}))
        assert bool(stored(shop, "appended")) == (job_type is models.JobTypeEnum.REFRESH)
    for job_type, job_id in made.items():
        query = {"connectionId": shop.connection["connectionId"], "jobType": job_type.value}
        assert [job["jobId"] for job in shop.client.get("/jobs", params=query).json()["data"]] == [job_id]

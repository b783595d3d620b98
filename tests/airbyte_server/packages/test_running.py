"""A source from a package runs through the server: installed on first use, given files, and nothing of the server's."""

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

ODD = {
    "AIRBYTE_SECRET_OF_ANOTHER": "leak-1",
    "SLUICE_PASSWORD": "leak-2",
    "PGPASSWORD": "leak-3",
    "DAGSTER_TOKEN": "leak-4",
    "AWS_SECRET_ACCESS_KEY": "leak-5",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def server(make_server, wheels, folder):
    made = make_server(
        AIRBYTE_SERVER_PYPI_CONNECTORS="airbyte-source-tiny==1.0.0 8a3b4f0e-54a5-4f6c-9f4e-0d8f8a1f2b3c",
        AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY=str(folder),
        AIRBYTE_SERVER_INSTALL_ARGUMENTS=f"--no-index --find-links {wheels}",
        AIRBYTE_SERVER_JOB_ATTEMPTS="1",
        **ODD,
    )
    made.start()
    return made


def answer(response):
    assert response.status_code == 200, (response.status_code, response.text)
    return response.json()


def definitions(workshop):
    return f"/workspaces/{workshop.workspace_id}/definitions/sources"


def make_source(workshop, definition_id=None, **configuration):
    body = {"name": "tiny", "workspaceId": workshop.workspace_id, "configuration": configuration}
    if definition_id is None:
        body["configuration"]["sourceType"] = "tiny"
    else:
        body["definitionId"] = definition_id
    return answer(workshop.client.post("/sources", json=body))["sourceId"]


def connect(workshop, source_id, mode="full_refresh_overwrite"):
    streams = [{"name": "items", "syncMode": mode}]
    return workshop.connect(source_id, configurations={"streams": streams}, nonBreakingSchemaUpdatesBehavior="ignore")


def log_of(workshop, job):
    found = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}/logs?limit=1000").json()
    return [line["message"] for line in found["data"]]


def left_of_runs(folder):
    return sorted((folder / "runs").iterdir())


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_package_is_listed_and_another_version_of_it_may_be_defined(workshop):
    listed = {each["dockerRepository"]: each for each in answer(workshop.client.get(definitions(workshop)))["data"]}
    faker, tiny = listed["airbyte/source-faker"], listed["airbyte/source-tiny"]
    assert faker["id"] == "dfd88b22-b603-4c3d-aad7-3701784586b1"
    assert (tiny["id"], tiny["dockerImageTag"]) == ("8a3b4f0e-54a5-4f6c-9f4e-0d8f8a1f2b3c", "1.0.0")

    def define(image, tag):
        body = {"name": "mine", "dockerRepository": image, "dockerImageTag": tag}
        return workshop.client.post(definitions(workshop), json=body)

    for tag in ("latest", "1.0 @ file:///etc/passwd", "--index-url=http://127.0.0.1"):
        refused = define("airbyte/source-tiny", tag)
        assert (refused.status_code, "is no version" in refused.text) == (422, True)
    assert "needs Docker" in define("airbyte/source-postgres", "3.0.0").text
    mine = answer(define("airbyte/source-tiny", "9.9.9"))
    source = make_source(workshop, mine["id"], pin="4711-0815", count=2)
    shown = answer(workshop.client.get(f"/sources/{source}"))["configuration"]
    assert (shown["pin"] != "4711-0815", shown["sourceType"]) == (True, "tiny"), "its spec is not known yet"
    renamed = {"name": "still tiny", "configuration": {"count": 3, "pin": shown["pin"]}}
    assert answer(workshop.client.patch(f"/sources/{source}", json=renamed))["name"] == "still tiny"
    missing = workshop.client.get("/streams", params={"sourceId": source})
    assert (missing.status_code, "There is no airbyte-source-tiny==9.9.9" in missing.text) == (400, True)

    # A job of a version that was not used before installs it, and its log says so.
    answer(
        workshop.client.put(f"{definitions(workshop)}/{mine['id']}", json={"name": "mine", "dockerImageTag": "1.0.0"})
    )
    connection = connect(workshop, source)
    answer(
        workshop.client.put(f"{definitions(workshop)}/{mine['id']}", json={"name": "mine", "dockerImageTag": "2.0.0"})
    )
    job = workshop.sync(connection)
    assert job["status"] == "succeeded", "\n".join(log_of(workshop, job))
    said = log_of(workshop, job)
    assert "Installing airbyte-source-tiny 2.0.0: making its virtual environment." in said
    assert any(line.startswith("Installed airbyte-source-tiny 2.0.0 in ") for line in said)
    assert sorted(workshop.rows("shop_items", '"id"')) == [(1,), (2,), (3,)]


def test_a_run_sees_its_files_and_nothing_of_the_server(workshop, folder):
    source = make_source(workshop, tells=True, count=2, password="hush-hush-hush", pin="4711-0815")
    connection = connect(workshop, source, "incremental_append")
    first, second = workshop.sync(connection), workshop.sync(connection)
    assert (first["status"], second["status"]) == ("succeeded", "succeeded"), "\n".join(log_of(workshop, second))
    rows = dict(workshop.rows("shop_items", '"id", "seen"'))
    assert sorted(rows) == [1, 2, 3, 4], "the second run began at the state of the first"
    seen = rows[4]
    assert set(seen["modes"].items()) == {(f"{name}.json", "0o600") for name in ("config", "catalog", "state")}
    assert seen["folder"] == "0o700"
    assert seen["descriptors"] == [0, 1, 2]
    shown = answer(workshop.client.get(f"/sources/{source}"))["configuration"]
    assert shown["pin"] != "4711-0815", "its own spec calls that a secret"
    own = seen["environment"]
    assert not [value for value in own.values() if "leak-" in value]
    assert not [name for name in own if name.startswith(("AIRBYTE_SERVER_", "SLUICE_", "DAGSTER_", "PG"))]
    assert own["HOME"].startswith(str(folder)) and seen["working_directory"] == own["HOME"]
    assert left_of_runs(folder) == []
    said = log_of(workshop, second)
    assert any("this is no message" in line for line in said), "a line that is no message is a line of the log"
    assert any(line.startswith("reading with ***") for line in said)
    assert not any("hush" in line for line in said)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        pytest.param({"exit_code": 3}, "exit code 3", id="exit-code"),
        pytest.param({"eats_mib": 4096}, "AIRBYTE_SERVER_CONNECTOR_MEMORY_MIB", id="memory"),
    ],
)
def test_a_run_that_fails_says_why_and_leaves_nothing(workshop, folder, configuration, reason):
    job = workshop.sync(connect(workshop, make_source(workshop, **configuration)))
    assert job["status"] == "failed"
    assert any(reason in line for line in log_of(workshop, job)), "\n".join(log_of(workshop, job))
    assert left_of_runs(folder) == []


def test_check_gives_the_connectors_sentence(workshop):
    config_api = workshop.server.client("/api/v1")
    for configuration, status in (({}, "succeeded"), ({"refuses": "The key is not known there."}, "failed")):
        body = {"sourceId": make_source(workshop, **configuration)}
        found = answer(config_api.post("/sources/check_connection", json=body))
        assert found["status"] == status
        assert found.get("message") == configuration.get("refuses")


def hanging(workshop, how="with a child"):
    """A job whose connector hangs; its pid, its child's, and the folder of its files."""
    job = workshop.start(connect(workshop, make_source(workshop, hangs=how, password="hush-hush-hush")))
    line = wait_until(lambda: next((line for line in log_of(workshop, job) if line.startswith("pids ")), None))
    connector, child, home = line.split(" ")[1:4]
    assert os.stat(home).st_mode & 0o777 == 0o700  # noqa: PTH116
    return job, int(connector), int(child), home


def test_a_sample_ends_a_run_at_its_records_or_seconds_with_all_that_it_started(workshop, folder):
    embedded = workshop.server.client("/api/embedded/v1")

    def sample(source, **budget):
        body = {"sourceId": source, "destinationId": workshop.destination_id, "schema": workshop.namespace, **budget}
        job = workshop.wait(answer(embedded.post("/samples", json=body)))
        assert job["status"] == "succeeded", "\n".join(log_of(workshop, job))
        (stream,) = answer(embedded.get(f"/jobs/{job['jobId']}"))["streams"]
        return job, stream["recordsCommitted"], stream["cut"]

    assert sample(make_source(workshop, count=10**9), recordsPerStream=5)[1:] == (5, True)
    assert sample(make_source(workshop))[1:] == (3, False)
    job, *found = sample(make_source(workshop, hangs="with a daemon"), seconds=3)
    assert (found, workshop.rows("items", '"id"')) == ([3, True], [(1,), (2,), (3,)])
    pids = next(line for line in log_of(workshop, job) if line.startswith("pids ")).split(" ")[1:3]
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids) and left_of_runs(folder) == [])


def test_a_cancelled_run_leaves_neither_process_nor_file(workshop, folder):
    job, connector, child, _home = hanging(workshop, "with a daemon")
    answer(workshop.client.delete(f"/jobs/{job['jobId']}"))
    assert not is_running(connector) and not is_running(child)
    wait_until(lambda: left_of_runs(folder) == [])


@pytest.mark.slow
def test_a_job_that_is_cancelled_while_it_installs_ends_that_too(workshop, wheels, make_wheel, folder):
    make_wheel(wheels, "4.0.0", code="import time\n\ndef main():\n    time.sleep(600)\n")
    body = {"name": "mine", "dockerRepository": "airbyte/source-tiny", "dockerImageTag": "1.0.0"}
    mine = answer(workshop.client.post(definitions(workshop), json=body))
    connection = connect(workshop, make_source(workshop, mine["id"]))
    path = f"{definitions(workshop)}/{mine['id']}"
    answer(workshop.client.put(path, json={"name": "mine", "dockerImageTag": "4.0.0"}))
    job = workshop.start(connection)
    wait_until(lambda: any("4.0.0: asking it for its spec" in line for line in log_of(workshop, job)))
    executable = str(next((folder / "airbyte-source-tiny").glob("4.0.0-*/bin/source-tiny"))).encode()

    def asked():
        return [path for path in Path("/proc").glob("[0-9]*/cmdline") if executable in contents(path)]

    assert len(asked()) == 1
    assert answer(workshop.client.delete(f"/jobs/{job['jobId']}"))["status"] == "cancelled"
    wait_until(lambda: asked() == [])
    assert not list((folder / "airbyte-source-tiny").glob("4.0.0-*/complete.json"))


def contents(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
        return int(stat.read().rpartition(")")[2].split()[1])


@pytest.mark.slow
def test_a_run_whose_job_was_killed_leaves_neither_process_nor_file(workshop, folder):
    job, connector, child, _home = hanging(workshop, "with a daemon")
    os.kill(parent_of(connector), signal.SIGKILL)
    assert workshop.wait(job)["status"] == "failed"
    wait_until(lambda: not is_running(connector) and not is_running(child) and left_of_runs(folder) == [])


@pytest.mark.slow
def test_a_killed_server_takes_its_connectors_along_and_sweeps_when_it_starts(server, workshop, folder):
    job, connector, daemon, home = hanging(workshop, "with a daemon")
    server.process.send_signal(signal.SIGSTOP)
    os.kill(parent_of(connector), signal.SIGKILL)
    server.stop(signal.SIGKILL)
    wait_until(lambda: not is_running(connector))
    assert is_running(daemon) and os.path.isdir(home), "nobody was left to end and remove them"  # noqa: PTH112
    server.start()
    assert not is_running(daemon) and left_of_runs(folder) == []
    with psycopg.connect(server.database_url) as connection:
        query = "select status, failure_reason from airbyte.jobs where job_id = %s"
        assert connection.execute(query, [job["jobId"]]).fetchone()[0] == "failed"

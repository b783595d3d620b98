"""Airbyte's own source-faker, from the package registry into PostgreSQL, through the running server."""

import subprocess

import orjson
import pytest

pytestmark = pytest.mark.slow

COLUMNS = {
    "products": ["id", "make", "model", "year", "price"],
    "users": ["id", "name", "age", "email", "gender", "occupation", "weight", "address"],
}
CONFIGURATION = {"seed": 7, "parallelism": 1, "always_updated": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def server(make_server, folder):
    made = make_server(AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY=str(folder), AIRBYTE_SERVER_JOB_ATTEMPTS="1")
    made.start()
    return made


def answer(response):
    assert response.status_code == 200, (response.status_code, response.text)
    return response.json()


def records(folder, tmp_path, count):
    """What the connector itself writes to a terminal, by stream."""
    (executable,) = folder.glob("airbyte-source-faker/*/bin/source-faker")

    def run(command, **files):
        arguments = []
        for name, content in files.items():
            path = tmp_path / f"{name}.json"
            path.write_bytes(orjson.dumps(content))
            arguments += [f"--{name}", str(path)]
        lines = subprocess.run([executable, command, *arguments], capture_output=True, check=True).stdout.splitlines()
        return [orjson.loads(line) for line in lines]

    config = {**CONFIGURATION, "count": count}
    (catalog,) = [each["catalog"] for each in run("discover", config=config) if each["type"] == "CATALOG"]
    streams = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in catalog["streams"]
    ]
    read = run("read", config=config, catalog={"streams": streams})
    found = {name: [] for name in COLUMNS}
    for record in (each["record"] for each in read if each["type"] == "RECORD"):
        if record["stream"] in found:
            found[record["stream"]].append(record["data"])
    return found


def rows(workshop, stream):
    columns = COLUMNS[stream]
    selected = ", ".join(f'"{column}"' for column in columns)
    found = workshop.rows(f"shop_{stream}", selected)
    return sorted((dict(zip(columns, row, strict=True)) for row in found), key=lambda row: row["id"])


def expected(records, stream):
    return [{column: record[column] for column in COLUMNS[stream]} for record in records[stream]]


def test_faker_syncs_whole_and_then_only_what_is_new(workshop, folder, tmp_path):
    body = {
        "name": "faker",
        "workspaceId": workshop.workspace_id,
        "definitionId": "dfd88b22-b603-4c3d-aad7-3701784586b1",
        "configuration": {**CONFIGURATION, "count": 40},
    }
    source = answer(workshop.client.post("/sources", json=body))
    assert source["sourceType"] == "faker"
    streams = workshop.client.get("/streams", params={"sourceId": source["sourceId"]}, timeout=600)
    if streams.status_code == 503:
        pytest.skip(f"This machine cannot install from the package registry: {streams.text}")
    assert "Its licence, as it says: MIT." in workshop.server.log.read_text()
    found = {each["streamName"]: each for each in answer(streams)}
    assert set(found) == {"products", "users", "purchases"}
    assert found["users"]["sourceDefinedPrimaryKey"] == [["id"]]

    modes = {"products": "full_refresh_overwrite", "users": "incremental_deduped_history"}
    configurations = {"streams": [{"name": name, "syncMode": mode} for name, mode in modes.items()]}
    connection = workshop.connect(source["sourceId"], configurations=configurations)
    job = workshop.sync(connection)
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 80), workshop.server.log.read_text()
    written = records(folder, tmp_path, 40)
    assert rows(workshop, "products") == expected(written, "products")
    assert rows(workshop, "users") == expected(written, "users")

    # Whatever has a state is done for this connector; without it the users would come again.
    changed = {"configuration": {**CONFIGURATION, "count": 50}}
    answer(workshop.client.patch(f"/sources/{source['sourceId']}", json=changed))
    job = workshop.sync(connection)
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 50)
    assert rows(workshop, "products") == expected(records(folder, tmp_path, 50), "products")
    assert rows(workshop, "users") == expected(written, "users")
    assert list((folder / "runs").iterdir()) == []

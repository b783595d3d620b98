"""How long 200 connections of one workspace take to list with their streams and schemas: by our client, by dagster.

    .venv/bin/python tests/benchmarks/listing.py --json

Both ask the same server in the same run, in turn, logged in and imported before; medians of several rounds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orders
from dagster_airbyte import AirbyteWorkspace
from embedded import CLIENT_ID, CLIENT_SECRET, Workspace, workspace
from throwaway import cluster, machine

from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_session import Login

STREAMS = ("orders", "customers", "refunds")


def fill(place: Workspace, folder: Path, connections: int) -> None:
    """Connections of one source with three streams, each into tables of its own."""
    schema, key = orders.JSON_SCHEMA, [["id"]]
    described = [
        {
            "name": name,
            "json_schema": schema,
            "supported_sync_modes": ["full_refresh"],
            "source_defined_primary_key": key,
        }
        for name in STREAMS
    ]
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps({"streams": described}))
    files = folder / "files"
    files.mkdir()
    for name in STREAMS:
        (files / f"{name}.jsonl").write_text("")
    source = place.post(
        "/sources",
        name="files",
        workspaceId=place.workspace_id,
        configuration={"sourceType": "file", "path": str(files), "catalog": str(catalog)},
    )
    for number in range(connections):
        place.post(
            "/connections",
            name=f"files {number}",
            sourceId=source["sourceId"],
            destinationId=place.destination_id,
            namespaceDefinition="custom_format",
            namespaceFormat="benchmark",
            prefix=f"c{number}_",
        )


def counted(place: Workspace, client: AirbyteClient) -> int:
    """Connections that our client lists with the schema of every stream."""
    found = client.connections_with_streams(place.workspace_id)
    return sum(len(streams) == len(STREAMS) and all(each.json_schema for each in streams) for streams in found.values())


def counted_by_dagster(place: Workspace) -> int:
    """The same by dagster-airbyte, as a workspace's asset specs need it."""
    peer = AirbyteWorkspace(
        rest_api_base_url=f"{place.root}/api/public/v1",
        configuration_api_base_url=f"{place.root}/api/v1",
        workspace_id=place.workspace_id,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        request_timeout=120,
    )
    found = peer.fetch_airbyte_workspace_data().connections_by_id.values()
    return sum(len(connection.streams) == len(STREAMS) for connection in found)


def measure(place: Workspace, connections: int, rounds: int) -> dict[str, Any]:
    """All ways in turn."""
    client = AirbyteClient(lambda: Login(place.root, CLIENT_ID, CLIENT_SECRET))
    client.workspaces()
    ways: dict[str, Callable[[], int]] = {
        "names": lambda: len(client.connections(place.workspace_id)),
        "details": lambda: counted(place, client),
        "dagster_airbyte": lambda: counted_by_dagster(place),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            found = way()
            times[name].append(time.perf_counter() - started)
            if found != connections:
                raise SystemExit(f"{name} found {found} connections of {connections}.")
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    return {
        "connections": connections,
        "seconds_details": round(medians["details"], 2),
        "seconds_names_and_namespaces": round(medians["names"], 2),
        "seconds_dagster_airbyte": round(medians["dagster_airbyte"], 2),
        "ratio_vs_dagster_airbyte": round(medians["dagster_airbyte"] / medians["details"], 2),
        "rounds": {name: [round(second, 2) for second in seconds] for name, seconds in times.items()},
        "machine": machine(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200, help="how many connections")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with cluster() as (url, home), workspace(url, home) as place:
        fill(place, home, options.records)
        found = measure(place, options.records, options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:30}{value}")


if __name__ == "__main__":
    main()

"""What the server adds to a connector: a declarative source against an API of this machine, loaded, and alone.

    .venv/bin/python tests/benchmarks/live_sync.py --json

Alone means the same connector in a forked process whose output goes to /dev/null. In turn, several rounds; the API
answers in a process of its own and without delay, which leaves the server nowhere to hide. Also timed: a sync that
finds nothing new.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orders
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.running import run_connector
from embedded import Workspace, workspace
from throwaway import cluster, machine

PAGE = 1000
NO_MORE = b'{"data":[]}'
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def serve(ready: Connection, records: int) -> None:
    """Answer pages of orders, and none to who knows the newest, until killed."""
    chance = random.Random(4)
    rows = [orders.order_of(number, chance, version=0) for number in range(records)]
    for row in rows:
        row["updated_at"] = row["updated_at"].replace("+00:00", "Z")
    newest = max(row["updated_at"] for row in rows)
    pages = [json.dumps({"data": rows[start : start + PAGE]}).encode() for start in range(0, records, PAGE)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            page = int(query.get("page", 0))
            is_known = query.get("since", "") >= newest
            body = NO_MORE if is_known or page >= len(pages) else pages[page]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(server.server_port)
    server.serve_forever()


def manifest_of(port: int) -> dict[str, Any]:
    """A connector of one incremental stream, with pages."""
    option = {"type": "RequestOption", "inject_into": "request_parameter"}
    stream = {
        "type": "DeclarativeStream",
        "name": orders.STREAM,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": f"http://127.0.0.1:{port}",
                "path": "/orders",
                "http_method": "GET",
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {**option, "field_name": "page"},
                "pagination_strategy": {"type": "PageIncrement", "page_size": PAGE, "start_from_page": 0},
            },
        },
        "incremental_sync": {
            "type": "DatetimeBasedCursor",
            "cursor_field": "updated_at",
            "datetime_format": FORMAT,
            "start_datetime": {
                "type": "MinMaxDatetime",
                "datetime": "2024-01-01T00:00:00Z",
                "datetime_format": FORMAT,
            },
            "start_time_option": {**option, "field_name": "since"},
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": orders.JSON_SCHEMA},
    }
    return {
        "type": "DeclarativeSource",
        "version": "6.0.0",
        "check": {"type": "CheckStream", "stream_names": [orders.STREAM]},
        "streams": [stream],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}, "additionalProperties": True},
        },
    }


def read_to_nowhere(channel: Connection, program: ConnectorProgram, catalog: dict[str, Any]) -> None:
    """The connector alone, in a process of the server's kind."""
    with Path("/dev/null").open("wb", buffering=1 << 20) as nowhere:
        channel.send(run_connector(program, "read", {}, catalog, None, nowhere.write))


def alone(pool: ProcessPool, program: ConnectorProgram) -> float:
    """Seconds of the connector without the server."""
    stream = {
        "name": orders.STREAM,
        "json_schema": orders.JSON_SCHEMA,
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["updated_at"],
        "source_defined_primary_key": [["id"]],
    }
    configured = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    started = time.perf_counter()
    child = pool.start(read_to_nowhere, program, {"streams": [configured]})
    codes = list(child.messages())
    child.join()
    seconds = time.perf_counter() - started
    child.close()
    if codes != [0]:
        raise SystemExit("The connector failed by itself.")
    return seconds


def connect(place: Workspace, source_id: str, number: int) -> str:
    """A connection that has not been synced yet."""
    body = {
        "name": f"orders {number}",
        "sourceId": source_id,
        "destinationId": place.destination_id,
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "benchmark",
        "prefix": f"r{number}_",
        "configurations": {"streams": [{"name": orders.STREAM, "syncMode": "incremental_deduped_history"}]},
    }
    return str(place.post("/connections", **body)["connectionId"])


def measure(place: Workspace, port: int, records: int, rounds: int) -> dict[str, Any]:
    """Both in turn, each round on tables of its own, and then a sync of nothing new."""
    manifest = manifest_of(port)
    path = f"/workspaces/{place.workspace_id}/definitions/declarative_sources"
    definition = place.post(path, name="Orders", manifest=manifest)
    source = place.post(
        "/sources", name="orders", workspaceId=place.workspace_id, definitionId=definition["id"], configuration={}
    )
    pool = ProcessPool()
    pool.warm_up()
    program = ConnectorProgram(source_type="declarative-benchmark", version="1", manifest=manifest)
    times: dict[str, list[float]] = {"connector": [], "server": [], "empty": []}
    for number in range(rounds):
        connection_id = connect(place, source["sourceId"], number)
        times["connector"].append(alone(pool, program))
        seconds, job = place.sync(connection_id)
        if job["rowsSynced"] != records:
            raise SystemExit(f"The server loaded {job['rowsSynced']} records of {records}.")
        times["server"].append(seconds)
        times["empty"] += [place.sync(connection_id)[0] for _ in range(2)]
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    return {
        "added_by_server": round(medians["server"] / medians["connector"] - 1, 3),
        "seconds_connector": round(medians["connector"], 2),
        "seconds_server": round(medians["server"], 2),
        "seconds_empty_incremental": round(medians["empty"], 2),
        "records": records,
        "rounds": {name: [round(second, 2) for second in seconds] for name, seconds in times.items()},
        "machine": machine(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    api = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, options.records), daemon=True)
    api.start()
    try:
        port = ours.recv()
        with cluster() as (url, home), workspace(url, home) as place:
            found = measure(place, port, options.records, options.rounds)
    finally:
        api.kill()
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:28}{value}")


if __name__ == "__main__":
    main()

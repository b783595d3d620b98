"""A declarative source, its job, its server and its PostgreSQL killed at random moments: the tables are the source.

A fifth of `SLUICE_FAULTS` says how many rounds, `SLUICE_FAULTS_SEED` which.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("SLUICE_FAULTS", "30")) // 5
SEED = int(os.environ.get("SLUICE_FAULTS_SEED", "20261121"))
KILLS = ("connector", "job", "session", "server", "backend", "postmaster")
DECLARED = {
    "replaced": "full_refresh_overwrite",
    "newest": "full_refresh_overwrite_deduped",
    "stacked": "full_refresh_append",
    "merged": "incremental_deduped_history",
}
PAGE, MOMENT = 25, "%Y-%m-%dT%H:%M:%SZ"


class ShopApi(BaseHTTPRequestHandler):
    """The shop's changes from `since` on, in pages, with a pause before each."""

    protocol_version = "HTTP/1.1"
    shop = None

    def do_GET(self):
        query = dict(parse_qsl(urlsplit(self.path).query))
        rows = [
            {"id": number, "seq": seq, "note": note, "at": at(seq)}
            for number, seq, note in self.shop.changes
            if at(seq) >= query.get("since", "")
        ]
        time.sleep(0.01)
        offset = int(query.get("offset", 0))
        body = json.dumps({"data": rows[offset : offset + PAGE]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Its clients are killed: that is no error."""

    def handle_error(self, request, client_address):
        pass


def at(seq):
    """The moment of a change, by which the API is asked."""
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=seq)).strftime(MOMENT)


def declared_stream(name):
    """Reads all changes, or those from the last one on: the API may be asked for what it gave already."""
    number, option = {"type": "integer"}, {"type": "RequestOption", "inject_into": "request_parameter"}
    fields = {"id": number, "seq": number, "note": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "{{ config['url'] }}", "path": "/changes"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {**option, "field_name": "offset"},
                "pagination_strategy": {"type": "OffsetIncrement", "page_size": PAGE},
            },
        },
        "incremental_sync": {
            "type": "DatetimeBasedCursor",
            "cursor_field": "at",
            "datetime_format": MOMENT,
            "start_datetime": "2026-01-01T00:00:00Z",
            "start_time_option": {**option, "field_name": "since"},
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": fields}},
    }


def declare(workshop, url):
    """A connection of a declarative source to all modes but the one that keeps what is sent twice."""
    manifest = {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["merged"]},
        "streams": [declared_stream(name) for name in DECLARED],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {"url": {}}}},
    }
    path = f"/workspaces/{workshop.workspace_id}/definitions/declarative_sources"
    made = workshop.client.post(path, json={"name": "shop", "manifest": manifest}).json()
    body = {
        "name": "api",
        "workspaceId": workshop.workspace_id,
        "definitionId": made["id"],
        "configuration": {"url": url},
    }
    source = workshop.client.post("/sources", json=body).json()
    streams = [{"name": name, "syncMode": mode} for name, mode in DECLARED.items()]
    changes = {"nonBreakingSchemaUpdatesBehavior": "ignore", "configurations": {"streams": streams}}
    return workshop.connect(source["sourceId"], prefix="shop_", **changes)


@pytest.fixture
def site(own_cluster, make_server, make_workshop, make_shop, make_site):
    server = make_server(cluster=own_cluster.postgres, AIRBYTE_SERVER_JOB_ATTEMPTS="20")
    server.start()
    workshop, shop = make_workshop(server), make_shop()
    api = Server(("127.0.0.1", 0), type("Api", (ShopApi,), {"shop": shop}))
    threading.Thread(target=api.serve_forever, args=(0.01,), daemon=True).start()
    connection = declare(workshop, f"http://127.0.0.1:{api.server_port}")
    made = make_site(own_cluster, server, workshop, shop, connection, None)
    made.is_declarative = True
    yield made
    server.stop()
    api.shutdown()
    api.server_close()


def test_a_declarative_source_is_read_whole_wherever_it_was_hit(site, record_property):
    moments, met = random.Random(SEED), Counter()
    site.measure()
    for number in range(ROUNDS):
        site.shop.change()
        what = KILLS[number % len(KILLS)]
        job = site.workshop.start(site.connection)
        site.await_work(job)
        time.sleep(moments.uniform(0, 0.8) * site.seconds)
        site.strike(what)
        ended = site.wait(job)
        assert ended["status"] == "succeeded", (what, ended)
        met[what, site.attempts(job)] += 1
        site.shop.check(site.server.loader_url, site.workshop.namespace, DECLARED)
    record_property("faults", {f"{what}, {attempts} attempts": count for (what, attempts), count in met.items()})
    print(met)

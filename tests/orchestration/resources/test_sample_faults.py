"""What becomes of a sample when an Airbyte misbehaves, and how one without samples is told: a real server in memory."""

import json
import threading
from collections import Counter, defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import Connection
from orchestration.resources.airbyte_retries import Patience
from orchestration.resources.airbyte_samples import SampleBudget
from orchestration.resources.source_samples import SampleBounds, sample_connection
from orchestration.stack.endpoints import Endpoints

SAMPLES, JOBS = "/api/embedded/v1/samples", "/api/embedded/v1/jobs/1"
SHOP = Connection("c1", "shop", "s1", "d1", "tenant_one", "shop_", "active", "w1")
BUDGET = SampleBudget(records=3, bytes=1000, seconds=5)


class Airbyte(ThreadingHTTPServer):
    """Has one sample at most; `faults[method, path]` are used up before the honest answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.seen = defaultdict(deque), Counter()
        self.sample, self.ends_as, self.last_body = None, "succeeded", None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_call(self):
        self.body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        key = self.command, urlsplit(self.path).path.removeprefix("/api/public/v1")
        self.server.seen[key] += 1
        faults = self.server.faults[key]
        (faults.popleft() if faults else Handler.honest)(self)

    do_GET = do_POST = do_DELETE = handle_call

    def honest(self):
        self.answer(200, self.truth())

    def truth(self):
        server, path = self.server, urlsplit(self.path).path
        if path.endswith("/token"):
            return {"access_token": "token"}
        if path.endswith("/connections/c1"):
            return {"connectionId": "c1", "configurations": {"streams": [{"name": "orders", "syncMode": "x"}]}}
        if path == SAMPLES and self.command == "GET":
            return {"data": [server.sample] if server.sample and server.sample["status"] == "running" else []}
        if path == SAMPLES:
            stream = {"streamName": "orders", "recordsCommitted": 3, "cut": True}
            told = {"jobId": 1, "jobType": "sync", "connectionId": "hidden", "failureReason": "the reason"}
            server.sample = {**told, "status": "running", "sourceId": "s1", "streams": [stream]}
            server.sample["schema"], server.last_body = self.body["schema"], self.body
        elif path == JOBS:
            server.sample["status"] = server.ends_as
        elif self.command == "DELETE":
            server.sample["status"] = "cancelled"
        return server.sample

    def answer(self, status, body, kind="application/json"):
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""


def refuse(status):
    return lambda handler: handler.answer(status, {"detail": "the reason"})


def lost_answer(handler):
    handler.truth()
    handler.close_connection = True


def lost_request(handler):
    handler.close_connection = True


@pytest.fixture
def server():
    with Airbyte() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def airbyte(server):
    none = dict.fromkeys(("control_url", "dagster_url", "loader_login", "loader_password"), "")
    login = {"airbyte_client_id": "id", "airbyte_client_secret": "secret"}
    endpoints = Endpoints(**none, **login, airbyte_url=f"http://127.0.0.1:{server.server_port}")
    return AirbyteClient(lambda: endpoints, timeout=5, patience=Patience(pause_seconds=0.01))


def sample(airbyte, patience=20.0):
    bounds = SampleBounds(budget=BUDGET, patience_seconds=patience, days=30)
    return sample_connection(airbyte, SHOP, "tenant_one_sample", bounds, dict)


@pytest.mark.parametrize(
    "answer",
    [
        refuse(404),
        refuse(403),
        lambda handler: handler.answer(200, "<html>Airbyte</html>", "text/html"),
        lambda handler: handler.answer(200, {"hello": "there"}),
    ],
    ids=["none", "forbidden", "its web page", "something else"],
)
def test_an_airbyte_without_samples_is_told_by_its_answer_and_asked_once(server, airbyte, answer):
    server.faults["GET", SAMPLES].append(answer)
    assert (airbyte.bounds_samples, airbyte.bounds_samples, airbyte.active_samples("w1")) == (False, False, [])
    assert server.seen["GET", SAMPLES] == 1


@pytest.mark.parametrize("fault", [refuse(503), refuse(429), lost_request], ids=["503", "429", "lost"])
def test_an_airbyte_that_does_not_say_is_asked_again(server, airbyte, fault):
    server.faults["GET", SAMPLES].append(fault)
    with pytest.raises(RetryableError):
        assert airbyte.bounds_samples
    assert airbyte.bounds_samples


@pytest.mark.parametrize(
    ("faults", "posts"),
    [([], 1), ([lost_answer], 1), ([lost_request], 2), ([refuse(503), lost_answer], 2), ([refuse(500)] * 2, 3)],
    ids=["none", "worked, answer lost", "lost", "503, then answer lost", "500 twice"],
)
def test_a_sample_is_begun_once_whatever_becomes_of_the_answer(server, airbyte, faults, posts):
    server.faults["POST", SAMPLES].extend(faults)
    (orders,) = sample(airbyte)
    assert (orders.name, orders.records, orders.is_cut) == ("orders", 3, True)
    assert server.seen["POST", SAMPLES] == posts
    assert server.last_body == {
        "sourceId": "s1", "destinationId": "d1", "schema": "tenant_one_sample", "prefix": "shop_",
        "streams": [{"name": "orders"}], "recordsPerStream": 3, "bytes": 1000, "seconds": 5,
    }  # fmt: skip


def test_a_sample_that_fails_tells_its_reason_and_one_that_is_refused_is_not_asked_again(server, airbyte):
    server.ends_as = "failed"
    with pytest.raises(PermanentError, match="failed: the reason"):
        sample(airbyte)
    server.faults["POST", SAMPLES].append(refuse(422))
    with pytest.raises(PermanentError, match="the reason"):
        sample(airbyte)
    assert server.seen["POST", SAMPLES] == 2


def test_a_sample_that_does_not_end_is_cancelled(server, airbyte):
    server.ends_as = "running"
    with pytest.raises(RetryableError, match="time limit"):
        sample(airbyte, patience=0.1)
    assert server.sample["status"] == "cancelled"

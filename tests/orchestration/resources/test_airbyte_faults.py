"""What the client does when an Airbyte misbehaves: a real server that follows a script of faults."""

import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_counts import StreamCounts
from orchestration.resources.airbyte_retries import Patience
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.stack.endpoints import Endpoints

REST = "/api/public/v1"
SECRET = "client-secret-of-tests"
OWN = {"namespace": "tenant_one", "seconds": 20.0}
Fault = Callable[["Handler"], None]


class FaultyAirbyte(ThreadingHTTPServer):
    """An Airbyte in memory; `faults[method, path]` are used up one by one before the honest answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: dict[tuple[str, str], deque[Fault]] = defaultdict(deque)
        self.seen: Counter[tuple[str, str]] = Counter()
        self.asked: list[int] = []
        self.jobs: dict[int, dict[str, Any]] = {}
        self.ends = True
        self.next: deque[str] = deque()
        self.workspaces = [{"workspaceId": f"w{n}", "name": f"name {n % 7}"} for n in range(250)]
        self.connection = {
            "connectionId": "c1", "name": "shop", "sourceId": "s", "destinationId": "d", "workspaceId": "w1",
            "status": "active", "namespaceDefinition": "custom_format", "namespaceFormat": "tenant_one",
        }  # fmt: skip

    def script(self, method: str, path: str, *faults: Fault) -> None:
        self.faults[method, path].extend(faults)

    def start_job(self, status: str = "running", kind: str = "sync") -> dict[str, Any]:
        number = len(self.jobs) + 1
        self.jobs[number] = {"jobId": number, "status": status, "jobType": kind, "connectionId": "c1"}
        return self.jobs[number]


class Handler(BaseHTTPRequestHandler):
    server: FaultyAirbyte
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        self.route, self.query = split.path.removeprefix(REST), parse_qs(split.query)
        key = (self.command, self.route)
        self.server.seen[key] += 1
        faults = self.server.faults[key]
        (faults.popleft() if faults else Handler.honest)(self)

    do_GET = do_POST = do_DELETE = do_PATCH = _handle

    def honest(self) -> None:
        self.answer(200, self.truth())

    def truth(self) -> dict[str, Any]:
        server = self.server
        if self.route == "/applications/token":
            return {"access_token": f"token-{server.seen['POST', self.route]}"}
        if self.route == "/workspaces":
            offset, limit = (int(self.query[name][0]) for name in ("offset", "limit"))
            server.asked.append(offset)
            rows = server.workspaces[offset : offset + limit]
            return {"data": rows, "next": "http://airbyte.internal:1/wrong" if len(rows) == limit else ""}
        if self.route == "/connections/c1":
            return server.connection
        if self.route == "/jobs" and self.command == "POST":
            return dict(server.start_job())
        if self.route == "/jobs":
            return {"data": list(server.jobs.values())}
        job = server.jobs[int(self.route.rpartition("/")[2])]
        if self.command == "DELETE":
            job["status"] = "cancelled"
        elif server.ends and job["status"] in ("running", "incomplete"):
            job["status"] = server.next.popleft() if server.next else "succeeded"
        return job

    def answer(self, status: int, body: object, **headers: str) -> None:
        self.send(status, json.dumps(body).encode(), headers)

    def send(self, status: int, content: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def status(number: int, detail: str = "the reason", **headers: str) -> Fault:
    return lambda handler: handler.answer(number, {"detail": detail}, **headers)


def cut(handler: Handler) -> None:
    content = json.dumps(handler.truth()).encode()
    handler.send(200, content[: len(content) // 2], {})


def cut_in_transit(handler: Handler) -> None:
    content = json.dumps(handler.truth()).encode()
    handler.send(200, content[: len(content) // 2], {}, length=len(content))
    handler.close_connection = True


def slow(handler: Handler) -> None:
    handler.truth()
    time.sleep(0.8)
    handler.close_connection = True


def drop(handler: Handler) -> None:
    handler.truth()
    handler.close_connection = True


def drop_before(handler: Handler) -> None:
    handler.close_connection = True


def page(offset: int, *, empty: bool = False) -> Fault:
    def wrong(handler: Handler) -> None:
        rows = [] if empty else handler.server.workspaces[offset : offset + 100]
        handler.answer(200, {"data": rows, "next": "http://airbyte.internal:1/wrong"})

    return wrong


@pytest.fixture
def faulty() -> Iterator[FaultyAirbyte]:
    server = FaultyAirbyte()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def airbyte(faulty: FaultyAirbyte) -> AirbyteClient:
    address = f"http://127.0.0.1:{faulty.server_port}"
    none = dict.fromkeys(("control_url", "dagster_url", "loader_login", "loader_password"), "")
    login = {"airbyte_url": address, "airbyte_client_id": "id", "airbyte_client_secret": SECRET}
    return AirbyteClient(lambda: Endpoints(**none, **login), timeout=0.4, patience=Patience(3, 0.01, 5))


def test_the_newest_job_in_flight_is_joined_and_none_started(faulty, airbyte):
    faulty.start_job(), faulty.start_job(), faulty.start_job("failed")
    assert sync_connection(airbyte, "w1", "c1", **OWN).id == 2
    assert faulty.seen["POST", "/jobs"] == 0


def test_a_409_is_joined(faulty, airbyte):
    def conflict(handler: Handler) -> None:
        handler.server.start_job()
        handler.answer(409, {"detail": "already running"})

    faulty.start_job("succeeded")
    faulty.script("POST", "/jobs", conflict)
    assert sync_connection(airbyte, "w1", "c1", **OWN).id == 2
    assert faulty.seen["POST", "/jobs"] == 1


def test_a_job_that_reads_everything_anew_is_joined_too(faulty, airbyte):
    faulty.start_job(kind="refresh")
    assert sync_connection(airbyte, "w1", "c1", **OWN).type == "refresh"
    assert faulty.seen["POST", "/jobs"] == 0


def test_a_409_of_a_job_that_is_no_sync_is_retryable(faulty, airbyte):
    faulty.start_job(kind="clear")
    faulty.script("POST", "/jobs", *[status(409)] * 3)
    with pytest.raises(RetryableError, match="Another job than a sync"):
        sync_connection(airbyte, "w1", "c1", **OWN)
    assert len(faulty.jobs) == 1
    airbyte.cancel_active("c1")
    assert faulty.jobs[1]["status"] == "cancelled"


@pytest.mark.parametrize("fault", [slow, drop, cut, cut_in_transit], ids=lambda each: each.__name__)
def test_a_job_that_began_though_its_answer_was_lost_is_found_and_not_started_twice(faulty, airbyte, fault):
    faulty.script("POST", "/jobs", fault)
    assert sync_connection(airbyte, "w1", "c1", **OWN).id == 1
    assert faulty.seen["POST", "/jobs"] == len(faulty.jobs) == 1


@pytest.mark.parametrize("fault", [drop_before, status(503, Retry_After="0")], ids=["dropped", "503"])
def test_a_job_that_did_not_begin_is_asked_for_again_after_a_look(faulty, airbyte, fault):
    faulty.script("POST", "/jobs", fault)
    assert sync_connection(airbyte, "w1", "c1", **OWN).id == 1
    assert (faulty.seen["POST", "/jobs"], faulty.seen["GET", "/jobs"]) == (2, 2)


def test_a_job_that_does_not_end_is_cancelled_and_one_that_failed_tells_why(faulty, airbyte):
    faulty.ends = False
    with pytest.raises(RetryableError, match="did not end"):
        sync_connection(airbyte, "w1", "c1", namespace="tenant_one", seconds=0.1)
    assert faulty.jobs[1]["status"] == "cancelled"
    faulty.start_job()
    faulty.script("GET", "/jobs/2", lambda handler: handler.answer(200, {
        "jobId": 2, "status": "failed", "connectionId": "c1", "failureReason": "no such shop"}))  # fmt: skip
    with pytest.raises(PermanentError, match="job 2 failed: no such shop"):
        sync_connection(airbyte, "w1", "c1", **OWN)


def test_a_job_between_two_attempts_is_waited_for(faulty, airbyte):
    faulty.next.extend(["incomplete", "running", "incomplete"])
    ended = []
    assert sync_connection(airbyte, "w1", "c1", **OWN, on_end=ended.append).status == "succeeded"
    assert [job.status for job in ended] == ["succeeded"]
    assert (faulty.seen["GET", "/jobs/1"], faulty.seen["POST", "/jobs"]) == (4, 1)


def test_a_job_that_failed_is_told_before_its_failure_is_raised(faulty, airbyte):
    faulty.next.append("failed")
    ended = []
    with pytest.raises(PermanentError, match="job 1 failed"):
        sync_connection(airbyte, "w1", "c1", **OWN, on_end=ended.append)
    assert [(job.id, job.status) for job in ended] == [(1, "failed")]


def test_a_job_is_asked_for_again_where_airbyte_was_too_busy_to_hear(faulty, airbyte):
    faulty.script("POST", "/jobs", status(429, Retry_After="0"))
    assert sync_connection(airbyte, "w1", "c1", **OWN).id == 1
    assert (faulty.seen["POST", "/jobs"], faulty.seen["GET", "/jobs"], len(faulty.jobs)) == (2, 1, 1)


def test_the_state_of_a_running_job_may_get_lost_now_and_then(faulty, airbyte):
    faulty.script("GET", "/jobs/1", *[status(500)] * 3, *[drop_before] * 3)
    assert sync_connection(airbyte, "w1", "c1", **OWN).status == "succeeded"
    assert faulty.seen["GET", "/jobs/1"] == 7


@pytest.mark.parametrize(
    ("workspace", "changes", "sentence"),
    [
        ("w2", {}, "not of the tenant's workspace"),
        ("w1", {"namespaceFormat": "tenant_two"}, "does not write to its tenant's namespace"),
        ("w1", {"namespaceDefinition": "destination"}, "does not write to its tenant's namespace"),
    ],
    ids=["workspace", "namespace", "destination's namespace"],
)
def test_a_connection_that_is_not_the_tenants_is_refused_before_a_job(faulty, airbyte, workspace, changes, sentence):
    faulty.connection.update(changes)
    with pytest.raises(PermanentError, match=sentence):
        sync_connection(airbyte, workspace, "c1", **OWN)
    assert faulty.jobs == {}


@pytest.mark.parametrize(
    "faults",
    [(), (Handler.honest, page(0)), (Handler.honest, page(100, empty=True)), (Handler.honest, page(60))],
    ids=["wrong next", "duplicated", "missing", "overlapping"],
)
def test_a_list_is_whole_and_each_row_once_whatever_its_pages(faulty, airbyte, faults):
    faulty.script("GET", "/workspaces", *faults)
    ids = [each.id for each in airbyte.workspaces()]
    assert ids == [f"w{n}" for n in range(250)]


def test_a_page_that_stays_missing_or_repeats_for_ever_is_an_error_and_no_shorter_list(faulty, airbyte):
    faulty.script("GET", "/workspaces", Handler.honest, page(0, empty=True), page(0, empty=True))
    with pytest.raises(RetryableError, match="lacks a page"):
        airbyte.workspaces()
    faulty.script("GET", "/workspaces", *[page(0)] * 4)
    with pytest.raises(RetryableError, match="lacks a page"):
        airbyte.workspaces()


@pytest.mark.parametrize("count", [200, 0], ids=["full last page", "none"])
def test_a_list_ends_where_it_ends(faulty, airbyte, count):
    del faulty.workspaces[count:]
    assert len(airbyte.workspaces()) == count


def test_an_expired_token_is_renewed_once_and_a_second_refusal_is_permanent(faulty, airbyte):
    faulty.script("GET", "/connections/c1", status(401), Handler.honest, status(401), status(401))
    assert airbyte.connection("c1").name == "shop"
    with pytest.raises(PermanentError, match="refused a new token"):
        airbyte.connection("c1")
    assert (faulty.seen["GET", "/connections/c1"], faulty.seen["POST", "/applications/token"]) == (4, 3)


@pytest.mark.parametrize("fault", [status(500), status(429), drop, cut], ids=["500", "429", "dropped", "cut"])
def test_a_login_is_repeated_too(faulty, airbyte, fault):
    faulty.script("POST", "/applications/token", fault)
    assert airbyte.connection("c1").name == "shop"
    assert faulty.seen["POST", "/applications/token"] == 2


def test_another_address_is_told_and_gets_no_token(faulty, airbyte):
    faulty.script("GET", "/connections/c1", status(302, Location="https://airbyte.example.com/login?next=here"))
    with pytest.raises(PermanentError, match=r"another address.*https://airbyte\.example\.com/login"):
        airbyte.connection("c1")


def test_an_airbyte_of_another_version_than_its_sdk_is_understood(faulty, airbyte):
    faulty.connection.update(status="hibernating", schedule={"scheduleType": "lunar"})
    assert airbyte.connection("c1").status == "hibernating"


def test_what_attempts_brought_is_added_up_and_what_the_last_one_replaced_is_not(faulty, airbyte):
    def attempt(*streams: tuple[str, int, int | None]) -> dict[str, Any]:
        stats = [
            {"streamName": name, "stats": {"recordsEmitted": read, "bytesEmitted": 10 * read, "recordsCommitted": kept}}
            for name, read, kept in streams
        ]
        return {"attempt": {"streamStats": stats}}

    attempts = [
        attempt(("orders", 5, 3), ("visits", 4, 0)),
        attempt(("orders", 4, 4), ("visits", 6, 6)),
        {"attempt": {}},
    ]
    path = "/api/v1/jobs/get"
    faulty.script("POST", path, lambda handler: handler.answer(200, {"attempts": attempts}))
    assert airbyte.stream_counts(7, {"visits"}) == {"orders": StreamCounts(9, 7, 90), "visits": StreamCounts(6, 6, 60)}
    faulty.script("POST", path, lambda handler: handler.answer(200, {"attempts": [attempt(("orders", 5, None))]}))
    assert airbyte.stream_counts(7) == {"orders": StreamCounts(5, 5, 50)}
    faulty.script("POST", path, drop_before, lambda handler: handler.answer(200, {"job": {}}))
    assert airbyte.stream_counts(7) == {}


@pytest.mark.parametrize(
    "fault",
    [status(429, Retry_After="0"), status(500), status(503), slow, drop, cut, cut_in_transit],
    ids=["429", "500", "503", "slow", "dropped", "cut", "cut in transit"],
)
def test_a_read_is_repeated_and_then_retryable_in_a_sentence(faulty, airbyte, fault):
    faulty.script("GET", "/connections/c1", fault)
    assert airbyte.connection("c1").name == "shop"
    faulty.script("GET", "/connections/c1", *[fault] * 3)
    with pytest.raises(RetryableError, match=r"^Airbyte .*[.;:]") as caught:
        airbyte.connection("c1")
    assert faulty.seen["GET", "/connections/c1"] == 5
    assert SECRET not in str(caught.value)


def test_a_pause_that_outlasts_the_deadline_is_not_waited_for(faulty, airbyte):
    faulty.script("GET", "/connections/c1", status(429, Retry_After="3600"))
    with pytest.raises(RetryableError, match="429"):
        airbyte.connection("c1")
    assert faulty.seen["GET", "/connections/c1"] == 1


@pytest.mark.parametrize("number", [400, 403, 404, 409, 422])
def test_a_refusal_is_not_repeated(faulty, airbyte, number):
    faulty.script("GET", "/connections/c1", status(number))
    with pytest.raises(PermanentError, match="the reason"):
        airbyte.connection("c1")
    assert faulty.seen["GET", "/connections/c1"] == 1


def test_a_time_out_that_is_told_as_a_refusal_is_not_repeated_here_but_may_be_later(faulty, airbyte):
    faulty.script("GET", "/connections/c1", status(408))
    with pytest.raises(RetryableError, match="408"):
        airbyte.connection("c1")
    assert faulty.seen["GET", "/connections/c1"] == 1


def test_a_write_is_repeated_only_where_airbyte_says_when(faulty, airbyte):
    del faulty.workspaces[1:]
    path = "/connections/c1"
    faulty.script("PATCH", path, status(503, Retry_After="0"), Handler.honest, status(503))
    airbyte.select_streams("c1", [])
    assert faulty.seen["PATCH", path] == 2
    with pytest.raises(RetryableError, match="503"):
        airbyte.select_streams("c1", [])
    faulty.script("PATCH", path, drop)
    with pytest.raises(RetryableError, match="does not answer"):
        airbyte.select_streams("c1", [])
    assert faulty.seen["PATCH", path] == 4


def test_secrets_that_airbyte_echoes_are_in_no_error(faulty, airbyte):
    faulty.script("GET", "/sources", lambda handler: handler.answer(200, {"data": []}))
    faulty.script("POST", "/sources", status(422, f"hunter2 and {SECRET} and token-1 are wrong"))
    with pytest.raises(PermanentError, match="are wrong") as caught:
        airbyte.ensure_source("w1", "shop", {"host": "here", "password": "hunter2"})
    assert not [secret for secret in ("hunter2", SECRET, "token-1") if secret in str(caught.value)]

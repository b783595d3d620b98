import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_http import open_client
from orchestration.resources.airbyte_retries import Patience

TOKEN = "/applications/token"


class Answers(BaseHTTPRequestHandler):
    """Answers by path: /status/<n> with that status, /secret only with the newest token."""

    tokens = 0
    secret = "right"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["client_secret"] != self.secret:
            return self._answer(401, {"detail": "no"})
        type(self).tokens += 1
        return self._answer(200, {"access_token": f"token-{self.tokens}"})

    def do_GET(self) -> None:
        if self.path.startswith("/status/"):
            return self._answer(int(self.path.rpartition("/")[2]), {"detail": "the reason"})
        is_new = self.headers["Authorization"] == f"Bearer token-{self.tokens}" and self.tokens > 1
        return self._answer(200 if is_new else 401, {"tokens": self.tokens})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Answers.tokens = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_by_itself_is_retryable(address, status):
    with pytest.raises(RetryableError, match="the reason"):
        open_client(address, "id", "right", patience=Patience(2, 0.01)).get(f"/status/{status}")


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_what_a_person_must_change_is_permanent_and_carries_airbytes_reason(address, status):
    with pytest.raises(PermanentError, match="the reason") as caught:
        open_client(address, "id", "right", patience=Patience(2, 0.01)).get(f"/status/{status}")
    assert caught.value.keys["status"] == status


def test_a_token_that_expired_early_is_renewed_once(address):
    client = open_client(address, "id", "right")
    assert client.get("/secret").json() == {"tokens": 2}
    assert client.get("/secret").json() == {"tokens": 2}, "a good token is kept"


def test_a_refused_login_names_the_settings_and_never_the_secret(address):
    with pytest.raises(PermanentError, match="SLUICE_AIRBYTE_CLIENT_ID") as caught:
        open_client(address, "id", "wrong-secret").get("/secret")
    assert "wrong-secret" not in str(caught.value)


def test_an_airbyte_that_does_not_answer_is_retryable_and_named():
    with pytest.raises(RetryableError, match=r"http://127\.0\.0\.1:9 does not answer"):
        open_client("http://127.0.0.1:9", "id", "secret").get("/health")

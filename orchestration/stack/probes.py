"""Questions to a server on the loopback, asked without any proxy."""

import http.client
import json
from typing import Any

from orchestration.stack.ports import HOST


def http_trouble(port: int, path: str) -> str | None:
    """None when a GET of this path answers 200, else what is wrong."""
    try:
        status, _ = _ask(port, "GET", path, None)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    return None if status == 200 else f"it answers {status}"


def ask_json(port: int, path: str, question: dict[str, Any]) -> Any:
    """The JSON answer to a POST; OSError or HTTPException when there is none."""
    _, body = _ask(port, "POST", path, json.dumps(question))
    return json.loads(body)


def _ask(port: int, method: str, path: str, body: str | None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30 if body else 5)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()

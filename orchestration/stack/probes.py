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


def grpc_trouble(port: int, service: str) -> str | None:
    """None when this gRPC service says that it serves, else what is wrong."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"{HOST}:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status
        except grpc.RpcError as error:
            return str(error.code())
    return None if status == health_pb2.HealthCheckResponse.SERVING else "it does not serve yet"


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

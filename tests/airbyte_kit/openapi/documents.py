"""OpenAPI documents for the tests, written short."""

from collections.abc import Mapping, Sequence
from typing import Any

from airbyte_kit.openapi.document import Document

Json = dict[str, Any]
TASK: Json = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "title": {"type": "string"}, "done": {"type": "boolean"}},
}


def query(name: str, schema: Json | None = None, **more: Any) -> Json:
    """A parameter of the query string."""
    return {"name": name, "in": "query", "schema": schema or {"type": "integer"}, **more}


def listing(answer: Json, parameters: Sequence[Json] = (), *, headers: Json | None = None, **operation: Any) -> Json:
    """A path with a GET that answers so."""
    response = {"description": "ok", "content": {"application/json": {"schema": answer}}, "headers": headers or {}}
    return {"get": {"parameters": list(parameters), "responses": {"200": response}, **operation}}


def array(item: Json | None = None) -> Json:
    """A list of tasks, or of something else."""
    return {"type": "array", "items": item or TASK}


def envelope(item: Json | None = None, **fields: Json) -> Json:
    """An object with the list in `data`."""
    return {"type": "object", "properties": {"data": array(item), **fields}}


def content(paths: Mapping[str, Json], version: str = "3.0.3", **more: Any) -> Json:
    """A document's content."""
    info = {"title": "Task API", "version": "1"}
    return {
        "openapi": version,
        "info": info,
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
        **more,
    }


def document(paths: Mapping[str, Json], version: str = "3.0.3", **more: Any) -> Document:
    """A document."""
    return Document.of(content(paths, version, **more), "tasks.yaml")

"""From a method and a path to the handler of a tool."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from re import Pattern
from typing import Any

from starlette.convertors import Convertor
from starlette.routing import compile_path

from airbyte_sandbox.server.api import Handler, PublicHandler, ToolApi


@dataclass(frozen=True)
class Found:
    """A handler with what the path says; one of the two is set."""

    parameters: Mapping[str, str]
    handler: Handler | None = None
    public: PublicHandler | None = None


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: Pattern[str]
    convertors: Mapping[str, Convertor[Any]]
    handler: Handler | None = None
    public: PublicHandler | None = None


class Routes:
    """A tool's routes; the first that fits is taken, in the order in which they were declared."""

    def __init__(self, api: ToolApi) -> None:
        self._routes = tuple(_compiled(api))

    def find(self, method: str, path: str) -> Found | None:
        """The route of a request; HEAD has none."""
        for route in self._routes:
            fits = route.pattern.match(path) if route.method == method else None
            if fits:
                parameters = {
                    name: str(route.convertors[name].convert(value)) for name, value in fits.groupdict().items()
                }
                return Found(parameters, route.handler, route.public)
        return None


def _compiled(api: ToolApi) -> Iterator[_Route]:
    for name, handler in api.public_routes.items():
        method, path = name.split(" ", 1)
        pattern, _, convertors = compile_path(path)
        yield _Route(method, pattern, convertors, public=handler)
    for name, private in api.routes.items():
        method, path = name.split(" ", 1)
        pattern, _, convertors = compile_path(path)
        yield _Route(method, pattern, convertors, handler=private)

"""A document cut down to what a draft was made from, to check the draft against later."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airbyte_kit.errors import KitError
from airbyte_kit.openapi.document import Document, Json, segments_of

_LEVELS = 8
_TOP = ("openapi", "servers", "security", "jsonSchemaDialect")
_PROSE = ("summary", "externalDocs", "tags", "title", "examples")
_OPERATION = ("operationId", "deprecated", "security", "parameters", "responses")
_LONGEST_TEXT = 1000


def trimmed(document: Document, paths: Collection[str]) -> Json:
    """The GETs of these paths and what they refer to; what is many references away becomes any value."""
    content = document.content
    kept: Json = {"openapi": content["openapi"], "info": _info(document)}
    kept |= {name: _short(content[name]) for name in _TOP if name in content}
    kept["paths"] = dict(_paths(document, paths))
    components: Json = {}
    schemes = document.resolve(content.get("components")).get("securitySchemes")
    if schemes:
        components["securitySchemes"] = _short(schemes)
    if not _follow(document, kept["paths"], components):
        return content
    return {**kept, **({"components": components} if components else {})}


def _info(document: Document) -> Json:
    written = document.resolve(document.content.get("info"))
    return {name: written[name] for name in ("title", "version", "license") if name in written}


def _paths(document: Document, paths: Collection[str]) -> Iterator[tuple[str, Json]]:
    wanted = {segments_of(path) for path in paths}
    for path, item in document.paths():
        if path in paths:
            yield path, _item(document, document.resolve(item))
        elif segments_of(path)[-1] == "{}" and segments_of(path)[:-1] in wanted and ("get" in item or "$ref" in item):
            # Of one record's path only its parameter's name is of use: it says what the key is.
            yield path, {"get": {"responses": {"200": {"description": "One of them."}}}}


def _item(document: Document, item: Json) -> Json:
    operation = {name: value for name, value in document.resolve(item.get("get")).items() if name in _OPERATION}
    answers = operation.get("responses")
    if isinstance(answers, Mapping):
        operation["responses"] = {code: answers[code] for code in answers if str(code)[:1] in ("2", "d")}
    shared = {"parameters": _short(item["parameters"])} if "parameters" in item else {}
    return {**shared, "get": _short(operation)}


def _follow(document: Document, paths: Json, components: Json) -> bool:
    """Brings over what the paths refer to, and what that refers to; False where a reference leads elsewhere."""
    waiting = deque((reference, 1) for reference in _references(paths))
    while waiting:
        reference, level = waiting.popleft()
        parts = reference.split("/")
        if len(parts) < 4 or parts[:2] != ["#", "components"]:
            return False
        kind, name = parts[2], parts[3].replace("~1", "/").replace("~0", "~")
        if name in components.get(kind, {}):
            continue
        found = _found(document, "/".join(parts[:4])) if level <= _LEVELS else {}
        components.setdefault(kind, {})[name] = found
        waiting.extend((each, level + 1) for each in _references(found))
    return True


def _found(document: Document, reference: str) -> Any:
    """What the reference names; nothing that a stream stands on is missing, so what is missing is of no use."""
    try:
        return _short(document.look_up(reference))
    except KitError:
        return {}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _references(item)


def _short(node: Any, *, names: bool = False) -> Any:
    """Without prose and long examples; `names` where keys are names of fields, which are kept whatever they are."""
    if isinstance(node, list):
        return [_short(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: value[:_LONGEST_TEXT]
        if name == "description" and isinstance(value, str)
        else _short(value, names=not names and name in ("properties", "patternProperties", "$defs"))
        for name, value in node.items()
        if names or not _is_prose(name, value)
    }


def _is_prose(name: str, value: Any) -> bool:
    return name in _PROSE or name.startswith("x-") or (name == "example" and isinstance(value, list | Mapping))

"""An OpenAPI document whose references are followed inside it alone."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from airbyte_kit.errors import KitError
from airbyte_kit.openapi import words
from airbyte_kit.openapi.loading import read_document

Json = dict[str, Any]
_LONGEST_CHAIN = 50


def segments_of(path: str) -> tuple[str, ...]:
    """The parts of a path, alike whatever its parameters are called, and without `.json`."""
    plain = [re.sub(r"\.json$", "", part) for part in path.strip("/").split("/")]
    return tuple("{}" if re.fullmatch(r"\{[^{}]*\}", part) else part for part in plain)


@dataclass(frozen=True, eq=False)
class Document:
    """A document of version 3.0 or 3.1."""

    content: Json
    name: str = "the document"

    @classmethod
    def read(cls, path: Path) -> "Document":
        """The file's document; KitError where it is none that this can draft from."""
        return cls.of(read_document(path), path.name)

    @classmethod
    def of(cls, content: Json, name: str = "the document") -> "Document":
        """A document that was read before."""
        version = content.get("openapi")
        if not isinstance(version, str | float) or not str(version).startswith(("3.0", "3.1")):
            found = f"Swagger {content['swagger']}" if "swagger" in content else f"openapi: {version}"
            raise KitError(f"{name} says {found}; give a document of OpenAPI 3.0 or 3.1.")
        if not isinstance(content.get("paths"), dict) or not content["paths"]:
            raise KitError(f"{name} has no paths, so there is nothing to read.")
        return cls(content, name)

    @functools.cached_property
    def _resolver(self) -> Any:
        # Without a `retrieve`, a registry knows what it was given and nothing else.
        return Registry().with_resource("", DRAFT202012.create_resource(self.content)).resolver()

    @functools.cached_property
    def _found(self) -> dict[str, Any]:
        return {}

    def look_up(self, reference: str) -> Any:
        """What a reference inside the document names; KitError for any other."""
        if not reference.startswith("#"):
            raise KitError(
                f"{self.name} refers to {reference[:200]}, which is outside of it; bundle it into one file first, "
                "for nothing is fetched."
            )
        if reference not in self._found:
            try:
                self._found[reference] = self._resolver.lookup(reference).contents
            except (Unresolvable, ValueError, LookupError, TypeError):
                raise KitError(f"{self.name} refers to {reference[:200]}, which it does not have.") from None
        return self._found[reference]

    def resolve(self, node: Any) -> Json:
        """The object that a node is or refers to; what is no object becomes an empty one."""
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(node, Mapping):
                return {}
            if not isinstance(node.get("$ref"), str):
                return dict(node)
            node = self.look_up(node["$ref"])
        raise KitError(f"{self.name} has a chain of more than {_LONGEST_CHAIN} references.")

    def paths(self) -> Iterator[tuple[str, Json]]:
        """Each path with what is said of it, perhaps by a reference, in the document's order."""
        for path, item in self.content["paths"].items():
            if path.startswith("/") and isinstance(item, Mapping):
                yield path, dict(item)

    @functools.cached_property
    def below(self) -> dict[tuple[str, ...], list[str]]:
        """What the last parameter is called of each path that ends with one, by the parts before it."""
        found: dict[tuple[str, ...], list[str]] = {}
        for path in self.content["paths"]:
            *before, last = segments_of(path)
            if last == "{}":
                name = path.rstrip("/").split("/")[-1].removesuffix(".json").strip("{}")
                found.setdefault(tuple(before), []).append(name)
        return found

    @property
    def title(self) -> str:
        """What the API is called."""
        return words.printable(str(self.resolve(self.content.get("info")).get("title") or ""))[:120] or "API"

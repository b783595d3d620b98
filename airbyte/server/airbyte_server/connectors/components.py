"""Where a manifest or a configuration would bring Python into a connector."""

import re
from collections.abc import Iterator
from typing import Any

from airbyte_server.errors import RefusedError

SETTING = "AIRBYTE_SERVER_ALLOW_PYTHON_COMPONENTS"
_CUSTOM_TYPE = re.compile(r"Custom[A-Z]\w*")
_INJECTED = "__injected_"


def python_components(node: Any, place: str = "manifest") -> Iterator[str]:
    """The place of each component that is Python: a `Custom…` type, or a `class_name` that names something."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from python_components(item, f"{place}.{number}")
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    # A record's field may be called class_name too; it is described by an object.
    if (isinstance(kind, str) and _CUSTOM_TYPE.fullmatch(kind)) or isinstance(node.get("class_name"), str):
        yield place
    for name, item in node.items():
        yield from python_components(item, f"{place}.{name}")


def refuse_python(manifest: Any) -> None:
    """RefusedError that names the first Python component."""
    found = next(python_components(manifest), None)
    if found is not None:
        raise RefusedError(
            f"{found} is a Python component, and this server runs none; use the components that need no Python, "
            f"or let whoever runs the server set {SETTING}."
        )


def refuse_injection(configuration: Any) -> None:
    """RefusedError for a configuration that would give its connector code or another manifest."""
    if isinstance(configuration, list):
        for item in configuration:
            refuse_injection(item)
    if not isinstance(configuration, dict):
        return
    for name, item in configuration.items():
        if name.startswith(_INJECTED):
            raise RefusedError(
                f"A configuration cannot bring code or a manifest, so it has no field {name}; "
                "upload the manifest as a declarative source definition."
            )
        refuse_injection(item)

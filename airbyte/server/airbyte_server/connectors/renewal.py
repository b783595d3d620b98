"""What a connector changes of its own configuration: tokens that an API renews with each use."""

from collections.abc import Mapping
from typing import Any

from airbyte_server.connectors.program import JsonObject


def renewed_fields(message: Mapping[str, Any], given: Mapping[str, Any]) -> JsonObject:
    """The fields of a CONNECTOR_CONFIG message that differ from what the connector was given; none of any other."""
    control = message.get("control") if message.get("type") == "CONTROL" else None
    if not isinstance(control, Mapping) or control.get("type") != "CONNECTOR_CONFIG":
        return {}
    config = (control.get("connectorConfig") or {}).get("config")
    return _differences(config, given) if isinstance(config, Mapping) else {}


def merged(stored: Mapping[str, Any], fields: Mapping[str, Any]) -> JsonObject:
    """The stored configuration with these fields in the place of its own."""
    return {
        **stored,
        **{
            name: merged(stored[name], value)
            if isinstance(value, Mapping) and isinstance(stored.get(name), Mapping)
            else value
            for name, value in fields.items()
        },
    }


def _differences(config: Mapping[str, Any], given: Mapping[str, Any]) -> JsonObject:
    found: JsonObject = {}
    for name, value in config.items():
        known = given.get(name)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            below = _differences(value, known)
            if below:
                found[name] = below
        elif value != known:
            found[name] = value
    return found

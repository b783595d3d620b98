"""A source as a person declares it: `NAME=TYPE[:key=value,…]` becomes a name, a connector and a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from analysis.errors import PermanentError
from orchestration.tenancy.identifiers import check_source_name

LOCAL_PATHS = {"file": ("path", "catalog")}
"""Configuration keys that name files of this machine: made absolute, since Airbyte has another working directory."""


class SourceSpec(BaseModel):
    """One declared source; `configuration` goes to the connector as it is."""

    model_config = ConfigDict(frozen=True)

    name: str
    connector: str
    configuration: Mapping[str, Any]

    @property
    def airbyte_configuration(self) -> dict[str, Any]:
        """The configuration with Airbyte's discriminator."""
        return {"sourceType": self.connector, **self.configuration}


def parse_source(text: str) -> SourceSpec:
    """Read `stripe=file:path=records/stripe,catalog=stripe.json`; a malformed text is a PermanentError.

    A value is JSON where it reads as a number, boolean or list, else text; a repeated key makes a list.
    """
    name, equals, rest = text.partition("=")
    connector, _, settings = rest.partition(":")
    if not (equals and name and connector):
        raise PermanentError("A source is NAME=TYPE[:key=value,…], such as shop=file:path=exports.", source=text)
    configuration: dict[str, Any] = {}
    for pair in filter(None, settings.split(",")):
        key, equals, value = pair.partition("=")
        if not (equals and key):
            raise PermanentError(f"Write the setting {pair!r} of source {name!r} as key=value.", source=name)
        _add(configuration, key.strip(), _absolute(connector, key.strip(), _value(value)))
    return SourceSpec(name=check_source_name(name.strip()), connector=connector.strip(), configuration=configuration)


def _add(configuration: dict[str, Any], key: str, value: object) -> None:
    if key not in configuration:
        configuration[key] = value
    elif isinstance(configuration[key], list):
        configuration[key].append(value)
    else:
        configuration[key] = [configuration[key], value]


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _absolute(connector: str, key: str, value: object) -> object:
    if isinstance(value, str) and key in LOCAL_PATHS.get(connector, ()):
        return str(Path(value).expanduser().absolute())
    return value

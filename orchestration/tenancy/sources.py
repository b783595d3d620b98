"""A source as a person declares it: `NAME=TYPE[:key=value,…]` becomes a name, a connector and a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from analysis.errors import PermanentError
from orchestration.tenancy.identifiers import check_source_name
from orchestration.tenancy.source_settings import Environment, read_settings

LOCAL_PATHS = {"file": ("path", "catalog")}
"""Configuration keys that name files of this machine: made absolute, since Airbyte has another working directory."""
_CONNECTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class SourceSpec(BaseModel):
    """One declared source; `configuration`, which may hold secrets, goes to the connector as it is."""

    model_config = ConfigDict(frozen=True)

    name: str
    connector: str
    configuration: Mapping[str, Any] = Field(repr=False)
    streams: tuple[str, ...] = ()
    """The streams to sync; none named means all that the source offers."""

    @property
    def airbyte_configuration(self) -> dict[str, Any]:
        """The configuration with Airbyte's discriminator."""
        return {"sourceType": self.connector, **self.configuration}


def parse_source(text: str, environment: Environment | None = None) -> SourceSpec:
    """Read `stripe=stripe:client_secret=env:STRIPE_KEY`; a malformed text is a PermanentError that shows no value."""
    declared, _, settings = text.partition(":")
    name, equals, connector = (part.strip() for part in declared.partition("="))
    if not (equals and name):
        raise PermanentError("A source is NAME=TYPE[:key=value,…], such as shop=file:path=exports.", source=name)
    check_source_name(name)
    if not _CONNECTOR.fullmatch(connector):  # which may be a setting, and so a secret, whose type was forgotten
        raise PermanentError(f"Source {name!r} has no connector's name behind its own: write {name}=TYPE:key=value,….")
    configuration = read_settings(name, settings, environment)
    for key in LOCAL_PATHS.get(connector, ()):
        if key in configuration:
            configuration[key] = _absolute(configuration[key])
    return SourceSpec(name=name, connector=connector, configuration=configuration)


def choose_streams(specs: Sequence[SourceSpec], choices: Sequence[str]) -> list[SourceSpec]:
    """The sources with their choices of streams, each `NAME=stream,…`; a choice for no source of these is refused."""
    chosen: dict[str, tuple[str, ...]] = {}
    for choice in choices:
        name, _, listed = choice.partition("=")
        streams = tuple(part.strip() for part in listed.split(",") if part.strip())
        if not streams:
            raise PermanentError("Streams are chosen by NAME=stream,…, such as stripe=customers,charges.", given=choice)
        chosen[name.strip()] = tuple(dict.fromkeys(chosen.get(name.strip(), ()) + streams))
    unknown = sorted(chosen.keys() - {spec.name for spec in specs})
    if unknown:
        raise PermanentError(
            f"Streams are chosen for {', '.join(unknown)}, which no --source names; name it there too.",
            sources=[spec.name for spec in specs],
        )
    return [spec.model_copy(update={"streams": chosen.get(spec.name, ())}) for spec in specs]


def _absolute(value: object) -> object:
    if isinstance(value, list):
        return [_absolute(each) for each in value]
    return str(Path(value).expanduser().absolute()) if isinstance(value, str) else value

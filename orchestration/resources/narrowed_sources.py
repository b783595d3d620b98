"""A source's configuration with a later beginning, so that a sample reads recent records only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import Connection

START_FIELDS = (
    "start_date",
    "start_datetime",
    "start_time",
    "start_timestamp",
    "replication_start_date",
    "replication_start_datetime",
    "reports_start_date",
    "startDate",
    "date_from",
    "since",
)
"""What Airbyte's connectors call the beginning of what they read."""
_FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
_MASK = re.compile(r"\*{3,}")


def narrowed_copy(airbyte: AirbyteClient, production: Connection, name: str, since: datetime) -> str | None:
    """The id of a copy of the source that begins later, where its configuration is known and says when it begins."""
    source = airbyte.call("GET", f"/sources/{production.source_id}")
    configuration = source.get("configuration") or {}
    if not is_known(configuration):
        return None
    fields = airbyte.specified_fields(production.workspace_id, source["definitionId"])
    later = narrowed(configuration, fields, since)
    if later is None:
        return None
    return airbyte.create_source(production.workspace_id, name, later, source["definitionId"])


def is_known(configuration: object) -> bool:
    """Whether a configuration is in clear: one with masked secrets can serve no second source."""
    if isinstance(configuration, Mapping):
        return all(is_known(each) for each in configuration.values())
    if isinstance(configuration, list):
        return all(is_known(each) for each in configuration)
    return not (isinstance(configuration, str) and _MASK.search(configuration))


def narrowed(configuration: Mapping[str, Any], fields: Mapping[str, Any], since: datetime) -> dict[str, Any] | None:
    """The configuration, beginning at `since`; None where it begins later, or has no such field and may have none."""
    for name in START_FIELDS:
        if isinstance(configuration.get(name), str):
            moved = _moved(configuration[name], since)
        elif name not in configuration and name in fields:
            moved = _written(fields[name], since)
        else:
            continue
        return {**configuration, name: moved} if moved is not None else None
    return None


def _moved(present: str, since: datetime) -> str | None:
    """`since` as the present value is written, if that is earlier."""
    for form in _FORMATS:
        try:
            begins = datetime.strptime(present, form)
        except ValueError:
            continue
        return since.astimezone(UTC).strftime(form) if begins.replace(tzinfo=UTC) < since else None
    return None


def _written(field: Mapping[str, Any], since: datetime) -> str | None:
    """`since` as the spec wants it written."""
    pattern = field.get("pattern")
    if field.get("type") != "string":
        return None
    if not pattern:
        return since.astimezone(UTC).strftime("%Y-%m-%d" if field.get("format") == "date" else _FORMATS[0])
    written = (since.astimezone(UTC).strftime(form) for form in _FORMATS)
    try:
        return next((text for text in written if re.search(pattern, text)), None)
    except (re.error, TypeError):  # the spec's patterns are JavaScript's
        return None

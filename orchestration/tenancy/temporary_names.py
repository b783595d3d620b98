"""What Sluice makes in an Airbyte for minutes is known by its name: whose it is, and since when."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_TEMPORARY = re.compile(r"sluice sample (?P<schema>tenant_[a-z0-9_]+) (?P<made>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) .+")
_OLDER_SUFFIX = " (sample)"
"""How the first version named its sample connections: one that it left behind is temporary too."""


def temporary_name(schema: str, what: str, made: datetime) -> str:
    """The name of a source or connection that serves one sample into this schema."""
    return f"sluice sample {schema} {made.astimezone(UTC).strftime(_FORMAT)} {what}"


def is_temporary(name: str) -> bool:
    """Whether a thing of this name lives no longer than its sample."""
    return _TEMPORARY.fullmatch(name) is not None or name.endswith(_OLDER_SUFFIX)


def is_left_behind(name: str, schema: str, made_before: datetime) -> bool:
    """Whether it is a temporary thing of this schema's samples, made before this moment."""
    found = _TEMPORARY.fullmatch(name)
    if found is None:
        return name.endswith(_OLDER_SUFFIX)
    made = datetime.strptime(found["made"], _FORMAT).replace(tzinfo=UTC)
    return found["schema"] == schema and made < made_before

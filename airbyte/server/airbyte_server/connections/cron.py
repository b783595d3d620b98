"""Cron expressions as Airbyte takes them: Quartz, UTC, at most once a minute."""

import re
from datetime import datetime

from airbyte_server.connections import quartz
from airbyte_server.errors import RefusedError

_UTC = re.compile(r"\s*\bUTC\s*$", re.IGNORECASE)
_YEAR = re.compile(r"[0-9*,/-]+")
_FIELD = re.compile(r"[0-9A-Za-z*/,\-?#]+")


def normalised(expression: str) -> str:
    """The expression with exactly one time zone, UTC; what Quartz would refuse is refused with the reason."""
    fields = _UTC.sub("", expression).split()
    if len(fields) not in (6, 7) or not _YEAR.fullmatch(fields[6] if len(fields) == 7 else "*"):
        raise RefusedError(
            "A cronExpression has six or seven fields (seconds minutes hours day month weekday [year]) "
            "and UTC or no time zone, e.g. '0 15 * * * ? UTC'."
        )
    wrong = next((field for field in fields if not _FIELD.fullmatch(field)), None)
    if wrong is not None:
        raise RefusedError("The cronExpression has a field that cron does not know; use digits, names and * / , - ? #.")
    if "*" in fields[0] or "/" in fields[0]:
        raise RefusedError("The cronExpression would run every few seconds; start it with one second, e.g. 0.")
    quartz.parse(" ".join(fields))
    return f"{' '.join(fields)} UTC"


def next_time(expression: str, after: datetime) -> datetime | None:
    """When a normalised expression runs next; None if never again."""
    return quartz.parse(_UTC.sub("", expression)).next_after(after)

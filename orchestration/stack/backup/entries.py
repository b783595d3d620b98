"""Which entries of a dump come first."""

import re
from collections.abc import Sequence

_SCHEMA = re.compile(r"\d+; \d+ \d+ (SCHEMA - |ACL - SCHEMA )")


def split_entries(entries: Sequence[str]) -> tuple[list[str], list[str]]:
    """The schemas with their grants, and everything else: pg_restore grants last, but owners need rights at once."""
    first = [entry for entry in entries if _SCHEMA.match(entry)]
    return first, [entry for entry in entries if not _SCHEMA.match(entry)]

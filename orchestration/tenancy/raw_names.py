"""How destination-postgres 3.x names tables and columns: the rule behind every name in a raw schema.

The embedded loader applies the same rule; neither package may import the other, so a test holds them equal.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 63
META_COLUMNS = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id")


def raw_table_name(prefix: str, stream: str) -> str:
    """The raw table of a stream: ASCII letters, digits and underscores, case preserved, at most 63 characters."""
    return _identifier(prefix + stream)


def raw_column_names(fields: Iterable[str]) -> dict[str, str]:
    """Field → raw column, in order; a name that is taken gets the next free suffix `_1`, `_2`, …"""
    taken = set(META_COLUMNS)
    columns: dict[str, str] = {}
    for field in fields:
        wanted = column = _identifier(field)
        number = 0
        while column in taken:
            number += 1
            column = f"{wanted[: LONGEST - len(str(number)) - 1]}_{number}"
        taken.add(column)
        columns[field] = column
    return columns


def temporary_table_name(schema: str, table: str) -> str:
    """The table in which the loader collects what a raw table is to hold; the same for every job."""
    runs = re.findall(r"_+", f"{schema} {table}_airbyte_tmp")
    joined = f"{schema}_raw{'_' * max([*(len(run) + 1 for run in runs), 2])}stream_{table}_airbyte_tmp"
    ends = "".join(name if len(name) <= 16 else name[:8] + name[-8:] for name in (schema, table))
    return f"{ends}{hashlib.sha256(joined.encode()).hexdigest()[:32]}"[-LONGEST:]


def _identifier(name: str) -> str:
    marks_dropped = "".join(
        char for char in unicodedata.normalize("NFKD", name) if not unicodedata.category(char).startswith("M")
    )
    plain = re.sub(r"[^A-Za-z0-9_]", "_", re.sub(r"[ \t\n\x0b\f\r]+", "_", marks_dropped)) or "_"
    if plain[0].isdigit():
        plain = "_" + plain
    if len(plain) <= LONGEST:
        return plain
    return f"{plain[:54]}_{str(_java_hash(plain))[-8:]}"


def _java_hash(ascii_text: str) -> int:
    value = 0
    for byte in ascii_text.encode("ascii"):
        value = (31 * value + byte) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value

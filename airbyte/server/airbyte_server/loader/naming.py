"""Table and column names as destination-postgres 3.x makes them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

MAX_LENGTH = 63
META_COLUMNS = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id")

# Java's \s and \p{Alnum} are ASCII.
_SPACES = re.compile(r"[ \t\n\x0b\f\r]+")
_OTHERS = re.compile(r"[^A-Za-z0-9_]")


def final_table_name(prefix: str, stream: str) -> str:
    """The raw table's name: prefix + stream, normalised, at most 63 characters, case preserved."""
    return normalise(prefix + stream)


def normalise(name: str) -> str:
    """An identifier of ASCII letters, digits and underscores that starts with no digit; never empty."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))
    plain = _OTHERS.sub("_", _SPACES.sub("_", bare)) or "_"
    if plain[0].isdigit():
        plain = f"_{plain}"
    if len(plain) <= MAX_LENGTH:
        return plain
    return f"{plain[:54]}_{str(java_hash(plain))[-8:]}"


def column_names(fields: Iterable[str]) -> dict[str, str]:
    """Field name → column name, in order; a name already taken gets the next free suffix `_1`, `_2`, …"""
    taken = set(META_COLUMNS)
    names: dict[str, str] = {}
    for field in fields:
        wanted = name = normalise(field)
        number = 0
        while name in taken:
            number += 1
            name = f"{wanted[: MAX_LENGTH - len(str(number)) - 1]}_{number}"
        taken.add(name)
        names[field] = name
    return names


def temporary_table_name(schema: str, table: str) -> str:
    """First and last 8 characters of schema and table, then 32 digits of SHA-256; the same for every job."""
    digest = hashlib.sha256(_raw_table_name(schema, f"{table}_airbyte_tmp").encode()).hexdigest()
    return f"{_ends(schema)}{_ends(table)}{digest[:32]}"[-MAX_LENGTH:]


def lock_name(connection_id: str) -> str:
    """What a job holds beside its tables: jobs of one connection take turns also where they write other tables."""
    return f"connection_{connection_id}_{hashlib.sha256(connection_id.encode()).hexdigest()[:16]}"


def java_hash(text: str) -> int:
    """`String.hashCode` of Java, a signed 32-bit number over UTF-16 units."""
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _ends(name: str) -> str:
    return name if len(name) <= 16 else name[:8] + name[-8:]


def _raw_table_name(schema: str, table: str) -> str:
    """Airbyte joins both with more underscores than either holds in a row, at least two."""
    runs = re.findall(r"_+", schema + " " + table)
    longest = max((len(run) for run in runs), default=0)
    underscores = "_" * max(longest + 1, 2)
    return f"{schema}_raw{underscores}stream_{table}"

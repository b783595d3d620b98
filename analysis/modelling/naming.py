"""Names that are safe everywhere: in SQL unquoted, in Jinja, in yml and as file names."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

Key = tuple[str, ...]
"""What a name is for: its last part is the original name, the parts before say whose it is."""

# PostgreSQL keeps 63 bytes of a name, and dbt puts `__dbt__cte__` before the name of an ephemeral model.
COLUMN_LENGTH = 63
MODEL_LENGTH = 51

_KEYWORDS = """
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
cast char character check coalesce collate collation column concurrently constraint create cross current
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal
default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from
full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is
isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp merge_action
national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps
overlay placing position precision primary real references returning right row rows select session_user setof
similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat
trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
RESERVED = frozenset(_KEYWORDS.split())
"""PostgreSQL's keywords that an unquoted column cannot be called, and the few more that linters refuse."""

PROVENANCE = ("_source", "_source_record_id", "_extracted_at")
"""Columns that every staged row carries; no normalised name starts with an underscore, so that none collides."""


def digest(text: str, length: int = 8) -> str:
    """The first hex digits of a text's SHA-256; unpaired surrogates count as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def normalise(name: str) -> str:
    """A name as snake_case of `[a-z0-9_]`, never empty, never a digit or an underscore first."""
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", plain)
    snake = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not snake:
        return f"unnamed_{digest(name)}"
    return f"n{snake}" if snake[0].isdigit() else snake


def safe_word(name: str) -> str:
    """A normalised name that is no keyword."""
    snake = normalise(name)
    return f"{snake}_" if snake in RESERVED else snake


def allocate(wanted: Mapping[Key, str], *, length: int) -> dict[Key, str]:
    """A different name of at most `length` for each key, whatever the keys' order.

    Who is called exactly as wanted keeps the name, else the first in order does; the others end in a hash of their key.
    """
    rivals: dict[str, list[Key]] = {}
    for key, base in sorted(wanted.items()):
        rivals.setdefault(base if len(base) <= length else _hashed(base, key, length), []).append(key)
    used = set(rivals)
    chosen: dict[Key, str] = {}
    for base, keys in sorted(rivals.items()):
        owner = next((key for key in keys if key[-1] == base), keys[0])
        for key in keys:
            name = base if key == owner else _hashed(base, key, length)
            while key != owner and name in used:
                name = _hashed(base, (*key, name), length)
            used.add(name)
            chosen[key] = name
    return chosen


def _hashed(base: str, key: Key, length: int) -> str:
    return f"{base[: length - 9]}_{digest(chr(0).join(key))}"


def is_addressable(name: str) -> bool:
    """Whether PostgreSQL can hold a name or JSON key at all: not empty, no NUL, no unpaired surrogate."""
    return bool(name) and "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)


def plain_text(text: str, limit: int = 200) -> str:
    """A text for descriptions: one line, no control characters, and no brace that Jinja could take up."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(kept.replace("{", "(").replace("}", ")").split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def is_plain_name(name: str, length: int) -> bool:
    """Whether a name is safe everywhere as it is."""
    return bool(re.fullmatch(r"[a-z_][a-z0-9_]*", name)) and len(name) <= length and name not in RESERVED

"""Fit: how well a column's types, meaning and fill suit a field of the vocabulary."""

from analysis.mapping.synonyms import load_synonyms, phrase
from analysis.mapping.vocabulary import Field
from analysis.profiling.profile import ColumnProfile
from analysis.profiling.semantic import ID_WORDS

_TIMES = frozenset({"iso_timestamp", "date", "epoch_seconds", "epoch_milliseconds"})
_NUMBERS = frozenset({"integer", "number"})
_BLIND = 0.92
"""A column without values may be right by name; one with values that fit goes before it."""


def type_fit(column: ColumnProfile, field: Field) -> float:
    """A factor up to 1: 1 where nothing speaks against the column feeding the field."""
    kind = kind_of(column)
    fits = _FITS[field.type](column, kind, field) if kind != "unknown" else 1.0
    return fits * (_BLIND if column.observed_type == "unknown" else 1.0)


def kind_of(column: ColumnProfile) -> str:
    """time, boolean, number, json, text or unknown: what the column holds as far as it is known."""
    if column.semantic_type in _TIMES:
        return "time"
    if "boolean" in (column.declared_type, column.observed_type):
        return "boolean"
    if column.semantic_type == "json" or column.observed_type in ("object", "array"):
        return "json"
    if column.semantic_type in ("number", "minor_units") or column.observed_type in _NUMBERS:
        return "number"
    if column.observed_type == "unknown":
        return {"integer": "number", "number": "number", "string": "unknown"}.get(column.declared_type, "unknown")
    return "text"


def _time_fit(column: ColumnProfile, kind: str, field: Field) -> float:
    return {"time": 1.0, "text": 0.25, "number": 0.2}.get(kind, 0.05)


def _number_fit(column: ColumnProfile, kind: str, field: Field) -> float:
    if kind != "number":
        return {"text": 0.15}.get(kind, 0.05)
    return 0.3 if phrase(column.path[-1])[-1:] == ("id",) else 1.0


def _boolean_fit(column: ColumnProfile, kind: str, field: Field) -> float:
    if kind == "boolean" or column.semantic_type == "boolean_like":
        return 1.0
    return {"text": 0.15, "number": 0.2}.get(kind, 0.05)


def _text_fit(column: ColumnProfile, kind: str, field: Field) -> float:
    wanted = load_synonyms().meanings.get(field.name)
    meaning = column.semantic_type
    if kind == "json":
        return 0.6 if column.observed_type == "array" and field.name.endswith("s") else 0.3
    if kind == "time":
        return 0.2
    if kind == "boolean":
        return 0.6 if field.name == "status" else 0.15
    if wanted and meaning == "url" and _is_api_link(column):
        return 0.4
    if wanted and meaning not in wanted:
        return 0.45 if column.observed_type == "string" else 0.2
    if meaning in ("url", "email", "phone", "currency") and not wanted:
        return 0.5
    if kind == "number":
        return 1.0 if _may_be_number(field) else 0.4
    if field.name.endswith("_id") and column.observed_type == "string":
        return {"identifier": 1.0, "uuid": 1.0, "enum": 0.97, "unknown": 0.9}.get(meaning, 0.75)
    return 1.0


def _is_api_link(column: ColumnProfile) -> bool:
    """Whether a URL leads to the record in the tool's own API, not to a page."""
    shown = column.minimum or ""
    return "/api/" in shown or "://api." in shown or shown.endswith(".json")


def _may_be_number(field: Field) -> bool:
    last = field.name.split("_")[-1]
    return last in ID_WORDS or last in (
        "number",
        "code",
        "reference",
        "status",
        "type",
        "priority",
        "stage",
        "assignee",
        "by",
    )


_FITS = {
    "timestamp": _time_fit,
    "date": _time_fit,
    "integer": _number_fit,
    "numeric": _number_fit,
    "boolean": _boolean_fit,
    "text": _text_fit,
}

"""The closed catalogue of transforms: everything that a plan may do to a value, each with its SQL."""

from collections.abc import Mapping
from types import MappingProxyType

from analysis.errors import PermanentError
from analysis.modelling.fragments import Fragment, call, identifier, text, wrap
from analysis.profiling.profile import Frozen

RAW_TYPES = MappingProxyType(
    {
        "string": "varchar",
        "number": "numeric",
        "integer": "bigint",
        "boolean": "boolean",
        "object": "jsonb",
        "array": "jsonb",
        "unknown": "jsonb",
        "date": "date",
        "timestamptz": "timestamptz",
        "timestamp": "timestamp",
        "time": "time",
    }
)
"""Declared type → the type of the raw column, as Airbyte's PostgreSQL destination lays it out."""

_TEXTS = frozenset({"varchar", "text"})
_NUMBERS = frozenset({"numeric", "bigint"})
_TIMES = frozenset({"date", "timestamptz", "timestamp"})
_JSON = frozenset({"jsonb"})
_ANY = frozenset(RAW_TYPES.values()) | {"text"}


class Transform(Frozen):
    """One entry of the catalogue; a value that does not fit becomes null, never an error."""

    name: str
    description: str
    accepts: frozenset[str]
    """SQL types of input; a value inside a JSON column counts as text."""
    output: str
    argument_count: int = 0


_CATALOGUE = (
    Transform(name="text", description="The value as text.", accepts=_ANY, output="text"),
    Transform(name="integer", description="A whole number.", accepts=_TEXTS | _NUMBERS | _JSON, output="bigint"),
    Transform(name="numeric", description="A finite number.", accepts=_TEXTS | _NUMBERS | _JSON, output="numeric"),
    Transform(
        name="boolean",
        description="True or false, also as yes/no, on/off and 1/0.",
        accepts=_TEXTS | _NUMBERS | _JSON | {"boolean"},
        output="boolean",
    ),
    Transform(name="date", description="A day, in UTC.", accepts=_TEXTS | _TIMES | _JSON, output="date"),
    Transform(
        name="timestamp",
        description="A point in time; without an offset it is UTC.",
        accepts=_TEXTS | _TIMES | _JSON,
        output="timestamptz",
    ),
    Transform(
        name="epoch_seconds",
        description="Seconds since 1970 as a point in time.",
        accepts=_TEXTS | _NUMBERS | _JSON,
        output="timestamptz",
    ),
    Transform(
        name="epoch_milliseconds",
        description="Milliseconds since 1970 as a point in time.",
        accepts=_TEXTS | _NUMBERS | _JSON,
        output="timestamptz",
    ),
    Transform(
        name="minor_units",
        description="An amount in its currency's smallest unit as an amount of the currency; argument: the currency.",
        accepts=_TEXTS | _NUMBERS | _JSON,
        output="numeric",
        argument_count=1,
    ),
    Transform(
        name="lower_trim",
        description="Text in lower case without blanks around it.",
        accepts=_TEXTS | _JSON,
        output="text",
    ),
    Transform(
        name="json_text",
        description="The text at a path inside a JSON value.",
        accepts=_TEXTS | _JSON,
        output="text",
    ),
    Transform(name="json", description="A JSON value as it is.", accepts=_JSON, output="jsonb"),
)

TRANSFORMS: Mapping[str, Transform] = MappingProxyType({found.name: found for found in _CATALOGUE})
"""Every transform by name."""

_LOSSLESS = {
    "varchar": "text",
    "text": "text",
    "numeric": "numeric",
    "bigint": "integer",
    "boolean": "boolean",
    "jsonb": "json",
    "date": "date",
    "timestamptz": "timestamp",
    "timestamp": "timestamp",
    "time": "text",
}


def lossless_transform(raw_type: str) -> str:
    """The transform that keeps a raw column of this SQL type as it is."""
    return _LOSSLESS[raw_type]


def value_at(column: str, sql_type: str, path: tuple[str, ...]) -> tuple[Fragment, str]:
    """The value at a path inside a column, and its SQL type: JSON below a column comes out as text."""
    fragment = text(identifier(column))
    return (call("json_text", fragment, path), "text") if path else (fragment, sql_type)


def apply(name: str, value: Fragment, sql_type: str, arguments: tuple[Fragment, ...] = ()) -> Fragment:
    """The SQL of a transform on a value; a type or number of arguments that does not fit is an error."""
    transform = TRANSFORMS.get(name)
    if transform is None:
        raise PermanentError("The plan names a transform that is not in the catalogue.", transform=name)
    if sql_type not in transform.accepts or len(arguments) != transform.argument_count:
        raise PermanentError("The transform does not take this input.", transform=name, type=sql_type)
    if name == "json":
        return value
    if sql_type == "jsonb":
        value, sql_type = wrap("(", value, " #>> array[]::text[])"), "text"
    elif name in {"text", "json_text"} and not _is_call(value):
        return wrap("", value, "::text")
    if name in {"text", "json_text"}:
        return value
    if name == "lower_trim":
        return wrap("lower(trim(", value, "))")
    if name == "minor_units":
        return call("minor_units_to_amount", value, *arguments)
    if name in {"epoch_seconds", "epoch_milliseconds"}:
        return call(f"{name}_to_timestamp", value)
    return _cast(transform.output, value, sql_type)


def _is_call(value: Fragment) -> bool:
    return len(value.parts) == 1 and not isinstance(value.parts[0], str)


def _cast(output: str, value: Fragment, sql_type: str) -> Fragment:
    if (sql_type, output) == ("timestamp", "timestamptz"):
        return wrap("", value, " at time zone 'UTC'")
    if (sql_type, output) == ("date", "timestamptz"):
        return wrap("", value, "::timestamp at time zone 'UTC'")
    if (sql_type, output) == ("timestamptz", "date"):
        return wrap("(", value, " at time zone 'UTC')::date")
    if sql_type == output or (sql_type, output) in {("bigint", "numeric"), ("timestamp", "date")}:
        return wrap("", value, f"::{output}")
    return call("try_cast", value, output)

"""The search over CRM objects: filters, sorting, and no associations."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from airbyte_sandbox.hubspot.definitions import types_of
from airbyte_sandbox.hubspot.objects import kind_of, shown
from airbyte_sandbox.hubspot.portal import portal
from airbyte_sandbox.hubspot.refusals import invalid
from airbyte_sandbox.hubspot.values import CrmObject
from airbyte_sandbox.server.api import Call, Reply

_MOST, _FURTHEST = 200, 10_000
_Matches = Callable[[CrmObject], bool]
_WITH_VALUE = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN")
_Operator = Literal[
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"
]
_Text = str | int | float


class _Filter(BaseModel):
    property: str = Field(alias="propertyName")
    operator: _Operator
    value: _Text | None = None
    high_value: _Text | None = Field(None, alias="highValue")
    values: list[_Text] = []


class _Group(BaseModel):
    filters: list[_Filter]


class _Sort(BaseModel):
    property: str = Field(alias="propertyName")
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class _Asked(BaseModel):
    groups: list[_Group] = Field([], alias="filterGroups")
    sorts: list[_Sort | str] = []
    properties: list[str] = []
    limit: int = Field(10, ge=1, le=_MOST)
    after: int = Field(0, ge=0)


def search(call: Call) -> Reply:
    """`POST /crm/v3/objects/{type}/search`: at most 200 results a page, and none beyond the ten thousandth."""
    kind, found = kind_of(call), portal(call.account.world)
    asked = _asked(call.body or {})
    groups = [[_test(kind, one) for one in group.filters] for group in asked.groups]
    objects = [each for each in found.live(kind).values() if _fits(each, groups)]
    for sort in reversed(asked.sorts):
        objects = _sorted(kind, objects, _Sort(propertyName=sort) if isinstance(sort, str) else sort)
    end = asked.after + asked.limit
    more = {"paging": {"next": {"after": str(end)}}} if end < len(objects) else {}
    results = shown(call, found, kind, objects[asked.after : end], asked.properties)
    return Reply(200, {"total": len(objects), "results": results, **more})


def _asked(body: Any) -> _Asked:
    try:
        asked = _Asked.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise invalid(f"Invalid input JSON: {where}: {problem['msg']}") from None
    if asked.after + asked.limit > _FURTHEST:
        raise invalid(f"Invalid after: a search has at most {_FURTHEST} results")
    return asked


def _fits(each: CrmObject, groups: Sequence[Sequence[_Matches]]) -> bool:
    """All filters of one of the groups hold."""
    return not groups or any(all(test(each) for test in group) for group in groups)


def _test(kind: str, one: _Filter) -> _Matches:
    value_type = types_of(kind).get(one.property)
    if value_type is None:
        raise invalid(f"There was a problem with the request: {one.property} is no property of {kind}")
    if (one.operator in _WITH_VALUE and one.value is None) or (one.operator == "BETWEEN" and one.high_value is None):
        raise invalid(f"There was a problem with the request: {one.operator} needs a value")
    wanted, upper = (_comparable(value_type, given) for given in (one.value, one.high_value))
    several = [_comparable(value_type, given) for given in one.values]
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda has: bool(has == wanted),
        "NEQ": lambda has: bool(has != wanted),
        "LT": lambda has: bool(has < wanted),
        "LTE": lambda has: bool(has <= wanted),
        "GT": lambda has: bool(has > wanted),
        "GTE": lambda has: bool(has >= wanted),
        "BETWEEN": lambda has: bool(wanted <= has <= upper),
        "IN": lambda has: has in several,
        "NOT_IN": lambda has: has not in several,
        "HAS_PROPERTY": lambda _: True,
        "NOT_HAS_PROPERTY": lambda _: False,
    }

    def matches(each: CrmObject) -> bool:
        has = _comparable(value_type, each.properties.get(one.property))
        return tests[one.operator](has) if has is not None else one.operator == "NOT_HAS_PROPERTY"

    return matches


def _sorted(kind: str, objects: list[CrmObject], sort: _Sort) -> list[CrmObject]:
    """By one property; objects without it come last."""
    value_type = types_of(kind).get(sort.property, "string")
    have = [each for each in objects if each.properties.get(sort.property) is not None]
    have.sort(
        key=lambda each: _comparable(value_type, each.properties[sort.property]),
        reverse=sort.direction == "DESCENDING",
    )
    return have + [each for each in objects if each.properties.get(sort.property) is None]


def _comparable(value_type: str, value: _Text | None) -> Any:
    """A number or a moment by its size, all else as text without regard to case."""
    if value is None:
        return None
    try:
        if value_type == "number":
            return float(value)
        if value_type == "datetime":
            # In milliseconds, or written out.
            return float(value) if str(value).isdecimal() else 1000 * _parsed(str(value)).timestamp()
    except ValueError:
        raise invalid(f"Invalid value: {value!r} is no {value_type}") from None
    return str(value).lower()


def _parsed(written: str) -> datetime:
    at = datetime.fromisoformat(written)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

"""What a request for a report asks, checked as Google checks it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from airbyte_sandbox.ga4.fields import DIMENSIONS, METRICS
from airbyte_sandbox.ga4.refusals import invalid, unknown

_MOST_DIMENSIONS, _MOST_METRICS, _MOST_RANGES, _MOST_ROWS = 9, 10, 4, 250_000
_FIRST_DAY = date(2015, 8, 14)
_NOT_HERE = ("metricAggregations", "cohortSpec", "comparisons", "conversionSpec")
_KNOWN = (
    "property", "dimensions", "metrics", "dateRanges", "dimensionFilter", "metricFilter", "offset", "limit", "orderBys",
    "keepEmptyRows", "returnPropertyQuota", "currencyCode", *_NOT_HERE,
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """By which field rows are in order."""

    field: str
    is_metric: bool
    is_descending: bool
    kind: str


@dataclass(frozen=True)
class Question:
    """A report that can be made."""

    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    ranges: tuple[tuple[str, date, date], ...]
    """Name, first and last day of each."""
    orders: tuple[Order, ...]
    dimension_filter: Any
    metric_filter: Any
    keeps_empty_rows: bool
    offset: int
    limit: int
    tells_quota: bool


def read_question(body: Any, today: date, gone: Collection[str] = ()) -> Question:
    """The report that a body asks for; a field that is `gone` is as unknown as one that never was."""
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. The root of a request is an object.")
    for name in body:
        if name not in _KNOWN:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        if name in _NOT_HERE and body[name]:
            raise invalid(f"The sandbox makes no reports with {name}; leave it out.")
    dimensions = _fields(body, "dimensions", "dimension", DIMENSIONS.keys() - set(gone), _MOST_DIMENSIONS)
    metrics = _fields(body, "metrics", "metric", METRICS.keys() - set(gone), _MOST_METRICS)
    if not dimensions and not metrics:
        raise invalid("A report needs at least one dimension or metric.")
    return Question(
        dimensions=dimensions,
        metrics=metrics,
        ranges=_ranges(body.get("dateRanges"), today),
        orders=tuple(_order(one, dimensions, metrics) for one in _objects(body, "orderBys")),
        dimension_filter=body.get("dimensionFilter"),
        metric_filter=body.get("metricFilter"),
        keeps_empty_rows=bool(body.get("keepEmptyRows")),
        offset=_whole(body, "offset", 0, 0),
        limit=min(_whole(body, "limit", 10_000, 1), _MOST_ROWS),
        tells_quota=bool(body.get("returnPropertyQuota")),
    )


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise invalid(f"Invalid value at '{name}'; it is a list of objects.")
    return found


def _fields(body: dict[str, Any], name: str, kind: str, known: Collection[str], most: int) -> tuple[str, ...]:
    found = [str(one.get("name", "")) for one in _objects(body, name)]
    if len(found) > most:
        raise invalid(f"Requests are limited to {most} {name}. This request is for {len(found)} {name}.")
    for one in found:
        if one not in known:
            raise unknown(kind, one)
        if found.count(one) > 1:
            raise invalid(f"The {kind} {one} is asked for more than once; ask for it once.")
    return tuple(found)


def _ranges(given: Any, today: date) -> tuple[tuple[str, date, date], ...]:
    ranges = given if isinstance(given, list) else []
    if not ranges or len(ranges) > _MOST_RANGES or not all(isinstance(one, dict) for one in ranges):
        raise invalid(f"A report needs one to {_MOST_RANGES} dateRanges.")
    found = []
    for place, one in enumerate(ranges):
        first, last = (_day(one.get(name), name, today) for name in ("startDate", "endDate"))
        if first > last:
            raise invalid(f"Invalid dateRange: startDate ({first}) is after endDate ({last}).")
        found.append((str(one.get("name") or f"date_range_{place}"), first, last))
    return tuple(found)


def _day(given: Any, name: str, today: date) -> date:
    text = str(given or "")
    ago = re.fullmatch(r"(\d{1,5})daysAgo", text)
    try:
        if text in ("today", "yesterday"):
            return today - timedelta(days=text == "yesterday")
        day = today - timedelta(days=int(ago[1])) if ago else datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise invalid(f"Invalid {name}: {text}. Use YYYY-MM-DD, NdaysAgo, yesterday or today.") from None
    if day < _FIRST_DAY:
        raise invalid(f"Invalid {name}: {text}. The first day that can be asked for is {_FIRST_DAY}.")
    return day


def _order(one: dict[str, Any], dimensions: tuple[str, ...], metrics: tuple[str, ...]) -> Order:
    by_metric, by_dimension = one.get("metric"), one.get("dimension")
    is_metric = isinstance(by_metric, dict)
    by = by_metric if isinstance(by_metric, dict) else by_dimension
    if not isinstance(by, dict):
        raise invalid("An orderBy of this sandbox names a dimension or a metric.")
    field = str(by.get("metricName" if is_metric else "dimensionName", ""))
    if field not in (metrics if is_metric else dimensions):
        raise invalid(f"Field {field} exists in OrderBy but is not defined in input dimensions or metrics list.")
    return Order(field, is_metric, bool(one.get("desc")), str(by.get("orderType") or "ALPHANUMERIC"))


def _whole(body: dict[str, Any], name: str, otherwise: int, least: int) -> int:
    """A number of 64 bits is a text in Google's JSON, and a number too."""
    given = body.get(name)
    if given is None:
        return otherwise
    if isinstance(given, bool) or not re.fullmatch(r"\d{1,18}", str(given)) or int(given) < least:
        raise invalid(f"Invalid {name}: {given}. It is a whole number from {least} on.")
    return int(given)

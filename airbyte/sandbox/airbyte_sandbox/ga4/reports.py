"""Reports: views of the asked days, grouped by the dimensions and added up to the metrics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from airbyte_sandbox.ga4.asking import Order, Question
from airbyte_sandbox.ga4.fields import DIMENSIONS, METRICS, Tally, Value
from airbyte_sandbox.ga4.filters import passes
from airbyte_sandbox.ga4.visits import View, Visit, visits
from airbyte_sandbox.world import World

_QUOTA = {
    "tokensPerDay": {"consumed": 1, "remaining": 199_999},
    "tokensPerHour": {"consumed": 1, "remaining": 39_999},
    "concurrentRequests": {"consumed": 0, "remaining": 10},
    "serverErrorsPerProjectPerHour": {"consumed": 0, "remaining": 10},
    "potentiallyThresholdedRequestsPerHour": {"consumed": 0, "remaining": 120},
    "tokensPerProjectPerHour": {"consumed": 1, "remaining": 13_999},
}


@dataclass(frozen=True)
class Row:
    """The values of the dimensions, then those of the metrics, each in the order asked for."""

    dimensions: tuple[str, ...]
    metrics: tuple[Value, ...]


def report(world: World, question: Question) -> dict[str, Any]:
    """The answer as the API gives it: without `rows` where there are none, without `rowCount` where it is zero."""
    rows = _in_order(list(_rows(world, question)), question)
    shown = rows[question.offset : question.offset + question.limit]
    ranges = ["dateRange"] if len(question.ranges) > 1 else []
    answer: dict[str, Any] = {
        "dimensionHeaders": [{"name": name} for name in (*question.dimensions, *ranges)],
        "metricHeaders": [{"name": name, "type": METRICS[name].type} for name in question.metrics],
        "rows": [_shown(row) for row in shown],
        "rowCount": len(rows),
    }
    told = {name: value for name, value in answer.items() if value}
    quota = {"propertyQuota": _QUOTA} if question.tells_quota else {}
    metadata = {"currencyCode": "USD", "timeZone": "Etc/UTC"}
    return {**told, "metadata": metadata, **quota, "kind": "analyticsData#runReport"}


def _rows(world: World, question: Question) -> Iterator[Row]:
    tallies: dict[tuple[str, ...], Tally] = defaultdict(Tally)
    getters = [DIMENSIONS[name] for name in question.dimensions]
    for name, visit, view in _views(world, question):
        if not passes(question.dimension_filter, partial(_dimension, visit, view)):
            continue
        key = tuple(get(visit, view) for get in getters)
        tallies[(*key, name) if len(question.ranges) > 1 else key].add(visit, view)
    for found, tally in tallies.items():
        metrics = tuple(METRICS[one].value(tally) for one in question.metrics)
        counts = question.keeps_empty_rows or not metrics or any(metrics)
        if counts and passes(question.metric_filter, dict(zip(question.metrics, metrics, strict=True)).get):
            yield Row(found, metrics)


def _dimension(visit: Visit, view: View, name: str) -> str | None:
    return DIMENSIONS[name](visit, view) if name in DIMENSIONS else None


def _views(world: World, question: Question) -> Iterator[tuple[str, Visit, View]]:
    for name, first, last in question.ranges:
        day = max(first, world.start)
        while day <= min(last, world.end):
            yield from ((name, visit, view) for visit in visits(world, day) for view in visit.views)
            day += timedelta(days=1)


def _in_order(rows: list[Row], question: Question) -> list[Row]:
    """As asked for; by the first metric, the greatest first, where nothing is asked for."""
    rows.sort(key=lambda row: row.dimensions)
    for order in reversed(question.orders):
        rows.sort(key=lambda row: _sorting(row, order, question), reverse=order.is_descending)
    if not question.orders and question.metrics:
        rows.sort(key=lambda row: row.metrics[0], reverse=True)
    return rows


def _sorting(row: Row, order: Order, question: Question) -> Any:
    if order.is_metric:
        return row.metrics[question.metrics.index(order.field)]
    value = row.dimensions[question.dimensions.index(order.field)]
    if order.kind == "NUMERIC":
        return float(value) if value.replace(".", "", 1).isdecimal() else float("-inf")
    return value.lower() if order.kind == "CASE_INSENSITIVE_ALPHANUMERIC" else value


def _shown(row: Row) -> dict[str, Any]:
    shown = {"dimensionValues": _values(row.dimensions), "metricValues": _values(row.metrics)}
    return {name: values for name, values in shown.items() if values}


def _values(found: Sequence[str | Value]) -> list[dict[str, str]]:
    """All values are texts; a whole number has no point."""
    return [{"value": str(int(one)) if isinstance(one, float) and one.is_integer() else str(one)} for one in found]

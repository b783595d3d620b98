"""What a connector finds in a process of its own, for tests that run several in one."""

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from airbyte_cdk.sources.declarative.interpolation import jinja
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.requesters.error_handlers.backoff_strategies import (
    wait_until_time_from_header_backoff_strategy,
)
from airbyte_cdk.sources.declarative.schema import JsonFileSchemaLoader
from airbyte_cdk.sources.streams import call_rate
from airbyte_cdk.sources.streams.concurrent.state_converters import datetime_stream_state_converter
from airbyte_cdk.sources.streams.http import rate_limiting
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.utils.constants import ENV_REQUEST_CACHE_PATH
from airbyte_cdk.utils.datetime_helpers import AirbyteDateTime
from airbyte_server.connectors.declarative import ManifestSource
from backoff import _sync as backing_off
from pyrate_limiter import TimeClock
from requests.adapters import HTTPAdapter

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
"""When the samples are read: a slice more each year would ask for what no sample has."""


@contextmanager
def standing_still(waits: list[float]) -> Iterator[None]:
    """The clock stands, what a connector would wait is noted in `waits`, and afterwards all is as it was."""
    with pytest.MonkeyPatch.context() as patch:
        _keep_what_a_connector_changes(patch)
        _stop_the_clock(patch)
        pauses = SimpleNamespace(sleep=waits.append)
        patch.setattr(rate_limiting, "time", pauses)
        patch.setattr(backing_off, "time", pauses)
        _pass_over_budgets(patch)
        _stay_here(patch)
        _work_once(patch)
        yield


def _keep_what_a_connector_changes(patch: pytest.MonkeyPatch) -> None:
    """What `confine_manifest` sets for the rest of a process."""
    name = "_get_class_from_fully_qualified_class_name"
    patch.setattr(HttpClient, "cache_filename", HttpClient.__dict__["cache_filename"])
    patch.setattr(JsonFileSchemaLoader, "get_json_schema", JsonFileSchemaLoader.__dict__["get_json_schema"])
    patch.setattr(ModelToComponentFactory, name, ModelToComponentFactory.__dict__[name])
    patch.setattr(urllib.request, "_opener", urllib.request._opener)  # type: ignore[attr-defined]
    patch.setenv("AIRBYTE_ENABLE_UNSAFE_CODE", "false")
    patch.setenv(ENV_REQUEST_CACHE_PATH, "")


def _stop_the_clock(patch: pytest.MonkeyPatch) -> None:
    def day_delta(num_days: int, format: str = "%Y-%m-%dT%H:%M:%S.%f%z") -> str:
        return (NOW + timedelta(days=num_days)).strftime(format)

    patch.setattr(datetime_stream_state_converter, "ab_datetime_now", lambda: AirbyteDateTime.from_datetime(NOW))
    for name, macro in {"now_utc": lambda: NOW, "today_utc": NOW.date, "day_delta": day_delta}.items():
        assert name in jinja._ENVIRONMENT.globals
        patch.setitem(jinja._ENVIRONMENT.globals, name, macro)


def _pass_over_budgets(patch: pytest.MonkeyPatch) -> None:
    """The clock of a budget of calls (`api_budget`) runs ahead where it would wait."""
    now = TimeClock.now
    skipped = [0.0]

    def skip(seconds: float) -> None:
        skipped[0] += seconds + 0.001

    def today() -> datetime:
        return datetime.fromtimestamp(NOW.timestamp() + skipped[0])

    dates = SimpleNamespace(now=today, fromtimestamp=datetime.fromtimestamp)
    patch.setattr(call_rate, "time", SimpleNamespace(sleep=skip))
    patch.setattr(call_rate, "datetime", SimpleNamespace(datetime=dates))
    patch.setattr(TimeClock, "now", lambda self: now(self) + int(skipped[0] * 1000))
    patch.setattr(wait_until_time_from_header_backoff_strategy, "time", SimpleNamespace(time=NOW.timestamp))


def _stay_here(patch: pytest.MonkeyPatch) -> None:
    send = HTTPAdapter.send

    def only_here(self: HTTPAdapter, request: Any, *more: Any, **others: Any) -> Any:
        assert request.url.startswith("http://127.0.0.1:"), f"asked the real API: {request.url}"
        return send(self, request, *more, **others)

    patch.setattr(HTTPAdapter, "send", only_here)


def _work_once(patch: pytest.MonkeyPatch) -> None:
    """A manifest is prepared and validated once: that takes most of a command's time."""
    resolve, prepare = ManifestReferenceResolver.preprocess_manifest, ManifestSource._pre_process_manifest
    validate = ManifestSource._validate_source
    passed: set[bytes] = set()

    def validate_once(self: ManifestSource) -> None:
        text = orjson.dumps(self._source_config)
        if text not in passed:
            validate(self)
            passed.add(text)

    def streams(source: ManifestSource) -> frozenset[str] | None:
        return None if source._wanted is None else frozenset(source._wanted)

    patch.setattr(ManifestReferenceResolver, "preprocess_manifest", _once(resolve, lambda resolver: None))
    patch.setattr(ManifestSource, "_pre_process_manifest", _once(prepare, streams))
    patch.setattr(ManifestSource, "_validate_source", validate_once)


def _once(make: Callable[[Any, Any], Any], also: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A method that makes one manifest of another, each time anew from what it made first."""
    made: dict[Any, bytes] = {}

    def once(self: Any, manifest: Any) -> Any:
        key = orjson.dumps(manifest), also(self)
        if key not in made:
            made[key] = orjson.dumps(make(self, manifest))
        return orjson.loads(made[key])

    return once

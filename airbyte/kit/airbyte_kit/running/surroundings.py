"""What a connector finds in its process: the clock, the pauses, and where its requests may go.

Each is a context: what is entered holds for this process and for each that it forks meanwhile, and is gone afterwards.
"""

import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from airbyte_cdk.sources.declarative.interpolation import jinja
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
from backoff import _sync as backing_off
from pyrate_limiter import TimeClock
from requests.adapters import HTTPAdapter

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
"""When samples are read: a slice more each year would ask for what no sample has."""

NoteWait = Callable[[float], object]


@contextmanager
def noted(note: NoteWait) -> Iterator[None]:
    """Pauses are noted, and kept."""

    def sleep(seconds: float) -> None:
        note(seconds)
        time.sleep(seconds)

    pauses = SimpleNamespace(sleep=sleep)
    with patch.object(rate_limiting, "time", pauses), patch.object(backing_off, "time", pauses):
        yield


@contextmanager
def unhurried(note: NoteWait, moment: Callable[[], float] = time.time) -> Iterator[None]:
    """Nothing is waited for: pauses are noted, and the clock of a budget of calls (`api_budget`) runs ahead."""
    pauses = SimpleNamespace(sleep=note)
    with ExitStack() as patches:
        patches.enter_context(patch.object(rate_limiting, "time", pauses))
        patches.enter_context(patch.object(backing_off, "time", pauses))
        _pass_over_budgets(patches, moment)
        yield


@contextmanager
def standing_still(note: NoteWait) -> Iterator[None]:
    """As of the samples: the clock stands, nothing is waited for, and only this machine is asked."""
    with unhurried(note, NOW.timestamp), ExitStack() as patches:
        _stop_the_clock(patches)
        _stay_here(patches)
        yield


@contextmanager
def undone() -> Iterator[None]:
    """What `confine_manifest` sets for the rest of a process is undone afterwards."""
    name = "_get_class_from_fully_qualified_class_name"
    kept = ((HttpClient, "cache_filename"), (JsonFileSchemaLoader, "get_json_schema"), (ModelToComponentFactory, name))
    environment = {"AIRBYTE_ENABLE_UNSAFE_CODE": "false", ENV_REQUEST_CACHE_PATH: ""}
    with ExitStack() as patches:
        for owner, attribute in kept:
            patches.enter_context(patch.object(owner, attribute, owner.__dict__[attribute]))
        opener = urllib.request._opener  # type: ignore[attr-defined]
        patches.enter_context(patch.object(urllib.request, "_opener", opener))
        patches.enter_context(patch.dict("os.environ", environment))
        yield


def _stop_the_clock(patches: ExitStack) -> None:
    def day_delta(num_days: int, format: str = "%Y-%m-%dT%H:%M:%S.%f%z") -> str:
        return (NOW + timedelta(days=num_days)).strftime(format)

    now = AirbyteDateTime.from_datetime(NOW)
    patches.enter_context(patch.object(datetime_stream_state_converter, "ab_datetime_now", lambda: now))
    macros = {"now_utc": lambda: NOW, "today_utc": NOW.date, "day_delta": day_delta}
    assert macros.keys() <= jinja._ENVIRONMENT.globals.keys()
    patches.enter_context(patch.dict(jinja._ENVIRONMENT.globals, macros))


def _pass_over_budgets(patches: ExitStack, moment: Callable[[], float]) -> None:
    now: Callable[[TimeClock], int] = TimeClock.now
    skipped = [0.0]

    def skip(seconds: float) -> None:
        skipped[0] += seconds + 0.001

    def today() -> datetime:
        return datetime.fromtimestamp(moment() + skipped[0])

    dates = SimpleNamespace(now=today, fromtimestamp=datetime.fromtimestamp)
    patches.enter_context(patch.object(call_rate, "time", SimpleNamespace(sleep=skip)))
    patches.enter_context(patch.object(call_rate, "datetime", SimpleNamespace(datetime=dates)))
    patches.enter_context(patch.object(TimeClock, "now", lambda self: now(self) + int(skipped[0] * 1000)))
    clock = SimpleNamespace(time=moment)
    patches.enter_context(patch.object(wait_until_time_from_header_backoff_strategy, "time", clock))


def _stay_here(patches: ExitStack) -> None:
    send = HTTPAdapter.send

    def only_here(self: HTTPAdapter, request: Any, *more: Any, **others: Any) -> Any:
        assert request.url.startswith("http://127.0.0.1:"), f"asked the real API: {request.url}"
        return send(self, request, *more, **others)

    patches.enter_context(patch.object(HTTPAdapter, "send", only_here))

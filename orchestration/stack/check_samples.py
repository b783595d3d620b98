"""Checks of what samples leave behind when their run is killed, in Airbyte and in the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from orchestration.settings import Settings
from orchestration.stack.check_tenants import Outcome, engine_of
from orchestration.stack.endpoints import FILE_NAME, load_endpoints

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from orchestration.resources.airbyte_client import AirbyteClient


def samples(settings: Settings) -> Iterator[Outcome]:
    """No sample outlives its run; one that does is named, with its tenant."""
    from orchestration.tenancy.sample_leftovers import find_leftovers

    reached = _reached(settings)
    if reached is None:
        return
    found = find_leftovers(*reached, older_than=timedelta(seconds=settings.sample_seconds))
    for tenant, left in found.items():
        sentence = f"A run of {tenant} was killed and left of its sample: {', '.join(left)}."
        yield False, sentence, "Run `sluice doctor --repair`; the tenant's next run removes it too."
    if not found:
        yield True, "No sample outlived its run.", ""


def sweep(settings: Settings) -> Iterator[Outcome]:
    """Remove what `samples` finds, and say what went."""
    from orchestration.tenancy.sample_leftovers import sweep_leftovers

    reached = _reached(settings)
    if reached is None:
        return
    swept = sweep_leftovers(*reached, older_than=timedelta(seconds=settings.sample_seconds))
    for tenant, gone in swept.items():
        yield True, f"Removed what a killed run of {tenant} left of its sample: {', '.join(gone)}.", ""


def _reached(settings: Settings) -> tuple[Engine, AirbyteClient] | None:
    """The warehouse and the Airbyte; None where one is down, which other checks say."""
    from orchestration.resources.airbyte_client import AirbyteClient
    from orchestration.stack import check_services

    engine = engine_of(settings)
    is_known = (settings.home / FILE_NAME).exists()
    if engine is None or not is_known or not all(ok for ok, _, _ in check_services.airbyte(settings)):
        return None
    return engine, AirbyteClient(lambda: load_endpoints(settings.home))

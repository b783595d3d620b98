"""The sandbox's accounts, asked for over HTTP as any program would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from analysis.errors import PermanentError, RetryableError

SEEDS = {"acme": 7, "globex": 11}
CUSTOMERS, DAYS = 60, 60
"""How many people an account's world has, and how many days lie before the first sync."""


class Accounts:
    """The accounts of one running sandbox."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/sandbox/accounts", trust_env=False, timeout=60)

    def open(self, name: str, *, is_published: bool) -> dict[str, Any]:
        """The account, made if it is absent; for a tenant that has no release yet it ends on the day before yesterday.

        What a release was built from is there for ever: its account goes on with the calendar.
        """
        found, yesterday = self.find(name), datetime.now(UTC).date() - timedelta(days=1)
        end = None if is_published else (yesterday - timedelta(days=1)).isoformat()
        if found is None:
            start = (yesterday - timedelta(days=DAYS)).isoformat()
            self._put(name, {"seed": SEEDS.get(name, 1), "customers": CUSTOMERS, "start": start, "end": end})
        elif found["end"] is None and not is_published:
            self._put(name, {"end": end})
        opened = self.find(name)
        if opened is None:
            raise RetryableError("The sandbox forgot an account at once; see its log, then run again.", account=name)
        return opened

    def let_a_day_pass(self, name: str) -> bool:
        """Let the account's world go on until yesterday, from now on with the calendar; False where it does already."""
        found = self.find(name) or {}
        if found.get("end") is None:
            return False
        self._put(name, {"end": None})
        return True

    def find(self, name: str) -> dict[str, Any] | None:
        """The account's settings with the configurations of its connectors, None where there is none."""
        answer = self._ask("GET", f"/{name}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else dict(answer.json())

    def _put(self, name: str, settings: Mapping[str, object]) -> None:
        self._ask("PUT", f"/{name}", settings)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RetryableError("The sandbox did not answer; see `sluice doctor`.", reason=str(error)) from error
        if answer.is_error and answer.status_code != httpx.codes.NOT_FOUND:
            raise PermanentError("The sandbox refused what the demo asked; see its log.", status=answer.status_code)
        return answer

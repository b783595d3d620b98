"""One login to an Airbyte: its addresses, plain HTTP, and the SDK over the same connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_http import open_client
from orchestration.resources.airbyte_paging import read_pages
from orchestration.resources.airbyte_retries import Patience
from orchestration.stack.endpoints import Endpoints

if TYPE_CHECKING:
    import httpx
    from airbyte_api import AirbyteAPI


REST_PATH = "/api/public/v1"


@dataclass(frozen=True)
class Login:
    """Root of an Airbyte, and the application that asks."""

    airbyte_url: str
    airbyte_client_id: str
    airbyte_client_secret: str = field(repr=False)


class AirbyteSession:
    """Talks to the Airbyte of the running stack; connects on first use, never at construction."""

    def __init__(
        self, load: Callable[[], Endpoints | Login], *, timeout: float = 120.0, patience: Patience | None = None
    ) -> None:
        self._load = load
        self._timeout, self._patience = timeout, patience

    @cached_property
    def _login(self) -> Endpoints | Login:
        return self._load()

    @property
    def root_url(self) -> str:
        """Where Airbyte answers, without a path."""
        return self._login.airbyte_url.rstrip("/")

    @property
    def rest_url(self) -> str:
        """Base of the public API."""
        return f"{self.root_url}{REST_PATH}"

    @property
    def config_url(self) -> str:
        """Base of the config API."""
        return f"{self.root_url}/api/v1"

    @property
    def poll_seconds(self) -> float:
        """Pause between two looks at a running job: short on this machine, gentle elsewhere."""
        return 0.4 if "//127.0.0.1:" in self.rest_url else 5.0

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The JSON that Airbyte answers, None where it answers nothing; `path` is under `rest_url` or a whole URL."""
        url = path if path.startswith(f"{self.root_url}/") else f"{self.rest_url}{path}"
        answer = self._http.request(method, url, json=json, params=params, timeout=timeout or self._timeout)
        return answer.json() if answer.content else None

    @cached_property
    def _http(self) -> httpx.Client:
        login = self._login
        credentials = login.airbyte_client_id, login.airbyte_client_secret
        return open_client(self.rest_url, *credentials, self._timeout, self._patience)

    @cached_property
    def _sdk(self) -> AirbyteAPI:
        from airbyte_api import AirbyteAPI

        return AirbyteAPI(server_url=self.rest_url, client=self._http)

    def _ask(self, operation: Callable[..., Any], request: Any, **options: Any) -> Any:
        """The JSON of an SDK's operation, as Airbyte wrote it."""
        from airbyte_api import errors

        try:
            response: httpx.Response = operation(request=request, **options).raw_response
        except errors.ResponseValidationError as error:
            # An Airbyte older or newer than the SDK: what is read here is there, whatever else its models ask for.
            response = error.raw_response
        except errors.SDKError as error:
            raise RetryableError(
                "Airbyte answered in a way that its SDK does not know; try again.", status=error.status_code
            ) from error
        return response.json() if response.content else None

    def _pages(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        """A whole list by plain HTTP."""
        return read_pages(lambda page: self.call("GET", path, params={**params, **page}), path, key)

    def _listed(self, operation: Callable[..., Any], path: str, key: str, **request: Any) -> list[dict[str, Any]]:
        """A whole list by the SDK."""
        return read_pages(lambda page: self._ask(operation, {**request, **page}), path, key)


def is_gone(error: PermanentError) -> bool:
    """Whether Airbyte refused because there is no such thing."""
    return error.keys.get("status") == 404

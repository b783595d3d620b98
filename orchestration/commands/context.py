"""What commands work with: the warehouse and the Airbyte of this home's stack."""

from functools import cache

from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import load_settings
from orchestration.stack.endpoints import load_endpoints


@cache
def warehouse() -> Warehouse:
    """The warehouse; connects on first use."""
    settings = load_settings()
    return Warehouse(settings, lambda: load_endpoints(settings.home))


@cache
def airbyte() -> AirbyteClient:
    """The Airbyte; connects on first use."""
    home = load_settings().home
    return AirbyteClient(lambda: load_endpoints(home))

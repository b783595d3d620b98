"""The tools of the sandbox: each a set of streams and the code that fills them."""

from collections.abc import Callable
from dataclasses import dataclass

from airbyte_sandbox.github import streams as development_shapes
from airbyte_sandbox.github.development import development_streams
from airbyte_sandbox.schema import Record, Stream
from airbyte_sandbox.shopify import streams as shop_shapes
from airbyte_sandbox.shopify.shop import shop_streams
from airbyte_sandbox.stripe import streams as payments_shapes
from airbyte_sandbox.stripe.payments import payment_streams
from airbyte_sandbox.world import World


@dataclass(frozen=True)
class Tool:
    """One tool: what its catalog says, and its records in a world."""

    streams: tuple[Stream, ...]
    records: Callable[[World], dict[str, list[Record]]]


TOOLS = {
    "stripe": Tool(payments_shapes.STREAMS, payment_streams),
    "github": Tool(development_shapes.STREAMS, development_streams),
    "shopify": Tool(shop_shapes.STREAMS, shop_streams),
}

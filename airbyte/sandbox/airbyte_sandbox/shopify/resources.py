"""The lists of the API: each whole, as a count and by id, with its pages, fields and drifts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Handler, Reply
from airbyte_sandbox.shopify import rows
from airbyte_sandbox.shopify.paging import cut_page, filtered, refused
from airbyte_sandbox.shopify.rows import Row
from airbyte_sandbox.world import World

VERSION = "2025-10"
CALLS_MADE = "X-Shopify-Shop-Api-Call-Limit"
HEADERS = {CALLS_MADE: "1/40", "X-Shopify-API-Version": VERSION}
NOT_FOUND = "Not Found"


@dataclass(frozen=True)
class Resource:
    """One list of the API."""

    path: str
    """Below the version, and what the list is called in an answer."""
    one: str
    """What a single one is called."""
    stream: str
    all_rows: Callable[[World], Sequence[Row]]
    defaults: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, str] = field(default_factory=dict)
    """Lists inside its records, and the streams that they are."""


_OPEN = {"status": "open"}
RESOURCES = (
    Resource("orders", "order", "orders", rows.order_rows, _OPEN, {"refunds": "order_refunds"}),
    Resource("customers", "customer", "customers", rows.customer_rows),
    Resource("products", "product", "products", rows.product_rows, nested={"variants": "product_variants"}),
    Resource("collects", "collect", "collects", rows.collect_rows),
    Resource("custom_collections", "custom_collection", "custom_collections", rows.custom_collection_rows),
    Resource("smart_collections", "smart_collection", "smart_collections", rows.smart_collection_rows),
    Resource("draft_orders", "draft_order", "draft_orders", rows.draft_rows),
    Resource("checkouts", "checkout", "abandoned_checkouts", rows.checkout_rows, _OPEN),
    Resource("price_rules", "price_rule", "price_rules", rows.rule_rows),
)


def answer(call: Call, key: str, body: Record | Sequence[Record], link: str | None = None) -> Reply:
    """One record or a list under its name."""
    return Reply(200, {key: _chosen(call, body)}, {**HEADERS, **({"Link": link} if link else {})})


def _chosen(call: Call, body: Record | Sequence[Record]) -> Record | Sequence[Record]:
    """The fields that are asked for, all without `fields`."""
    names = [name.strip() for name in (call.one("fields") or "").split(",") if name.strip()]
    if not names:
        return body
    if isinstance(body, dict):
        return {name: value for name, value in body.items() if name in names}
    return [{name: value for name, value in record.items() if name in names} for record in body]


def _drifted(call: Call, resource: Resource, records: Sequence[Record]) -> list[Record]:
    for name, stream in resource.nested.items():
        records = [{**record, name: call.account.drifted("shopify", stream, record[name])} for record in records]
    return call.account.drifted("shopify", resource.stream, records)


def listed(call: Call, resource: Resource, found: Sequence[Row]) -> Reply:
    """The page of these rows that is asked for."""
    page = cut_page(call, found, resource.defaults)
    records = _drifted(call, resource, [row.record() for row in page.rows])
    return answer(call, resource.path, records, page.link)


def routes_of(resource: Resource) -> dict[str, Handler]:
    """Its paths below the version."""

    def all_of(call: Call) -> Reply:
        return listed(call, resource, resource.all_rows(call.account.world))

    def count(call: Call) -> Reply:
        asked = {name: values[-1] for name, values in call.query.items()}
        found = filtered(resource.all_rows(call.account.world), {**resource.defaults, **asked})
        return Reply(200, {"count": len(found)}, HEADERS)

    def one(call: Call) -> Reply:
        wanted = call.path_parameters["id"]
        found = next((row for row in resource.all_rows(call.account.world) if str(row.id) == wanted), None)
        if not found:
            raise refused(404, NOT_FOUND)
        return answer(call, resource.one, _drifted(call, resource, [found.record()])[0])

    return {f"{resource.path}.json": all_of, f"{resource.path}/count.json": count, f"{resource.path}/{{id}}.json": one}

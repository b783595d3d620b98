"""What each resource lists: ids, moments and facts to filter by, with a way to the whole record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby

from airbyte_sandbox.people import population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify import baskets, campaigns, collection_records, rule_records, shop_records, stock_records
from airbyte_sandbox.shopify.basket_records import checkout_record, draft_record, draft_status
from airbyte_sandbox.shopify.customer_records import customer_record
from airbyte_sandbox.shopify.order_records import order_record
from airbyte_sandbox.shopify.sales import Order, customer_id, orders, orders_by_person
from airbyte_sandbox.shopify.shelves import articles, restocked_at
from airbyte_sandbox.world import World


@dataclass(frozen=True)
class Row:
    """One thing of a list; its record is made when it is on a page."""

    id: int
    created_at: datetime
    updated_at: datetime
    record: Callable[[], Record]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What a query can ask for by equality."""


@lru_cache(maxsize=4)
def order_rows(world: World) -> Sequence[Row]:
    """The orders."""
    return [
        Row(
            order.id,
            order.placed_at,
            order.updated_at(world.horizon),
            partial(order_record, world, order),
            _facts(world, order),
        )
        for order in orders(world)
    ]


def _facts(world: World, order: Order) -> dict[str, str]:
    standing = order.standing(world.horizon)
    status = "cancelled" if standing.cancelled else "closed" if standing.shipped else "open"
    return {
        "status": status,
        "financial_status": "refunded" if standing.back else "paid",
        "fulfillment_status": "shipped" if standing.shipped else "unshipped",
    }


@lru_cache(maxsize=4)
def customer_rows(world: World) -> Sequence[Row]:
    """The customers."""
    known = orders_by_person(world)
    return [
        Row(
            customer_id(person),
            person.joined_at,
            known[person.number][-1].placed_at if person.number in known else person.joined_at,
            partial(customer_record, world, person),
        )
        for person in population(world)
        if person.shops
    ]


@lru_cache(maxsize=4)
def product_rows(world: World) -> Sequence[Row]:
    """The products."""
    groups = [list(group) for _, group in groupby(articles(world), key=lambda article: article.product)]
    return [
        Row(
            group[0].product_id,
            stock_records.came_at(group[0]),
            restocked_at(world, group[0]),
            partial(stock_records.product_record, world, group),
            {"vendor": group[0].vendor, "product_type": group[0].kind, "status": "active"},
        )
        for group in groups
    ]


@lru_cache(maxsize=4)
def variant_rows(world: World) -> Sequence[Row]:
    """The variants of all products."""
    return [
        Row(
            article.variant_id,
            stock_records.came_at(article),
            restocked_at(world, article),
            partial(stock_records.variant_record, world, article),
            {"product_id": str(article.product_id)},
        )
        for article in articles(world)
    ]


@lru_cache(maxsize=4)
def item_rows(world: World) -> Sequence[Row]:
    """What is counted in stock."""
    return [
        Row(
            article.inventory_item_id,
            stock_records.came_at(article),
            stock_records.cost_changed_at(world, article),
            partial(stock_records.item_record, world, article),
        )
        for article in articles(world)
    ]


@lru_cache(maxsize=4)
def level_rows(world: World) -> Sequence[Row]:
    """How many there are of each item at each place; the id is for paging alone."""
    return [
        Row(
            article.inventory_item_id * 2 + place,
            stock_records.came_at(article),
            restocked_at(world, article),
            partial(stock_records.level_record, world, article, location),
            {"location_ids": str(location), "inventory_item_ids": str(article.inventory_item_id)},
        )
        for article in articles(world)
        for place, location in enumerate((stock_records.WAREHOUSE, stock_records.SHOWROOM))
    ]


def custom_collection_rows(world: World) -> Sequence[Row]:
    """The collections that are put together by hand."""
    return [_collection(world, found) for found in collection_records.CUSTOM]


def smart_collection_rows(world: World) -> Sequence[Row]:
    """The collections that choose by rules."""
    return [_collection(world, found) for found in collection_records.SMART]


def _collection(world: World, found: collection_records.Collection) -> Row:
    made, changed = shop_records.founded_at(world), collection_records.collection_changed_at(world, found)
    return Row(found.id, made, changed, partial(collection_records.collection_record, world, found))


def collect_rows(world: World) -> Sequence[Row]:
    """Which product is in which collection by hand."""
    found = [
        Row(
            collection_records.collect_id(collection, article),
            stock_records.came_at(article),
            stock_records.came_at(article),
            partial(collection_records.collect_record, collection, article),
            {"collection_id": str(collection.id), "product_id": str(article.product_id)},
        )
        for collection in collection_records.CUSTOM
        for article in collection.articles(world)
    ]
    return sorted(found, key=lambda row: row.id)


@lru_cache(maxsize=4)
def draft_rows(world: World) -> Sequence[Row]:
    """The draft orders."""
    return [
        Row(
            draft.id,
            draft.created_at,
            draft.updated_at(world.horizon),
            partial(draft_record, world, draft),
            {"status": draft_status(world, draft)},
        )
        for draft in baskets.drafts(world)
    ]


@lru_cache(maxsize=4)
def checkout_rows(world: World) -> Sequence[Row]:
    """The checkouts that were left."""
    return [
        Row(
            checkout.id,
            checkout.created_at,
            checkout.updated_at(world.horizon),
            partial(checkout_record, world, checkout),
            {"status": "closed" if checkout.closed_at and checkout.closed_at <= world.horizon else "open"},
        )
        for checkout in baskets.checkouts(world)
    ]


def rule_rows(world: World) -> Sequence[Row]:
    """The price rules."""
    return [
        Row(rule.id, rule.starts_at, rule.starts_at, partial(rule_records.rule_record, rule))
        for rule in campaigns.rules(world)
    ]


def code_rows(world: World, rule: campaigns.Rule) -> Sequence[Row]:
    """The codes of one price rule."""
    return [
        Row(
            code.id,
            code.created_at,
            rule_records.code_changed_at(world, code),
            partial(rule_records.code_record, world, rule, code),
        )
        for code in rule.codes
    ]

"""Products, variants and what is counted of them at each place."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.money import Amount, cents
from airbyte_sandbox.shopify.shelves import Article, restocked_at, stock
from airbyte_sandbox.shopify.stamps import graphql_id, stamp
from airbyte_sandbox.world import World

WAREHOUSE, SHOWROOM = 94_210_130_230, 94_210_195_766


def came_at(article: Article) -> datetime:
    """When it was put on the shelves for the first time."""
    return datetime.combine(article.since, time(8), UTC)


def product_record(world: World, options: Sequence[Article]) -> Record:
    """A product with its variants, of which there are as many as options."""
    first = options[0]
    created = stamp(came_at(first))
    return {
        "id": first.product_id,
        "title": first.title,
        "body_html": f"<p>{first.title}, made by {first.vendor}.</p>",
        "vendor": first.vendor,
        "product_type": first.kind,
        "created_at": created,
        "handle": first.title.lower().replace(" ", "-"),
        "updated_at": stamp(restocked_at(world, first)),
        "published_at": created,
        "template_suffix": None,
        "published_scope": "web",
        "tags": first.kind.lower(),
        "status": "active",
        "admin_graphql_api_id": graphql_id("Product", first.product_id),
        "variants": [variant_record(world, article) for article in options],
        "options": [
            {
                "id": first.product_id + 1,
                "product_id": first.product_id,
                "name": "Kind",
                "position": 1,
                "values": [article.option for article in options],
            }
        ],
        "images": [],
        "image": None,
    }


def variant_record(world: World, article: Article) -> Record:
    """One option of a product; its quantity is what all places have together."""
    restocked = restocked_at(world, article)
    quantity = stock(article, restocked)
    return {
        "id": article.variant_id,
        "product_id": article.product_id,
        "title": article.option,
        "price": Amount(cents(article.price), 0).text,
        "position": article.place,
        "inventory_policy": "deny",
        "compare_at_price": None,
        "option1": article.option,
        "option2": None,
        "option3": None,
        "created_at": stamp(came_at(article)),
        "updated_at": stamp(restocked),
        "taxable": True,
        "barcode": f"40{article.product:05}{article.place:06}",
        "fulfillment_service": "manual",
        "grams": article.grams,
        "inventory_management": "shopify",
        "requires_shipping": True,
        "sku": article.sku,
        "weight": article.grams / 1000,
        "weight_unit": "kg",
        "inventory_item_id": article.inventory_item_id,
        "inventory_quantity": quantity,
        "old_inventory_quantity": quantity,
        "admin_graphql_api_id": graphql_id("ProductVariant", article.variant_id),
        "image_id": None,
    }


def cost_changed_at(world: World, article: Article) -> datetime:
    """What the maker asks changes each 54th day, an hour after the shelves were filled."""
    days = (world.end - article.since).days // 54 * 54
    return came_at(article) + timedelta(days=days, hours=1 if days else 0)


def item_record(world: World, article: Article) -> Record:
    """What is counted in stock, with what it costs the shop."""
    changed = cost_changed_at(world, article)
    rounds = (changed - came_at(article)).days // 54
    cost = cents(article.price) * (42 + rounds) // 100
    return {
        "id": article.inventory_item_id,
        "sku": article.sku,
        "created_at": stamp(came_at(article)),
        "updated_at": stamp(changed),
        "requires_shipping": True,
        "cost": Amount(cost, 0).text,
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "tracked": True,
        "country_harmonized_system_codes": [],
        "admin_graphql_api_id": graphql_id("InventoryItem", article.inventory_item_id),
    }


def level_record(world: World, article: Article, location: int) -> Record:
    """How many are at one of the two places; a few are in the showroom."""
    restocked = restocked_at(world, article)
    shown = 2 + article.place
    level = f"{graphql_id('InventoryLevel', location)}?inventory_item_id={article.inventory_item_id}"
    return {
        "inventory_item_id": article.inventory_item_id,
        "location_id": location,
        "available": shown if location == SHOWROOM else stock(article, restocked) - shown,
        "updated_at": stamp(restocked),
        "admin_graphql_api_id": level,
    }

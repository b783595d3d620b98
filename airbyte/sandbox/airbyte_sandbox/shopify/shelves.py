"""What the shop has on its shelves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

_PRODUCT_BASE, _VARIANT_BASE = 8_900_000_000_000, 47_400_000_000_000
# title, kind, maker, price in dollars, options, days after the start it came
_PRODUCTS: tuple[tuple[str, str, str, float, tuple[str, ...], int], ...] = (
    ("Linen Notebook", "Stationery", "Quillfeather", 14.5, ("Ruled", "Plain"), -400),
    ("Brass Pen", "Stationery", "Quillfeather", 32.0, ("Black", "Blue"), -400),
    ("Desk Lamp", "Home", "Northbeam", 79.0, ("Warm", "Cold"), -380),
    ("Wool Blanket", "Home", "Thistledown", 119.0, ("Grey", "Green"), -350),
    ("Ceramic Mug", "Kitchen", "Saltmarsh", 18.0, ("Small", "Large"), -350),
    ("Coffee Beans", "Food", "Saltmarsh", 16.9, ("250 g", "1 kg"), -300),
    ("Canvas Bag", "Bags", "Acorn", 45.0, ("Natural", "Black"), -260),
    ("Bicycle Bell", "Outdoor", "Riverstone", 24.9, ("Chrome",), -200),
    ("Rain Jacket", "Clothing", "Meadowlark", 139.0, ("S", "M", "L"), -150),
    ("Travel Flask", "Outdoor", "Riverstone", 29.9, ("Steel", "White"), -90),
    ("Board Game", "Games", "Lanternfish", 49.0, ("English", "German"), 35),
    ("Herb Garden", "Home", "Juniper", 38.5, ("Basil", "Mint"), 80),
)
_OPTION_FACTOR = {"1 kg": 3.2, "Large": 1.25}


@dataclass(frozen=True)
class Article:
    """One option of one product: what an order's line is about."""

    product: int
    place: int
    option: str
    since: date

    @property
    def product_id(self) -> int:
        """The id of the product."""
        return _PRODUCT_BASE + self.product * 65_536

    @property
    def variant_id(self) -> int:
        """The id of this option of it."""
        return _VARIANT_BASE + self.product * 65_536 + self.place

    @property
    def inventory_item_id(self) -> int:
        """The id of what is counted in its stock."""
        return self.variant_id + 10**12

    @property
    def kind(self) -> str:
        """What the product is."""
        return _PRODUCTS[self.product][1]

    @property
    def title(self) -> str:
        """The product's title."""
        return _PRODUCTS[self.product][0]

    @property
    def vendor(self) -> str:
        """Who makes it."""
        return _PRODUCTS[self.product][2]

    @property
    def price(self) -> float:
        """The price in dollars."""
        return round(_PRODUCTS[self.product][3] * _OPTION_FACTOR.get(self.option, 1.0), 2)

    @property
    def sku(self) -> str:
        """The stock keeping unit."""
        return f"{self.title[:3].upper()}-{self.product:02}-{self.place}"

    @property
    def grams(self) -> int:
        """The weight."""
        return 120 + 90 * self.product


def articles(world: World) -> tuple[Article, ...]:
    """Everything that is on the shelves by the last day, in order of its coming."""
    return tuple(
        Article(number, place, option, world.start + timedelta(days=after))
        for number, (_, _, _, _, options, after) in enumerate(_PRODUCTS)
        for place, option in enumerate(options, start=1)
        if world.start + timedelta(days=after) <= world.end
    )


def product_records(world: World, shop_url: str) -> list[Record]:
    """The products with their options nested."""
    grouped = groupby(articles(world), key=lambda article: article.product)
    return [_product(world, shop_url, list(options)) for _, options in grouped]


def _product(world: World, shop_url: str, options: list[Article]) -> Record:
    first = options[0]
    created = f"{first.since.isoformat()}T08:00:00+00:00"
    restocked = restocked_at(world, first)
    handle = first.title.lower().replace(" ", "-")
    return {
        "id": first.product_id,
        "admin_graphql_api_id": f"gid://shopify/Product/{first.product_id}",
        "title": first.title,
        "body_html": f"<p>{first.title}, made by {first.vendor}.</p>",
        "vendor": first.vendor,
        "product_type": first.kind,
        "handle": handle,
        "status": "active",
        "tags": first.kind.lower(),
        "published_scope": "web",
        "template_suffix": None,
        "shop_url": shop_url,
        "created_at": created,
        "updated_at": restocked.isoformat(),
        "published_at": created,
        "variants": [_variant(article, created, restocked) for article in options],
        "options": [
            {
                "id": first.product_id + 1,
                "product_id": first.product_id,
                "position": 1,
                "name": "Kind",
                "values": [article.option for article in options],
            },
        ],
        "images": [],
    }


def _variant(article: Article, created: str, restocked: datetime) -> Record:
    quantity = stock(article, restocked)
    return {
        "id": article.variant_id,
        "admin_graphql_api_id": f"gid://shopify/ProductVariant/{article.variant_id}",
        "title": article.option,
        "sku": article.sku,
        "option1": article.option,
        "inventory_policy": "deny",
        "inventory_management": "shopify",
        "fulfillment_service": "manual",
        "position": article.place,
        "inventory_item_id": article.inventory_item_id,
        "inventory_quantity": quantity,
        "old_inventory_quantity": quantity,
        "grams": article.grams,
        "created_at": created,
        "updated_at": restocked.isoformat(),
        "price": article.price,
        "compare_at_price": None,
        "taxable": True,
        "requires_shipping": True,
    }


def restocked_at(world: World, article: Article) -> datetime:
    """When it was last put on the shelves: on its first day and each ninth after it."""
    days = (world.end - article.since).days // 9 * 9
    return datetime.combine(article.since, time(8), UTC) + timedelta(days=days)


def stock(article: Article, restocked: datetime) -> int:
    """How many there are of it since then."""
    return 40 + restocked.day + article.place

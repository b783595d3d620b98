"""Collections, by hand and by rule, and which product is in which."""

from dataclasses import dataclass
from datetime import datetime

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.shelves import Article, articles
from airbyte_sandbox.shopify.shop_records import founded_at
from airbyte_sandbox.shopify.stamps import graphql_id, stamp
from airbyte_sandbox.shopify.stock_records import came_at
from airbyte_sandbox.world import World

_COLLECTION_BASE, _COLLECT_BASE = 466_392_000_000, 36_100_000_000_000


@dataclass(frozen=True)
class Collection:
    """Products under one title: chosen by hand, or by their kind."""

    number: int
    title: str
    products: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        """The id, whichever of the two it is."""
        return _COLLECTION_BASE + self.number * 32_768

    def articles(self, world: World) -> list[Article]:
        """The first option of each of its products that has come."""
        chosen = (found for found in articles(world) if found.place == 1)
        return [found for found in chosen if found.product in self.products or found.kind in self.kinds]


CUSTOM = (
    Collection(0, "Home page", products=(0, 2, 5, 6, 9, 10)),
    Collection(1, "Gifts under 50", products=(0, 1, 4, 7, 10, 11)),
)
SMART = (
    Collection(2, "Home and kitchen", kinds=("Home", "Kitchen")),
    Collection(3, "Outdoor", kinds=("Outdoor",)),
    Collection(4, "Stationery", kinds=("Stationery",)),
)


def collection_changed_at(world: World, collection: Collection) -> datetime:
    """When its last product came."""
    return max([founded_at(world), *(came_at(article) for article in collection.articles(world))])


def collection_record(world: World, collection: Collection) -> Record:
    """A collection; one that chooses by kind says so in its rules."""
    rules = [{"column": "type", "relation": "equals", "condition": kind} for kind in collection.kinds]
    return {
        "id": collection.id,
        "handle": collection.title.lower().replace(" ", "-"),
        "title": collection.title,
        "updated_at": stamp(collection_changed_at(world, collection)),
        "body_html": None,
        "published_at": stamp(founded_at(world)),
        "sort_order": "best-selling",
        "template_suffix": None,
        "published_scope": "web",
        "admin_graphql_api_id": graphql_id("Collection", collection.id),
        **({"disjunctive": len(rules) > 1, "rules": rules} if rules else {}),
    }


def collect_id(collection: Collection, article: Article) -> int:
    """Products that come later have greater ones, so that `since_id` finds them."""
    return _COLLECT_BASE + article.product * 1024 + collection.number


def collect_record(collection: Collection, article: Article) -> Record:
    """That a product is in a collection, by hand and for good."""
    position = collection.products.index(article.product) + 1
    return {
        "id": collect_id(collection, article),
        "collection_id": collection.id,
        "product_id": article.product_id,
        "created_at": stamp(came_at(article)),
        "updated_at": stamp(came_at(article)),
        "position": position,
        "sort_value": f"{position:010}",
    }

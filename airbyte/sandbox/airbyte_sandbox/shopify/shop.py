"""The shop: customers, what is on its shelves, and orders that are shipped, cancelled or paid back later."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from airbyte_sandbox.anomalies import factor
from airbyte_sandbox.people import Person, known_before, population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.shelves import Article, articles, product_records
from airbyte_sandbox.world import World, moments, poisson

SHOP_URL = "sandbox-shop.example"
_ORDERS_PER_CUSTOMER = 0.16
_WEEK = (0.85, 0.8, 0.85, 0.95, 1.1, 1.3, 1.25)
_CUSTOMER_BASE, _ORDER_BASE, _LINE_BASE, _REFUND_BASE = 6_100_000_000_000, 5_200_000_000_000, 13 * 10**12, 9 * 10**11


@dataclass(frozen=True)
class Order:
    """One order and its planned fate; what lies after the horizon does not show."""

    sequence: int
    person: Person
    lines: tuple[tuple[Article, int], ...]
    discount: float
    shipping: float
    placed_at: datetime
    shipped_at: datetime
    cancelled_at: datetime | None
    refunded_at: datetime | None

    @property
    def id(self) -> int:
        """The order's id; later orders have greater ones."""
        return _ORDER_BASE + self.sequence * 131_072

    @property
    def items_price(self) -> float:
        """The price of the lines before discount."""
        return round(sum(article.price * quantity for article, quantity in self.lines), 2)

    @property
    def subtotal(self) -> float:
        """The price of the lines after discount."""
        return round(self.items_price - self.discount, 2)

    @property
    def tax(self) -> float:
        """The tax on the subtotal, not contained in it."""
        return round(self.subtotal * self.person.country.tax, 2)

    @property
    def total(self) -> float:
        """What the customer pays, in the shop's currency."""
        return round(self.subtotal + self.tax + self.shipping, 2)


def shop_streams(world: World) -> dict[str, list[Record]]:
    """Every stream of the shop as it is on the world's last day, oldest record first."""
    orders = [order for order in _orders(world)]
    by_person: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        by_person[order.person.number].append(order)
    shoppers = [person for person in population(world) if person.shops]
    return {
        "customers": [_customer(person, by_person[person.number]) for person in shoppers],
        "orders": [_order_record(order, world.horizon) for order in orders],
        "products": product_records(world, SHOP_URL),
    }


def _orders(world: World) -> Iterator[Order]:
    sequence = 0
    for day in world.days():
        for order in _orders_of_day(world, day, sequence):
            sequence += 1
            yield order


def _orders_of_day(world: World, day: date, sequence: int) -> Iterator[Order]:
    shoppers = [person for person in known_before(world, day) if person.shops]
    if not shoppers:
        return
    dice = world.dice("orders", day)
    mean = len(shoppers) * _ORDERS_PER_CUSTOMER * _WEEK[day.weekday()] * world.growth(day)
    count = poisson(dice, mean * factor(world, "order_count", day))
    shelf = [article for article in articles(world) if article.since <= day]
    buyers = dice.choices(shoppers, weights=[person.loyalty for person in shoppers], k=count)
    for offset, (person, at) in enumerate(zip(buyers, moments(dice, day, count), strict=True)):
        yield _order(dice, person, at, shelf, sequence + offset)


def _order(dice: Random, person: Person, at: datetime, shelf: Sequence[Article], sequence: int) -> Order:
    chosen = dice.sample(shelf, k=dice.choice((1, 1, 1, 2, 2, 3)))
    lines = tuple((article, dice.choice((1, 1, 1, 2, 3))) for article in chosen)
    price = sum(article.price * quantity for article, quantity in lines)
    fate = dice.random()
    return Order(
        sequence=sequence,
        person=person,
        lines=lines,
        discount=round(price * 0.1, 2) if dice.random() < 0.15 else 0.0,
        shipping=0.0 if price > 60 else 5.9,
        placed_at=at,
        shipped_at=at + timedelta(seconds=dice.randrange(6 * 3600, 4 * 86_400)),
        cancelled_at=at + timedelta(seconds=dice.randrange(600, 5 * 3600)) if fate < 0.015 else None,
        refunded_at=at + timedelta(seconds=dice.randrange(5 * 86_400, 21 * 86_400)) if fate > 0.95 else None,
    )


def _order_record(order: Order, horizon: datetime) -> Record:
    past = [at for at in (order.shipped_at, order.cancelled_at, order.refunded_at) if at and at <= horizon]
    cancelled = order.cancelled_at if order.cancelled_at in past else None
    refunded = order.refunded_at if order.refunded_at in past and not order.cancelled_at else None
    shipped = order.shipped_at if order.shipped_at in past and not order.cancelled_at else None
    person, country = order.person, order.person.country
    back = cancelled or refunded
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "name": f"#{1001 + order.sequence}",
        "number": 1 + order.sequence,
        "order_number": 1001 + order.sequence,
        "app_id": 580111,
        "email": person.email,
        "contact_email": person.email,
        "currency": "USD",
        "presentment_currency": country.currency.upper(),
        "shop_url": SHOP_URL,
        "financial_status": "refunded" if back else "paid",
        "fulfillment_status": "fulfilled" if shipped else None,
        "cancel_reason": "customer" if cancelled else None,
        "gateway": "shopify_payments",
        "source_name": "web",
        "tags": "",
        "note": None,
        "processed_at": _iso(order.placed_at),
        "created_at": _iso(order.placed_at),
        "updated_at": _iso(max([order.placed_at, *(at for at in (shipped, back) if at)])),
        "closed_at": _iso(shipped) if shipped else None,
        "cancelled_at": _iso(cancelled) if cancelled else None,
        "total_price": order.total,
        "subtotal_price": order.subtotal,
        "total_tax": order.tax,
        "total_discounts": order.discount,
        "total_line_items_price": order.items_price,
        "total_outstanding": 0.0,
        "total_price_set": _both(order.total, person),
        "total_shipping_price_set": _both(order.shipping, person),
        "confirmed": True,
        "taxes_included": False,
        "test": False,
        "buyer_accepts_marketing": person.number % 3 == 0,
        "customer": {
            "id": _customer_id(person),
            "email": person.email,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "created_at": _iso(person.joined_at),
        },
        "shipping_address": {
            key: value
            for key, value in _address(person).items()
            if key not in ("id", "customer_id", "default", "country_name")
        },
        "line_items": [_line(order, place, shipped) for place in range(len(order.lines))],
        "refunds": [_refund(order, back)] if back else [],
    }


def _line(order: Order, place: int, shipped: datetime | None) -> Record:
    article, quantity = order.lines[place]
    line_id = _LINE_BASE + order.sequence * 8 + place
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "name": f"{article.title} - {article.option}",
        "title": article.title,
        "sku": article.sku,
        "variant_title": article.option,
        "vendor": article.vendor,
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if shipped else None,
        "product_id": article.product_id,
        "variant_id": article.variant_id,
        "quantity": quantity,
        "grams": article.grams,
        "fulfillable_quantity": 0 if shipped else quantity,
        "price": article.price,
        "total_discount": 0.0,
        "taxable": True,
        "requires_shipping": True,
        "product_exists": True,
        "gift_card": False,
    }


def _refund(order: Order, at: datetime) -> Record:
    refund_id = _REFUND_BASE + order.sequence
    adjustment = {
        "id": refund_id * 10,
        "amount": f"-{order.total:.2f}",
        "kind": "refund_discrepancy",
        "reason": "Refund",
    }
    return {
        "id": refund_id,
        "order_id": order.id,
        "created_at": _iso(at),
        "processed_at": _iso(at),
        "note": None,
        "restock": True,
        "order_adjustments": [adjustment],
    }


def _customer(person: Person, orders: Sequence[Order]) -> Record:
    last = orders[-1] if orders else None
    return {
        "id": _customer_id(person),
        "admin_graphql_api_id": f"gid://shopify/Customer/{_customer_id(person)}",
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        "state": "enabled" if person.number % 4 else "disabled",
        "tags": "",
        "note": None,
        "currency": "USD",
        "shop_url": SHOP_URL,
        "last_order_id": last.id if last else None,
        "last_order_name": f"#{1001 + last.sequence}" if last else None,
        "orders_count": len(orders),
        "total_spent": round(sum((order.total for order in orders), 0.0), 2),
        "created_at": _iso(person.joined_at),
        "updated_at": _iso(last.placed_at if last else person.joined_at),
        "verified_email": True,
        "tax_exempt": False,
        "accepts_marketing": person.number % 3 == 0,
        "default_address": _address(person),
        "addresses": [_address(person)],
    }


def _customer_id(person: Person) -> int:
    return _CUSTOMER_BASE + person.number * 32_768


def _address(person: Person) -> Record:
    return {
        "id": _customer_id(person) + 1,
        "customer_id": _customer_id(person),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name,
        "company": person.company,
        "address1": person.street,
        "address2": None,
        "city": person.city,
        "province": None,
        "zip": person.postal_code,
        "phone": person.phone,
        "country": person.country.name,
        "country_code": person.country.code,
        "country_name": person.country.name,
        "default": True,
    }


def _both(dollars: float, person: Person) -> Record:
    country = person.country
    there = round(dollars * country.per_usd, 2 if country.minor_units > 1 else 0)
    return {
        "shop_money": {"amount": dollars, "currency_code": "USD"},
        "presentment_money": {"amount": there, "currency_code": country.currency.upper()},
    }


def _iso(at: datetime) -> str:
    return at.isoformat()

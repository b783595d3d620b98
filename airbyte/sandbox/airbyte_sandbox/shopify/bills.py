"""What an order costs, line by line, so that the lines add up to the cent."""

from dataclasses import dataclass

from airbyte_sandbox.shopify.money import Amount, amount, cents, shares, total
from airbyte_sandbox.shopify.sales import Order
from airbyte_sandbox.shopify.shelves import Article
from airbyte_sandbox.words import Country


@dataclass(frozen=True)
class BillLine:
    """One line: its price, and its part of discount and tax."""

    article: Article
    quantity: int
    price: Amount
    discount: Amount
    tax: Amount

    @property
    def gross(self) -> Amount:
        """All pieces before discount."""
        return self.price * self.quantity

    @property
    def subtotal(self) -> Amount:
        """All pieces after discount, without tax."""
        return self.gross - self.discount


@dataclass(frozen=True)
class Bill:
    """The lines and what is sent with them; tax is on top of the prices, shipping is free of it."""

    country: Country
    lines: tuple[BillLine, ...]
    shipping: Amount

    @property
    def gross(self) -> Amount:
        """The lines before discount."""
        return total(line.gross for line in self.lines)

    @property
    def discount(self) -> Amount:
        """What is taken off."""
        return total(line.discount for line in self.lines)

    @property
    def subtotal(self) -> Amount:
        """The lines after discount."""
        return total(line.subtotal for line in self.lines)

    @property
    def tax(self) -> Amount:
        """The tax on the subtotal."""
        return total(line.tax for line in self.lines)

    @property
    def total(self) -> Amount:
        """What is paid."""
        return self.subtotal + self.tax + self.shipping

    @property
    def grams(self) -> int:
        """The weight of everything."""
        return sum(line.article.grams * line.quantity for line in self.lines)


def bill(order: Order) -> Bill:
    """The bill whose sums are the order's own."""
    country = order.person.country
    prices = [cents(article.price) for article, _ in order.lines]
    gross = [price * quantity for price, (_, quantity) in zip(prices, order.lines, strict=True)]
    discounts = shares(cents(order.discount), gross)
    taxes = shares(cents(order.tax), [whole - off for whole, off in zip(gross, discounts, strict=True)])
    lines = tuple(
        BillLine(article, quantity, amount(price, country), amount(discount, country), amount(tax, country))
        for (article, quantity), price, discount, tax in zip(order.lines, prices, discounts, taxes, strict=True)
    )
    return Bill(country, lines, amount(cents(order.shipping), country))

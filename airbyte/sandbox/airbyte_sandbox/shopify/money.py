"""Amounts to the minor unit, in the shop's currency and in the one that the customer sees."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from airbyte_sandbox.schema import Record
from airbyte_sandbox.words import Country


@dataclass(frozen=True)
class Amount:
    """The same money twice: cents of the shop, minor units of the customer's currency."""

    shop: int
    there: int

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.shop + other.shop, self.there + other.there)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.shop - other.shop, self.there - other.there)

    def __mul__(self, count: int) -> "Amount":
        return Amount(self.shop * count, self.there * count)

    @property
    def text(self) -> str:
        """In the shop's currency, as "12.30"."""
        return str(Decimal(self.shop).scaleb(-2))


NOTHING = Amount(0, 0)


def total(amounts: Iterable[Amount]) -> Amount:
    """All of them together."""
    return sum(amounts, NOTHING)


def cents(dollars: float) -> int:
    """A price with two digits as a whole number."""
    return round(dollars * 100)


def amount(cents_of_shop: int, country: Country) -> Amount:
    """So much of the shop's money, and what it is over there, rounded."""
    return Amount(cents_of_shop, round(cents_of_shop / 100 * country.per_usd * country.minor_units))


def shares(whole: int, weights: list[int]) -> list[int]:
    """Cut a whole into parts in proportion to the weights; the parts add up to it exactly."""
    ends = [whole * sum(weights[: place + 1]) // sum(weights) for place in range(len(weights))]
    return [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def bag(money: Amount, country: Country) -> Record:
    """Both currencies, as the API writes them."""
    digits = 2 if country.minor_units == 100 else 0
    return {
        "shop_money": {"amount": money.text, "currency_code": "USD"},
        "presentment_money": {
            "amount": str(Decimal(money.there).scaleb(-digits)),
            "currency_code": country.currency.upper(),
        },
    }

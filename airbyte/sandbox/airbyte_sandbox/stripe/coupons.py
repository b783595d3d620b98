"""Coupons: a few from long ago, and one for every month."""

from datetime import UTC, date, datetime, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World, moments


def coupon_records(world: World) -> list[Record]:
    """All coupons by the world's last day; nobody has redeemed any."""
    long_ago = datetime(world.start.year - 1, 1, 15, 9, tzinfo=UTC)
    standing = [
        _coupon("WELCOME10", "Welcome", long_ago, percent_off=10.0, duration="once"),
        _coupon("PARTNER", "For partners", long_ago, percent_off=12.5, duration="forever"),
        # An id that is easily taken for a number.
        _coupon("1_000", "Ten dollars off", long_ago, amount_off=1000, currency="usd", duration="once"),
    ]
    return standing + [_of_month(world, day) for day in world.days() if day.day == 1]


def _of_month(world: World, day: date) -> Record:
    dice = world.dice("coupon", day)
    until = datetime.combine((day + timedelta(days=31)).replace(day=1), datetime.min.time(), UTC)
    coupon = _coupon(
        f"{day:%b%y}".upper(),
        f"{day:%B} offer",
        moments(dice, day, 1)[0],
        percent_off=float(dice.choice((5, 15, 20, 25))),
        duration="repeating",
        duration_in_months=3,
        redeem_by=int(until.timestamp()),
    )
    return {**coupon, "valid": until > world.horizon}


def _coupon(key: str, name: str, created: datetime, **terms: object) -> Record:
    return {
        "id": key,
        "object": "coupon",
        "amount_off": None,
        "created": int(created.timestamp()),
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": name,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
        **terms,
    }

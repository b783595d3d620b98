"""What is said where: orders, tickets and pull requests of the other tools, and the small talk of the team."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache

from airbyte_sandbox.cases import Case, cases
from airbyte_sandbox.github.contributions import Work
from airbyte_sandbox.github.development import works
from airbyte_sandbox.github.records import full_name
from airbyte_sandbox.shopify.sales import Order, orders
from airbyte_sandbox.slack.members import Member, app, by_email, members, team
from airbyte_sandbox.slack.posts import Post, post
from airbyte_sandbox.words import SUBJECTS, VERBS
from airbyte_sandbox.world import World, moments, poisson

_LARGE = 400.0
_WEEK = (1.2, 1.1, 1.1, 1.0, 1.1, 0.2, 0.2)
_SMALL_TALK = (
    "Good morning, everyone.",
    "Lunch at half past twelve?",
    "I am out from four today.",
    "The coffee machine works again.",
    "Who has the key of the bike shed?",
    "Cake in the kitchen, help yourselves.",
)
_NEWS = (
    "The weekly numbers are in the dashboard.",
    "Please put your holidays into the calendar.",
    "The new price list holds from Monday.",
    "Thank you all for last week.",
)


@lru_cache(maxsize=32)
def posts(world: World, channel: str) -> tuple[Post, ...]:
    """Every message of a channel that is not an answer in a thread, oldest first."""
    said = _SAID.get(channel)
    return tuple(sorted(said(world), key=lambda found: found.when)) if said else ()


@lru_cache(maxsize=32)
def by_ts(world: World, channel: str) -> dict[str, Post]:
    """The message that stands first in the thread of each, itself too where it stands alone."""
    return {one.ts: found for found in posts(world, channel) for one in (found, *found.replies)}


def _general(world: World) -> Iterator[Post]:
    for member in members(world):
        if member.kind == "guest" and member.joined_at.date() >= world.start:
            text = f"<@{member.id}> has joined the channel"
            yield post(world, ("join", member.id), member.joined_at, member, text, subtype="channel_join")
    yield from _weeks(world)
    yield from _chatter(world, "general", 0.4, _NEWS)


def _weeks(world: World) -> Iterator[Post]:
    """On Mondays everyone says what they are on, in one long thread."""
    for day in world.days():
        if day.weekday() == 0:
            asking, *others = team(world)
            dice = world.dice("slack week", day)
            thread = [(one, f"{dice.choice(VERBS)} {dice.choice(SUBJECTS)}") for one in (*others, asking)]
            at = datetime.combine(day, time(8, 30), UTC)
            yield post(world, ("week", day), at, asking, "What is everyone on this week?", thread=thread)


def _random(world: World) -> Iterator[Post]:
    yield from _chatter(world, "random", 1.3, _SMALL_TALK)


def _orders(world: World) -> Iterator[Post]:
    for order in orders(world):
        yield _sold(world, order)
        standing = order.standing(world.horizon)
        if standing.back:
            yield _gave_back(world, order, standing.back, "cancelled" if standing.cancelled else "refunded")


def _sold(world: World, order: Order) -> Post:
    goods = ", ".join(f"{quantity} x {article.title}" for article, quantity in order.lines)
    text = f"New order *#{1001 + order.sequence}* by {order.person.name}: {goods}, ${order.total:.2f}"
    dice = world.dice("slack order", order.sequence)
    first, second = dice.sample(team(world), 2)
    thread = [(first, "That is a large one."), (second, "I ask them whether they want it by Friday.")]
    is_large = order.total > _LARGE
    return post(
        world,
        ("order", order.sequence),
        order.placed_at,
        app(world),
        text,
        thread=thread if is_large else (),
        fans=(first, second) if is_large else (),
    )


def _gave_back(world: World, order: Order, at: datetime, what: str) -> Post:
    dice = world.dice("slack refund", order.sequence)
    first, second = dice.sample(team(world), 2)
    reason = dice.choice(
        ("It came damaged.", "It was the wrong size.", "They had changed their mind.", "It came late.")
    )
    text = f"Order *#{1001 + order.sequence}* of {order.person.name} was {what}: ${order.total:.2f}"
    return post(
        world,
        ("refund", order.sequence),
        at,
        app(world),
        text,
        thread=[(first, f"<@{second.id}> do we know why?"), (second, reason)],
    )


def _support(world: World) -> Iterator[Post]:
    for case in cases(world):
        yield _ticket(world, case)


def _ticket(world: World, case: Case) -> Post:
    who = f"{case.requester.name} ({case.requester.email})"
    text = f"Ticket *#{case.number + 1}* ({case.priority}) from {who}: {case.subject}"
    same_day = [turn for turn in case.turns if turn.at.date() == case.created_at.date()]
    agent = by_email(world)[case.agent.email]
    thread: list[tuple[Member, str]] = []
    for turn in same_day:
        if turn.kind == "assigned":
            thread.append((agent, "I take it."))
        elif turn.kind == "solved" and turn.text:
            thread.append((agent, f"Solved: {turn.text}"))
    return post(world, ("ticket", case.number), case.created_at, app(world), text, thread=thread)


def _engineering(world: World) -> Iterator[Post]:
    for work in works(world):
        if work.kind == "pull_request":
            yield _pull_request(world, work)


def _pull_request(world: World, work: Work) -> Post:
    name = f"{full_name(work.repository)}#{work.number}"
    dice = world.dice("slack review", name)
    author = by_email(world).get(work.author.email) or app(world)
    other = dice.choice([found for found in team(world) if found != author])
    thread = [(other, "I have a look."), (other, "Looks good to me.")] if dice.random() < 0.3 else []
    return post(
        world, ("pull request", name), work.created_at, author, f"Please review {name}: {work.title}", thread=thread
    )


def _community(world: World) -> Iterator[Post]:
    for day, at, key in _moments(world, "community", 0.8):
        dice = world.dice("slack community", *key)
        guests = [found for found in members(world) if found.kind == "guest" and found.joined_at.date() < day]
        if guests:
            helper, topic = dice.choice(team(world)), dice.choice(SUBJECTS)
            answer = dice.choice(
                ("It is in the next release.", "There is a page on it in the handbook.", "I write you.")
            )
            thread = [(helper, answer)] if dice.random() < 0.6 else []
            yield post(world, key, at, dice.choice(guests), f"What is planned for {topic}?", thread=thread)


def _chatter(world: World, channel: str, mean: float, sentences: Sequence[str]) -> Iterator[Post]:
    for _, at, key in _moments(world, channel, mean):
        dice = world.dice("slack chatter", *key)
        author, fan = dice.sample(team(world), 2)
        yield post(world, key, at, author, dice.choice(sentences), fans=(fan,) if dice.random() < 0.4 else ())


def _moments(world: World, channel: str, mean: float) -> Iterator[tuple[date, datetime, tuple[object, ...]]]:
    for day in world.days():
        dice = world.dice("slack day", channel, day)
        for place, at in enumerate(moments(dice, day, poisson(dice, mean * _WEEK[day.weekday()]))):
            yield day, at, (channel, day, place)


_SAID: dict[str, Callable[[World], Iterator[Post]]] = {
    "general": _general,
    "random": _random,
    "orders": _orders,
    "support": _support,
    "engineering": _engineering,
    "community": _community,
}

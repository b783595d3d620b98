"""The chat over HTTP: pages, windows, threads, refusals, and that it talks of what happened in the other tools."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from airbyte_sandbox.cases import cases
from airbyte_sandbox.people import population
from airbyte_sandbox.server.account import Account, Fault
from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.drifts import Drift
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.shopify.sales import orders
from airbyte_sandbox.slack.api import API
from airbyte_sandbox.team import TEAM

START = date(2026, 3, 3)
ACCOUNT = Account(name="small", customers=60, start=START, end=START + timedelta(days=59))
NEXT_DAY = Account(name="later", customers=60, start=START, end=START + timedelta(days=60))
FAULTY = Account(
    name="faulty",
    customers=5,
    start=START,
    end=START,
    faults=(Fault(tool="slack", kind="rate_limit", every=1, seconds=7),),
)
DRIFTED = Account(
    name="drifted",
    customers=5,
    start=START,
    end=START + timedelta(days=20),
    drifts=(Drift(tool="slack", stream="users", kind="drop_field", field="profile.email"),),
)
TYPES = "public_channel,private_channel"


class Chat:
    """One account's workspace, asked with its token."""

    def __init__(self, client: httpx.Client, account: Account) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key_of(account, API)}"}

    def ask(self, method: str, **query: object):
        return self.client.get(f"/slack/api/{method}", params=query, headers=self.headers)

    def get(self, method: str, **query: object) -> dict:
        answer = self.ask(method, **query)
        assert answer.status_code == 200 and answer.json()["ok"] is True, answer.text
        return answer.json()

    def error(self, method: str, **query: object) -> str:
        answer = self.ask(method, **query)
        assert answer.status_code == 200 and answer.json()["ok"] is False
        return answer.json()["error"]

    def pages(self, method: str, name: str, **query: object) -> list[list]:
        found, cursor = [], ""
        while True:
            page = self.get(method, **query, **({"cursor": cursor} if cursor else {}))
            found.append(page[name])
            cursor = page.get("response_metadata", {}).get("next_cursor", "")
            assert page.get("has_more", bool(cursor)) is bool(cursor)
            if not cursor:
                return found

    def whole(self, method: str, name: str, **query: object) -> list:
        return [one for page in self.pages(method, name, **{"limit": 999, **query}) for one in page]

    def channels(self) -> dict[str, dict]:
        return {channel["name"]: channel for channel in self.whole("conversations.list", "channels", types=TYPES)}

    def said(self, name: str, **query: object) -> list[dict]:
        return self.whole("conversations.history", "messages", channel=self.channels()[name]["id"], **query)


@pytest.fixture(scope="module")
def client():
    accounts = Accounts(accounts=[ACCOUNT, NEXT_DAY, FAULTY, DRIFTED])
    with serving(accounts, [API]) as url, httpx.Client(base_url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
def chat(client):
    return Chat(client, ACCOUNT)


@pytest.fixture(scope="module")
def talk(chat):
    """What was said in each channel that the app is in, newest first."""
    return {name: chat.said(name) for name, channel in chat.channels().items() if channel["is_member"]}


def at(message: dict) -> datetime:
    return datetime.fromtimestamp(float(message["ts"]), UTC)


def test_lists_come_in_pages_that_add_up(chat, talk):
    general = chat.channels()["general"]["id"]
    orders_channel = chat.channels()["orders"]["id"]
    for method, name, size, query in (
        ("conversations.list", "channels", 3, {}),
        ("users.list", "members", 6, {}),
        ("conversations.members", "members", 6, {"channel": general}),
        ("conversations.history", "messages", 90, {"channel": orders_channel}),
    ):
        pages = chat.pages(method, name, limit=size, **query)
        assert len(pages) > 2
        assert all(len(page) == size for page in pages[:-1]) and 0 < len(pages[-1]) <= size
        assert [one for page in pages for one in page] == chat.whole(method, name, **query)


def test_the_newest_message_comes_first_and_none_twice(talk):
    for name in ("general", "random", "orders", "support", "engineering", "community"):
        times = [message["ts"] for message in talk[name]]
        assert times == sorted(times, reverse=True)
        assert len(set(times)) == len(times) > 5, name


def test_windows_that_meet_have_every_message_once(chat, talk):
    times = sorted(message["ts"] for message in talk["orders"])
    middle = times[len(times) // 2]
    before = chat.said("orders", latest=middle, inclusive="true")
    after = chat.said("orders", oldest=middle)
    assert sorted(message["ts"] for message in (*before, *after)) == times
    assert [one["ts"] for one in chat.said("orders", oldest=middle, latest=middle, inclusive="true")] == [middle]
    assert chat.said("orders", oldest=middle, latest=middle) == []


def test_threads_are_apart_and_as_long_as_their_first_message_says(chat, talk):
    channels = chat.channels()
    answered = 0
    for name, messages in talk.items():
        times = {message["ts"] for message in messages}
        for parent in [message for message in messages if message.get("reply_count")][:6]:
            answered += 1
            first, *replies = chat.whole(
                "conversations.replies", "messages", channel=channels[name]["id"], ts=parent["ts"]
            )
            assert first == parent
            assert len(replies) == parent["reply_count"]
            assert replies[-1]["ts"] == parent["latest_reply"]
            assert {reply["user"] for reply in replies} == set(parent["reply_users"])
            assert {reply["parent_user_id"] for reply in replies} == {parent["user"]}
            assert not times & {reply["ts"] for reply in replies}
            moments = [reply["ts"] for reply in replies]
            assert parent["ts"] < moments[0] and moments == sorted(moments)
    assert answered > 12


def test_a_thread_ends_on_the_day_it_began(talk):
    answered = [message for messages in talk.values() for message in messages if message.get("reply_count")]
    days = [(at(message).date(), at({"ts": message["latest_reply"]}).date()) for message in answered]
    assert len(days) > 100
    assert all(first == last for first, last in days)


def test_a_thread_from_a_moment_on_still_begins_with_its_first_message(chat, talk):
    parent = next(message for message in talk["orders"] if message.get("reply_count", 0) > 1)
    channel = chat.channels()["orders"]["id"]
    query = {"channel": channel, "ts": parent["ts"], "inclusive": "true", "oldest": parent["latest_reply"]}
    found = chat.get("conversations.replies", **query)["messages"]
    assert [message["ts"] for message in found] == [parent["ts"], parent["latest_reply"]]
    pages = chat.pages("conversations.replies", "messages", limit=1, channel=channel, ts=parent["ts"])
    assert len(pages) == parent["reply_count"] + 1


def test_who_speaks_is_in_the_channel_and_was_there_before(chat, talk):
    users = {user["id"]: user for user in chat.whole("users.list", "members")}
    channels = chat.channels()
    speakers = set()
    for name, messages in talk.items():
        inside = set(chat.whole("conversations.members", "members", channel=channels[name]["id"]))
        assert len(inside) == channels[name]["num_members"]
        for message in messages:
            assert message["user"] in inside
            assert at(message).timestamp() >= users[message["user"]]["updated"]
            speakers.add(message["user"])
    assert {user["is_bot"] for user in users.values() if user["id"] in speakers} == {True, False}
    assert any(users[speaker]["is_restricted"] for speaker in speakers)


def test_users_are_the_team_and_people_of_the_world(chat):
    users = chat.whole("users.list", "members")
    by_email = {user["profile"]["email"]: user for user in users if "email" in user["profile"]}
    team = {colleague.email: colleague.name for colleague in TEAM}
    people = {person.email: person.name for person in population(ACCOUNT.world)}
    guests = by_email.keys() - team.keys()
    assert team.keys() <= by_email.keys()
    assert len(guests) > 5 and guests <= people.keys()
    assert all(user["real_name"] == {**people, **team}[email] for email, user in by_email.items())
    assert {user["id"] for user in users if "email" not in user["profile"]} > {"USLACKBOT"}
    contributors = {person.email for person in population(ACCOUNT.world) if person.login}
    assert contributors and contributors <= guests


def test_on_mondays_the_whole_team_answers_in_one_thread(talk):
    mondays = [message for message in talk["general"] if message.get("reply_users_count") == len(TEAM)]
    assert {at(message).weekday() for message in mondays} == {0}
    assert len(mondays) == sum(day.weekday() == 0 for day in ACCOUNT.world.days())


def test_every_order_and_what_went_back_is_told(talk):
    told = {message["text"] for message in talk["orders"]}
    back = 0
    for order in orders(ACCOUNT.world):
        name, amount = f"*#{1001 + order.sequence}*", f"${order.total:.2f}"
        (sold,) = [text for text in told if text.startswith(f"New order {name}")]
        assert order.person.name in sold and sold.endswith(amount)
        if order.standing(ACCOUNT.world.horizon).back:
            back += 1
            assert any(text.startswith(f"Order {name}") and text.endswith(amount) for text in told)
    assert back > 5
    assert len(told) == len(orders(ACCOUNT.world)) + back


def test_every_ticket_is_told_with_its_requester(talk):
    told = {message["text"] for message in talk["support"]}
    assert len(told) == len(cases(ACCOUNT.world)) > 20
    for case in cases(ACCOUNT.world):
        assert any(
            f"*#{case.number + 1}*" in text and case.requester.email in text and text.endswith(case.subject)
            for text in told
        )


def test_nothing_is_of_the_future_nor_from_before_the_start(talk):
    every = [message for messages in talk.values() for message in messages]
    assert min(map(at, every)).date() == START
    assert max(map(at, every)) <= ACCOUNT.world.horizon + timedelta(seconds=1)
    assert all(float(message.get("latest_reply", 0)) < ACCOUNT.world.horizon.timestamp() + 1 for message in every)


def test_a_further_day_adds_only_messages_of_that_day(client, talk):
    later, added = Chat(client, NEXT_DAY), 0
    for name, messages in talk.items():
        now = later.said(name)
        known = {message["ts"] for message in messages}
        assert [message for message in now if message["ts"] in known] == messages
        new = [message for message in now if message["ts"] not in known]
        added += len(new)
        assert {at(message).date() for message in new} <= {NEXT_DAY.end}
    assert added


def test_private_and_archived_channels_are_asked_for(chat):
    public = {channel["name"] for channel in chat.whole("conversations.list", "channels")}
    private = {channel["name"] for channel in chat.whole("conversations.list", "channels", types="private_channel")}
    current = {channel["name"] for channel in chat.whole("conversations.list", "channels", exclude_archived="true")}
    assert private == {"finance"} and not private & public
    assert public - current == {"old-launch"}
    assert chat.error("conversations.list", types="public") == "invalid_types"


@pytest.mark.parametrize(
    ("method", "query", "error"),
    [
        ("conversations.history", {}, "channel_not_found"),
        ("conversations.history", {"channel": "C0NOWHERE"}, "channel_not_found"),
        ("conversations.history", {"channel": "leadership"}, "not_in_channel"),
        ("conversations.history", {"channel": "orders", "oldest": "yesterday"}, "invalid_ts_oldest"),
        ("conversations.history", {"channel": "orders", "latest": "inf"}, "invalid_ts_latest"),
        ("conversations.history", {"channel": "orders", "cursor": "dXNlcjpVMA=="}, "invalid_cursor"),
        ("conversations.history", {"channel": "orders", "cursor": "?"}, "invalid_cursor"),
        ("conversations.replies", {"channel": "orders", "ts": "1.000000"}, "thread_not_found"),
        ("conversations.replies", {"channel": "orders"}, "thread_not_found"),
        ("conversations.list", {"limit": "many"}, "invalid_limit"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("files.list", {}, "missing_scope"),
        ("cakes.list", {}, "unknown_method"),
    ],
)
def test_a_refusal_is_an_answer_of_200_that_names_itself(chat, method, query, error):
    channel = chat.channels().get(query.get("channel"))
    assert chat.error(method, **({**query, "channel": channel["id"]} if channel else query)) == error


def test_a_missing_scope_is_named(chat):
    assert chat.ask("files.list").json()["needed"] == "files:read"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer xoxb-wrong"}], ids=["no token", "wrong token"])
def test_without_its_token_a_workspace_says_nothing(client, headers):
    answer = client.get("/slack/api/users.list", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": "invalid_auth"})


def test_too_many_calls_are_429_with_retry_after(client):
    answer = Chat(client, FAULTY).ask("auth.test")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"ok": False, "error": "ratelimited"}


def test_arguments_come_by_post_too_as_a_form_or_as_json(chat):
    query = {"channel": chat.channels()["orders"]["id"], "limit": 3, "inclusive": True}
    got = chat.get("conversations.history", channel=query["channel"], limit=3)
    for sent in ({"data": query}, {"json": query}):
        answer = chat.client.post("/slack/api/conversations.history", headers=chat.headers, **sent)
        assert answer.json() == got


def test_single_things_are_as_in_their_lists(chat):
    user = chat.whole("users.list", "members")[3]
    channel = chat.channels()["support"]
    assert chat.get("users.info", user=user["id"])["user"] == user
    assert chat.get("conversations.info", channel=channel["id"])["channel"] == channel
    assert chat.get("auth.test")["team_id"] == user["team_id"]


def test_drifts_reach_the_records(client):
    users = Chat(client, DRIFTED).whole("users.list", "members")
    assert all("email" not in user["profile"] for user in users)


def test_the_configuration_is_that_of_the_connector(client):
    given = client.get("/sandbox/accounts/small").json()["configurations"]["slack"]
    assert given == {
        "credentials": {"option_title": "API Token Credentials", "api_token": key_of(ACCOUNT, API)},
        "base_url": f"{str(client.base_url).rstrip('/')}/slack",
        "start_date": "2026-03-03T00:00:00Z",
    }

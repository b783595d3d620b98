"""The methods on channels and on what is said in them."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Reply
from airbyte_sandbox.slack.arguments import argument, cut, flag, limit, moment, refused
from airbyte_sandbox.slack.channels import Channel, channels
from airbyte_sandbox.slack.records import channel_record, message_record, reply_record
from airbyte_sandbox.slack.talk import by_ts, posts

_TYPES = {"public_channel", "private_channel", "mpim", "im"}


def list_channels(call: Call) -> Reply:
    """conversations.list."""
    types = {name.strip() for name in (argument(call, "types") or "public_channel").split(",")}
    if types - _TYPES:
        raise refused("invalid_types")
    found = [
        channel
        for channel in channels(call.account.world)
        if ("private_channel" if channel.plan.is_private else "public_channel") in types
        and not (channel.plan.is_archived and flag(call, "exclude_archived"))
    ]
    page, cursor = cut(call, found, limit(call, 100, 1000), "team", lambda channel: channel.id)
    return _listed("channels", _channels(call, page), cursor)


def show_channel(call: Call) -> Reply:
    """conversations.info."""
    return Reply(200, {"ok": True, "channel": _channels(call, [_channel(call)])[0]})


def list_members(call: Call) -> Reply:
    """conversations.members."""
    ids = [member.id for member in _channel(call).members]
    page, cursor = cut(call, ids, limit(call, 100, 1000), "user_id", lambda found: found)
    return _listed("members", list(page), cursor)


def history(call: Call) -> Reply:
    """conversations.history: newest first, without the answers in threads."""
    channel, world = _joined(call), call.account.world
    within = _window(call)
    found = [post for post in reversed(posts(world, channel.plan.name)) if within(post.when)]
    page, cursor = cut(call, found, limit(call, 100, 999), "next_ts", lambda post: post.ts)
    records = call.account.drifted("slack", "channel_messages", [message_record(world, post) for post in page])
    return _said(records, cursor, pin_count=0, channel_actions_ts=None, channel_actions_count=0)


def replies(call: Call) -> Reply:
    """conversations.replies: the thread's first message, whenever it was, then the answers, oldest first."""
    channel, world, ts = _joined(call), call.account.world, argument(call, "ts")
    parent = by_ts(world, channel.plan.name).get(ts or "")
    if parent is None:
        raise refused("thread_not_found")
    within = _window(call)
    found = [parent, *(reply for reply in parent.replies if within(reply.when))]
    page, cursor = cut(call, found, limit(call, 1000, 1000), "next_ts", lambda post: post.ts)
    records = [message_record(world, post) if post is parent else reply_record(world, parent, post) for post in page]
    return _said(call.account.drifted("slack", "threads", records), cursor)


def _channels(call: Call, found: Sequence[Channel]) -> list[Record]:
    return call.account.drifted("slack", "channels", [channel_record(call.account.world, one) for one in found])


def _channel(call: Call) -> Channel:
    wanted = argument(call, "channel")
    found = next((channel for channel in channels(call.account.world) if channel.id == wanted), None)
    # A private channel is there for those alone who are in it.
    if not found or (found.plan.is_private and not found.plan.has_app):
        raise refused("channel_not_found")
    return found


def _joined(call: Call) -> Channel:
    channel = _channel(call)
    if not channel.plan.has_app:
        raise refused("not_in_channel")
    return channel


def _window(call: Call) -> Callable[[Decimal], bool]:
    """Whether a moment is between `oldest` and `latest`, which are outside unless `inclusive`."""
    oldest, latest, inclusive = moment(call, "oldest"), moment(call, "latest"), flag(call, "inclusive")

    def within(when: Decimal) -> bool:
        if inclusive and when in (oldest, latest):
            return True
        return (oldest is None or when > oldest) and (latest is None or when < latest)

    return within


def _listed(name: str, found: object, cursor: str) -> Reply:
    return Reply(200, {"ok": True, name: found, "response_metadata": {"next_cursor": cursor}})


def _said(messages: list[Record], cursor: str, **more: object) -> Reply:
    body: Record = {"ok": True, "messages": messages, "has_more": bool(cursor), **more}
    return Reply(200, {**body, "response_metadata": {"next_cursor": cursor}} if cursor else body)

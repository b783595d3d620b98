"""Channels, users and messages as the Web API has them."""

from uuid import UUID

from airbyte_sandbox.schema import Record
from airbyte_sandbox.slack.channels import Channel
from airbyte_sandbox.slack.members import Member, app, founded_at, team, team_id
from airbyte_sandbox.slack.posts import Post
from airbyte_sandbox.world import World, token

_BOT, _APP = "B0SANDBOX1", "A0SANDBOX1"


def channel_record(world: World, channel: Channel) -> Record:
    """A channel; what its members say does not change it, who joins changes its count."""
    plan, made = channel.plan, int(founded_at(world).timestamp()) + channel.number * 60
    founder = team(world)[0].id
    return {
        "id": channel.id,
        "name": plan.name,
        "is_channel": not plan.is_private,
        "is_group": plan.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": plan.is_private,
        "created": made,
        "is_archived": plan.is_archived,
        "is_general": plan.name == "general",
        "unlinked": 0,
        "name_normalized": plan.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": team_id(world),
        "updated": made * 1000,
        "parent_conversation": None,
        "creator": founder,
        "is_ext_shared": False,
        "shared_team_ids": [team_id(world)],
        "pending_connected_team_ids": [],
        "is_member": plan.has_app and not plan.is_archived,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": plan.purpose, "creator": founder, "last_set": made},
        "previous_names": [],
        "num_members": len(channel.members),
    }


def user_record(world: World, member: Member) -> Record:
    """A member; guests are restricted to the channels that they were asked into."""
    zone, label, offset = member.zone
    first = member == team(world)[0]
    return {
        "id": member.id,
        "team_id": team_id(world),
        "name": member.login,
        "deleted": False,
        "color": f"{world.dice('slack colour', member.id).randrange(0x1000000):06x}",
        "real_name": member.name,
        "tz": zone,
        "tz_label": label,
        "tz_offset": offset,
        "profile": _profile(world, member),
        "is_admin": first,
        "is_owner": first,
        "is_primary_owner": first,
        "is_restricted": member.kind == "guest",
        "is_ultra_restricted": False,
        "is_bot": member.kind == "app",
        "is_app_user": False,
        "updated": int(member.joined_at.timestamp()),
        "is_email_confirmed": member.email is not None,
        "who_can_share_contact_card": "EVERYONE",
    }


def _profile(world: World, member: Member) -> Record:
    found: Record = {
        "title": member.job,
        "phone": member.phone,
        "skype": "",
        "real_name": member.name,
        "real_name_normalized": member.name,
        "display_name": member.first_name,
        "display_name_normalized": member.first_name,
        "fields": None,
        "status_text": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": f"g{world.dice('slack avatar', member.id).getrandbits(44):011x}",
        "first_name": member.first_name,
        "last_name": member.last_name,
        "status_text_canonical": "",
        "team": team_id(world),
    }
    if member.email:
        found["email"] = member.email
    if member.kind == "app":
        found |= {"api_app_id": _APP, "bot_id": _BOT, "always_active": False}
    return found


def message_record(world: World, post: Post) -> Record:
    """A message of a channel; one that was answered says how often, by whom and when last."""
    found = _message(world, post)
    if post.replies:
        found |= {
            "thread_ts": post.ts,
            "reply_count": len(post.replies),
            "reply_users_count": len(_answering(post)),
            "latest_reply": post.replies[-1].ts,
            "reply_users": _answering(post),
            "is_locked": False,
            "subscribed": False,
        }
    if post.reactions:
        found["reactions"] = [
            {"name": name, "users": [member.id for member in fans], "count": len(fans)}
            for name, fans in post.reactions.items()
        ]
    return found


def reply_record(world: World, parent: Post, reply: Post) -> Record:
    """An answer in a thread."""
    return {**_message(world, reply), "thread_ts": parent.ts, "parent_user_id": parent.author.id}


def _answering(post: Post) -> list[str]:
    return list(dict.fromkeys(reply.author.id for reply in post.replies))


def _message(world: World, post: Post) -> Record:
    found: Record = {"type": "message", "user": post.author.id, "ts": post.ts, "text": post.text}
    if post.subtype:
        return {"subtype": post.subtype, **found}
    dice = world.dice("slack message", post.author.id, post.ts)
    if post.author.kind == "app":
        found |= {"bot_id": _BOT, "app_id": _APP, "bot_profile": _bot_profile(world)}
    else:
        found["client_msg_id"] = str(UUID(int=dice.getrandbits(128), version=4))
    return {**found, "team": team_id(world), "blocks": [_block(token(dice, "", 5), post.text)]}


def _block(block_id: str, text: str) -> Record:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


def _bot_profile(world: World) -> Record:
    return {
        "id": _BOT,
        "deleted": False,
        "name": app(world).name,
        "updated": int(app(world).joined_at.timestamp()),
        "app_id": _APP,
        "user_id": app(world).id,
        "icons": {},
        "team_id": team_id(world),
    }

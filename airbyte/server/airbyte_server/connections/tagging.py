"""The tags of a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from airbyte_server.errors import RefusedError
from airbyte_server.state.tables import connection_tags, tags


def tag_connection(connection: Connection, workspace_id: str, connection_id: str, tag_ids: Sequence[str]) -> None:
    """Make these its tags, in this order; one that its workspace does not have is refused."""
    wanted = list(dict.fromkeys(tag_ids))
    known = select(tags.c.tag_id).where(tags.c.workspace_id == workspace_id, tags.c.tag_id.in_(wanted))
    unknown = set(wanted) - set(connection.execute(known).scalars())
    if unknown:
        raise RefusedError(f"The connection's workspace has no tag {min(unknown)}; make it first by POST /tags.")
    connection.execute(delete(connection_tags).where(connection_tags.c.connection_id == connection_id))
    rows = [
        {"connection_id": connection_id, "tag_id": tag_id, "position": position}
        for position, tag_id in enumerate(wanted)
    ]
    if rows:
        connection.execute(insert(connection_tags), rows)

"""Which load serves which sync mode."""

from collections.abc import Mapping

from airbyte_server.loader.appending import IncrementalAppendLoad, RefreshAppendLoad
from airbyte_server.loader.streams import DedupedLoad, OverwriteLoad, StreamLoad
from airbyte_server.loader.targets import StreamTarget, SyncMode

_LOADS: Mapping[SyncMode, type[StreamLoad]] = {
    "full_refresh_overwrite": OverwriteLoad,
    "full_refresh_overwrite_deduped": OverwriteLoad,
    "full_refresh_append": RefreshAppendLoad,
    "incremental_append": IncrementalAppendLoad,
    "incremental_deduped_history": DedupedLoad,
}


def stream_load(target: StreamTarget, *, sync_id: int, staging_schema: str) -> StreamLoad:
    """The load that the target's sync mode asks for."""
    return _LOADS[target.sync_mode](target, sync_id=sync_id, staging_schema=staging_schema)

"""Which load serves which sync mode."""

from collections.abc import Mapping

from airbyte_server.loader.appending import IncrementalAppendLoad, RefreshAppendLoad
from airbyte_server.loader.deduplicating import DedupedLoad
from airbyte_server.loader.overwriting import OverwriteLoad
from airbyte_server.loader.streams import StreamLoad
from airbyte_server.loader.targets import StreamTarget, SyncMode
from airbyte_server.sync_modes import INCREMENTAL

_LOADS: Mapping[SyncMode, type[StreamLoad]] = {
    "full_refresh_overwrite": OverwriteLoad,
    "full_refresh_overwrite_deduped": OverwriteLoad,
    "full_refresh_append": RefreshAppendLoad,
    "incremental_append": IncrementalAppendLoad,
    "incremental_deduped_history": DedupedLoad,
}


def stream_load(target: StreamTarget, *, sync_id: int, staging_schema: str) -> StreamLoad:
    """The load of the target's sync mode; one that refreshes replaces what an incremental mode would keep."""
    replaces = target.refreshes and target.sync_mode in INCREMENTAL
    load = OverwriteLoad if replaces else _LOADS[target.sync_mode]
    return load(target, sync_id=sync_id, staging_schema=staging_schema)

"""The loader: a connector's Airbyte messages in, destination-postgres 3.x tables out.

    loader = Loader(conninfo, targets, sync_id=job_id, owner=StateOwner(...))
    try:
        loader.load(messages)
    finally:
        counts = loader.outcomes  # also true after a failure

`messages` are JSON lines; the iterable must raise if the connector failed and end normally only if it exited with 0.
"""

from airbyte_server.loader.committing import StateOwner
from airbyte_server.loader.loading import Loader
from airbyte_server.loader.naming import final_table_name
from airbyte_server.loader.targets import StreamOutcome, StreamTarget, SyncMode

__all__ = ["Loader", "StateOwner", "StreamOutcome", "StreamTarget", "SyncMode", "final_table_name"]

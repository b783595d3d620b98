"""Tables that keep the newest record of each key."""

from airbyte_server.loader.database import Connection
from airbyte_server.loader.merging import Merge, Merged
from airbyte_server.loader.streams import StagedLoad
from airbyte_server.loader.targets import StreamTarget


class DedupedLoad(StagedLoad):
    """incremental_deduped_history: merging a record a second time changes nothing, so rows need no state to count."""

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        super().__init__(target, sync_id=sync_id, staging_schema=staging_schema)
        self._merge = Merge(
            self._temporary, self._final, self.columns, self.keys, self.cursor, self.rows.row_id_prefix
        )  # fmt: skip
        self._merged = Merged(0, 0)

    def _bring(self, connection: Connection) -> None:
        keyless = self.rows.null_keys
        if self._final_is_new and not self._final_ready:
            self._merged = self._merge.fill(connection, keyed=self.unmerged - keyless, null_keys=keyless > 0)
        else:
            self._merged = self._merge.run(connection, null_keys=keyless > 0)

    def committed(self, *, last: bool) -> None:
        """Count what the merge did."""
        self.outcome.rows_written += self._merged.written
        self.outcome.duplicates += self._merged.duplicates
        self._merged = Merged(0, 0)
        self.rows.null_keys = 0
        super().committed(last=last)

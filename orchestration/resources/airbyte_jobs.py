"""Jobs of an Airbyte: ask for one, look at it, stop it, count what it brought."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from analysis.errors import PermanentError
from orchestration.resources.airbyte_counts import StreamCounts, count_streams
from orchestration.resources.airbyte_records import ACTIVE, Job, parse_job
from orchestration.resources.airbyte_session import AirbyteSession

NEWEST_FIRST = "createdAt|DESC"
ENDED_ALREADY = (404, 409, 422)


class Jobs(AirbyteSession):
    """Syncs of connections."""

    def jobs(self, connection_id: str) -> list[Job]:
        """The newest syncs of a connection, those that read everything anew too."""
        return [job for job in self._newest(connection_id) if job.is_sync]

    def syncs_since(self, moment: datetime) -> list[Job]:
        """Every sync of any connection that changed at this moment or later."""
        listed = self._listed(self._sdk.jobs.list_jobs, "/jobs", "jobId", updated_at_start=moment)
        return [job for job in map(parse_job, listed) if job.is_sync]

    def post_job(self, connection_id: str) -> Job:
        """Ask once for a sync; an error says nothing of whether the job began."""
        request = {"connection_id": connection_id, "job_type": "sync"}
        return parse_job(self._ask(self._sdk.jobs.create_job, request))

    def job(self, job_id: int) -> Job:
        """One job as it is now."""
        return parse_job(self._ask(self._sdk.jobs.get_job, {"job_id": job_id}))

    def cancel(self, job_id: int) -> None:
        """Ask Airbyte to stop a job; one that has ended already is no error."""
        try:
            self._ask(self._sdk.jobs.cancel_job, {"job_id": job_id})
        except PermanentError as error:
            if error.keys.get("status") not in ENDED_ALREADY:
                raise

    def cancel_active(self, connection_id: str) -> None:
        """Stop the job that runs on a connection, if any."""
        for job in self._newest(connection_id):
            if job.status in ACTIVE:
                self.cancel(job.id)

    def _newest(self, connection_id: str) -> list[Job]:
        request = {"connection_id": connection_id, "limit": 20, "order_by": NEWEST_FIRST}
        return [parse_job(each) for each in self._ask(self._sdk.jobs.list_jobs, request)["data"]]

    def stream_counts(self, job_id: int, replaced: Collection[str] = ()) -> dict[str, StreamCounts]:
        """What a job's attempts brought by stream; of a stream that each attempt replaces, the last one's alone."""
        answer = self.call("POST", f"{self.config_url}/jobs/get", json={"id": job_id})
        return count_streams(answer.get("attempts") or [], replaced)

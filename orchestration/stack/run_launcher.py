"""Dagster's run launcher, made able to see that a run's process is gone."""

import json
import os

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG, HIDDEN_TAG_PREFIX

from orchestration.stack.processes import identity, is_identity_alive

WORKER_TAG = f"{HIDDEN_TAG_PREFIX}sluice_worker"
"""Of no use to people, so Dagster's UI hides it."""


def worker_tags() -> dict[str, str]:
    """Tags for a run that this process itself executes: when it dies the daemon marks the run as failed."""
    return {WORKER_TAG: identity(os.getpid())}


class WatchfulRunLauncher(DefaultRunLauncher):
    """Starts runs as the default launcher does; a run whose process died does not block its tenant for ever."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does, unlike the default one."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Failed when the process that executes the run has ended; running where nothing is known of it."""
        if GRPC_INFO_TAG in run.tags:
            return self._ask_code_server(run)
        worker = run.tags.get(WORKER_TAG)
        if worker is not None and not is_identity_alive(worker):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process that executed the run has ended.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _ask_code_server(self, run: DagsterRun) -> CheckRunHealthResult:
        from dagster._core.errors import DagsterUserCodeUnreachableError
        from dagster._grpc.client import DagsterGrpcClient
        from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
        from dagster._serdes import deserialize_value

        where = json.loads(run.tags[GRPC_INFO_TAG])
        client = DagsterGrpcClient(
            port=where.get("port"), socket=where.get("socket"), host=where["host"], use_ssl=where.get("use_ssl", False)
        )
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=10)
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "The code server that executed the run has ended.")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "The process that executed the run has ended.")

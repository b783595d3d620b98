from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from orchestration.pruning import old_runs


def test_old_ended_runs_go_but_each_jobs_newest_of_a_tenant_stays():
    with DagsterInstance.local_temp() as instance:

        def run(tenant, job="refresh_tenant", status=DagsterRunStatus.SUCCESS):
            tags = {PARTITION_NAME_TAG: tenant}
            return create_run_for_test(instance, job_name=job, status=status, tags=tags).run_id

        first, stuck = run("acme"), run("acme", status=DagsterRunStatus.STARTED)
        onboarded, failed = run("acme", job="onboard_tenant"), run("acme", status=DagsterRunStatus.FAILURE)
        newest, others = run("acme"), run("globex")
        soon = datetime.now(UTC) + timedelta(minutes=1)
        assert sorted(old_runs(instance, soon)) == sorted([first, failed])
        assert old_runs(instance, soon - timedelta(days=1)) == []
        assert {each.run_id for each in instance.get_runs()} >= {stuck, onboarded, newest, others}

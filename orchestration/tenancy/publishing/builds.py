"""A build from its opening to its last test: one a tenant at a time, dropped whole when its run died."""

from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError
from analysis.store import fleet
from analysis.store import releases as rows
from analysis.store.releases import ReleaseRow
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing.sealing import clear_fleet, require_build
from orchestration.tenancy.registry import refuse_removing, require_tenant
from orchestration.tenancy.schemas import create_build
from orchestration.tenancy.statements import run, transaction
from orchestration.tenancy.walls.roles import cut_sessions


def open_build(engine: Engine, tenant: str, *, plan_id: int | None = None, model_set: str | None = None) -> ReleaseRow:
    """A new release and the empty schema its builder fills; the leftover of a dead build is dropped."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        refuse_removing(require_tenant(connection, names.tenant))
        _drop_build(connection, names)
        release = rows.insert_release(connection, names.tenant, plan_id=plan_id, model_set=model_set)
        create_build(connection, names)
    return release


def abandon_build(engine: Engine, tenant: str, reason: str) -> None:
    """Drop the build, if there is one, and mark the published release stale for this reason."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        require_tenant(connection, names.tenant)
        _drop_build(connection, names)
        rows.mark_stale(connection, names.tenant, reason)


def finish_build(engine: Engine, tenant: str, number: int) -> ReleaseRow:
    """Every model of this build is there and every test passed; a PermanentError if another build has begun since."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        return rows.mark_built(connection, names.tenant, require_build(connection, names, number).number)


def find_finished(engine: Engine, tenant: str) -> ReleaseRow:
    """The build that waits for its seal and its swap; a PermanentError when there is none, or half of one."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        release = rows.find_status(connection, names.tenant, "building")
    if release is None or release.built_at is None:
        raise PermanentError("The tenant has no finished build to publish; build first.", tenant=names.tenant)
    return release


def drop_unfinished(engine: Engine, tenant: str) -> bool:
    """Drop what a dead run left of its build and mark the published release stale; a finished build stays."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        release = rows.find_status(connection, names.tenant, "building")
    if release is None or release.built_at is not None:
        return False
    abandon_build(engine, tenant, "The last build did not finish.")
    return True


def _drop_build(connection: Connection, names: TenantNames) -> None:
    run(connection, "drop schema if exists {schema} cascade", schema=names.build)
    dead = rows.find_status(connection, names.tenant, "building")
    if dead is not None:
        rows.mark_gone(connection, names.tenant, dead.number, "failed")
        for mart in fleet.MARTS:
            clear_fleet(connection, mart, names.tenant, [dead.number])

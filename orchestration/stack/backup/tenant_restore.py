"""Restoring one tenant beside others: all of it or nothing, and again after a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, update

from analysis.errors import PermanentError
from analysis.store import tables
from analysis.store import tenants as tenant_rows
from analysis.store.audit import append
from analysis.store.connect import open_engine
from orchestration.settings import Settings
from orchestration.stack import bootstrap
from orchestration.stack.backup import programs, rows, unfinished
from orchestration.stack.backup.entries import split_entries
from orchestration.stack.backup.keys import AIRBYTE_KEY_MEMBER, adopt_actors, airbyte_key, encrypt_anew
from orchestration.stack.backup.manifest import Manifest
from orchestration.stack.backup.rows import Portion
from orchestration.stack.backup.tenant import AIRBYTE, AT_REST, SCHEMAS_MEMBER, member_of, tenant_portions
from orchestration.stack.backup.whole_restore import Opened, audit_detail, check_counts
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import run_lock
from orchestration.tenancy.removal import remove_tenant, tenant_schemas
from orchestration.tenancy.schemas import create_schemas
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import transaction
from orchestration.tenancy.walls.credentials import set_passwords
from orchestration.tenancy.walls.platform import prepare_platform
from orchestration.tenancy.walls.roles import create_roles

Report = Callable[[str], None]
Session = psycopg.Connection[Any]
MARK_OF_REMOVED = "a restore of a removed tenant is in progress or did not finish; run `sluice restore` again"
MARK = "a restore is in progress or did not finish; run `sluice restore` again"
JOB_NUMBERS = """
select setval(seq::regclass, greatest(nextval(seq::regclass), (
    select coalesce(max(job_id::numeric), 0)::bigint + 1 from sluice.sync_runs
    where tenant_id = %s and job_id ~ '^[0-9]{1,17}$')), false)
from pg_get_serial_sequence('airbyte.jobs', 'job_id') as seq
"""


def restore_tenant(
    settings: Settings, endpoints: Endpoints, backup: Opened, key: SecretKey, tenant: str, report: Report
) -> None:
    """Add the backup's tenant to this stack; refused where the tenant is there."""
    engine, names = open_engine(endpoints.control_url), TenantNames(TenantId(tenant))
    with bootstrap.connect(endpoints.control_url) as session:
        unfinished.take(session)
        _refuse_unfit(session, backup.manifest)
        prepare_platform(engine)
        _clear_unfinished(engine, names)
        _begin(engine, names)
        try:
            with run_lock(engine, tenant):
                _fill(settings, endpoints, backup, key, names, report)
        except BaseException:
            with contextlib.suppress(Exception):  # the error that is told is the first; the mark stays if this fails
                _clear_unfinished(engine, names)
            raise


def _refuse_unfit(session: Session, manifest: Manifest) -> None:
    programs.check_server(session.info.server_version, restoring=True)
    if session.info.user != manifest.control_role:
        message = "The backup's objects belong to another control role; use a login of that name."
        raise PermanentError(message, backup=manifest.control_role, here=session.info.user)


def _begin(engine: Engine, names: TenantNames) -> None:
    """The tenant's row, marked: refused where the tenant is there in any form but a restore's."""
    left = tenant_schemas(engine, names.tenant)
    with transaction(engine) as connection:
        is_new = tenant_rows.insert_tenant(connection, names.tenant)
        found = tenant_rows.lock_tenant(connection, names.tenant)
        if not is_new and found is not None and found.status != "removed":
            message = f"Tenant {names.tenant} is there; remove it first with `sluice tenant remove {names.tenant}`."
            raise PermanentError(message)
        if left:
            raise PermanentError("A schema of that name is here and is no tenant's; rename it.", schema=left[0])
        marked = update(tables.tenants).where(tables.tenants.c.tenant_id == str(names.tenant))
        connection.execute(marked.values(status="adding", paused_reason=MARK if is_new else MARK_OF_REMOVED))


def _clear_unfinished(engine: Engine, names: TenantNames) -> None:
    """Remove what a restore that ended early left of the tenant; anything else stays, also a removed one's records."""
    with transaction(engine) as connection:
        found = tenant_rows.find_tenant(connection, names.tenant)
    if found is None or found.paused_reason not in (MARK, MARK_OF_REMOVED):
        return
    remove_tenant(engine, names.tenant)
    if found.paused_reason == MARK:
        with transaction(engine) as connection:
            tenant_rows.delete_tenant(connection, names.tenant)


def _fill(
    settings: Settings, endpoints: Endpoints, backup: Opened, key: SecretKey, names: TenantNames, report: Report
) -> None:
    url, reader = endpoints.control_url, backup.reader
    engine = open_engine(url)
    with transaction(engine) as connection:
        create_roles(connection, names)
    report(f"{names.tenant}: restoring its schemas")
    schemas, rest = split_entries(programs.contents(reader.chunks(SCHEMAS_MEMBER)))
    programs.restore(url, reader.chunks(SCHEMAS_MEMBER), "--single-transaction", entries=schemas)
    programs.restore(url, reader.chunks(SCHEMAS_MEMBER), "--single-transaction", entries=rest)
    report(f"{names.tenant}: restoring its rows")
    with transaction(engine) as connection:  # from its end on the tenant is there
        session = connection.connection.dbapi_connection
        assert isinstance(session, psycopg.Connection)
        _insert_rows(settings, session, backup, key, names, url)
        check_counts(session, backup.manifest)
        create_schemas(connection, names)
        set_passwords(connection, names, key)
        append(connection, tenant=names.tenant, action="tenant.restore", detail=audit_detail(backup))


def _insert_rows(
    settings: Settings, session: Session, backup: Opened, key: SecretKey, names: TenantNames, url: str
) -> None:
    embedded = settings.airbyte_url is None and backup.manifest.airbyte == "embedded"
    received = [
        portion
        for portion in tenant_portions(open_engine(url), embedded=embedded)
        if portion.name in backup.manifest.rows
    ]
    for portion in received:
        columns = backup.manifest.rows[portion.name].columns
        rows.receive(session, portion, columns, backup.reader.chunks(member_of(portion)))
    rows.renumber(session, received)
    _check_status(session, received)
    _adopt(settings, session, backup, received, url, embedded)
    session.execute("delete from sluice.tenants where tenant_id = %s", [str(names.tenant)])
    for portion in received:
        rows.insert(session, portion, backup.manifest.rows[portion.name].columns)
    encrypt_anew(session, backup.key, key, tenant=str(names.tenant))
    if embedded:
        session.execute(JOB_NUMBERS, [str(names.tenant)])


def _check_status(session: Session, received: list[Portion]) -> None:
    held = next(rows.held(portion) for portion in received if portion.name == "sluice.tenants")
    found = session.execute(sql.SQL("select status from {}").format(held)).fetchall()
    if len(found) != 1 or found[0][0] not in AT_REST:
        raise PermanentError("The backup does not hold one tenant at rest; take another.")


def _adopt(
    settings: Settings, session: Session, backup: Opened, received: list[Portion], url: str, embedded: bool
) -> None:
    """Make the received rows this stack's: connected to its Airbyte or to none."""
    held = {portion.name: rows.held(portion) for portion in received}
    if embedded and f"{AIRBYTE}.actors" in held:
        old = backup.key.decrypt(backup.reader.read(AIRBYTE_KEY_MEMBER, 10_000).decode())
        home = settings.home
        adopt_actors(session, held[f"{AIRBYTE}.actors"], old, airbyte_key(home), url, home)
    elif not embedded:
        # Another Airbyte keeps its own ids: `sluice tenant add` finds or makes what belongs to the names.
        session.execute(sql.SQL("update {} set workspace_id = null").format(held["sluice.tenants"]))
        unconnected = "update {} set source_id = null, connection_id = null"
        session.execute(sql.SQL(unconnected).format(held["sluice.tenant_sources"]))

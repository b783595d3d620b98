"""Restoring the whole into a home without tenants; one that ends early is run again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from analysis.errors import PermanentError
from analysis.store.audit import append
from analysis.store.connect import open_engine
from orchestration.settings import Settings
from orchestration.stack import bootstrap, ingestion_server, lifecycle, orchestrator
from orchestration.stack.backup import programs, unfinished
from orchestration.stack.backup.archive import Reader
from orchestration.stack.backup.entries import split_entries
from orchestration.stack.backup.keys import AIRBYTE_KEY_MEMBER, adopt_actors, airbyte_key, encrypt_anew
from orchestration.stack.backup.manifest import Manifest
from orchestration.stack.backup.snapshot import PLATFORM, count_rows, schemas_of
from orchestration.stack.backup.whole import DAGSTER_MEMBER, WAREHOUSE_MEMBER
from orchestration.stack.endpoints import FILE_NAME
from orchestration.stack.lifecycle import DatabaseUrls
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.registry import add_tenant
from orchestration.tenancy.removal import sweep_orphans, tenant_schemas
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import transaction
from orchestration.tenancy.walls.platform import prepare_platform
from orchestration.tenancy.walls.roles import create_roles, drop_roles

Report = Callable[[str], None]
Session = psycopg.Connection[Any]
WITH_LOGINS = ("active", "paused")
CANCELLED = """
update airbyte.jobs set status = 'cancelled', failure_reason = %s, ended_at = now()
where status in ('pending', 'running', 'incomplete')
"""
END_RUNS = """
update runs set status = 'CANCELED',
  run_body = replace(run_body, '"DagsterRunStatus.' || status || '"', '"DagsterRunStatus.CANCELED"')
where status not in ('SUCCESS', 'FAILURE', 'CANCELED')
"""
RESTORED = "The stack was restored from a backup while the job ran; start it again."


@dataclass(frozen=True)
class Opened:
    """A backup that was verified, and the key that it was written with."""

    reader: Reader
    manifest: Manifest
    key: SecretKey


def restore_whole(settings: Settings, backup: Opened, key: SecretKey, report: Report) -> None:
    """Fill this home's databases from the backup; the stack is started again, and the UI if it ran."""
    had_ui = orchestrator.running_port(settings.home) is not None
    urls = lifecycle.start_databases(settings, report)
    refuse_unfit(urls.control, backup.manifest)
    report("stopping what works on the databases")
    orchestrator.stop(settings.home)
    ingestion_server.stop(settings.home)
    (settings.home / FILE_NAME).unlink(missing_ok=True)
    try:
        replace(settings, urls, backup, key, report)
    except BaseException:
        with contextlib.suppress(Exception):  # the error that is told is the first
            lifecycle.up(settings, with_ui=had_ui)
        raise
    lifecycle.up(settings, with_ui=had_ui, report=report)


def replace(settings: Settings, urls: DatabaseUrls, backup: Opened, key: SecretKey, report: Report) -> None:
    """Replace what an empty stack's databases hold; marked from the first change to the last, empty after a failure."""
    with bootstrap.connect(urls.control) as session:
        unfinished.take(session)
        refuse_unfit(urls.control, backup.manifest)
        wipe(urls.control, session)
        unfinished.mark(session, [entry.tenant for entry in backup.manifest.tenants])
        try:
            _fill(settings, urls, backup, key, report)
        except BaseException:
            with contextlib.suppress(Exception):  # the error that is told is the first; the mark stays if this fails
                wipe(urls.control, session)
                bootstrap.prepare_warehouse(urls.control)
                unfinished.clear(session)
            raise
        with transaction(open_engine(urls.control)) as connection:
            append(connection, tenant=None, action="stack.restore", detail=audit_detail(backup))
        unfinished.clear(session)


def audit_detail(backup: Opened) -> dict[str, object]:
    """What the audit log says of a restore."""
    manifest = backup.manifest
    return {"kind": manifest.kind, "made_at": manifest.made_at.isoformat(), "file": backup.reader.path.name}


def wipe(url: str, session: Session) -> None:
    """Drop everything of Sluice's but the roles of its own: the stack has no tenants, or only half-restored ones."""
    engine = open_engine(url)
    for tenant in unfinished.marked_tenants(session):
        for schema in tenant_schemas(engine, tenant):
            session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        with contextlib.suppress(psycopg.errors.DependentObjectsStillExist), transaction(engine) as connection:
            # Another database of this server may have a tenant of that name, whose logins these are too.
            drop_roles(connection, TenantNames(TenantId(tenant)))
    _drop_platform(session)


def _drop_platform(session: Session) -> None:
    for schema in PLATFORM:
        session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def check_counts(session: Session, manifest: Manifest) -> None:
    """Every table of the backup's tenants is here with all of its rows."""
    for entry in manifest.tenants:
        found = count_rows(session, list(entry.schemas))
        for schema, tables in entry.schemas.items():
            for table, rows in tables.items():
                if found[schema].get(table) != rows:
                    message = "The restored table lacks rows of the backup; nothing was kept."
                    raise PermanentError(message, table=f"{schema}.{table}", rows=found[schema].get(table), backup=rows)


def refuse_unfit(url: str, manifest: Manifest) -> None:
    """A PermanentError where the server, the login or what is there already cannot take the backup."""
    with bootstrap.connect(url) as session:
        programs.check_server(session.info.server_version, restoring=True)
        if session.info.user != manifest.control_role:
            message = "The backup's objects belong to another control role; use a login of that name."
            raise PermanentError(message, backup=manifest.control_role, here=session.info.user)
        if unfinished.is_marked(session):
            return
        if _has(session, "sluice.tenants") and session.execute("select 1 from sluice.tenants limit 1").fetchone():
            message = "The home has tenants or remembers removed ones; restore the whole into one that never had any."
            raise PermanentError(message)
        found = session.execute(
            "select nspname::text from pg_catalog.pg_namespace where nspname = any(%s)", [schemas_of(manifest.tenants)]
        ).fetchone()
        if found:
            raise PermanentError("A schema of the backup is here and is no tenant's; rename it.", schema=found[0])


def _fill(settings: Settings, urls: DatabaseUrls, backup: Opened, key: SecretKey, report: Report) -> None:
    from analysis.store import migrate

    engine = open_engine(urls.control)
    migrate.upgrade(urls.control)  # groups and keepers of logins come with it
    prepare_platform(engine)
    _make_logins(engine, backup.manifest)
    with bootstrap.connect(urls.control) as session:
        _drop_platform(session)
    report("restoring the warehouse")
    _restore_warehouse(urls.control, backup.reader)
    with bootstrap.connect(urls.control) as session, session.transaction():
        encrypt_anew(session, backup.key, key)
        _settle_airbyte(settings, session, backup, urls.control)
        check_counts(session, backup.manifest)
    report("bringing the control plane to the newest version")
    migrate.upgrade(urls.control)
    prepare_platform(engine)
    bootstrap.prepare_warehouse(urls.control)
    for entry in backup.manifest.tenants:
        if entry.status in WITH_LOGINS:
            add_tenant(engine, key, entry.tenant)
    sweep_orphans(engine)
    report("restoring Dagster's storage")
    programs.restore(
        urls.dagster,
        backup.reader.chunks(DAGSTER_MEMBER),
        "--clean",
        "--if-exists",
        "--no-owner",
        "--single-transaction",
    )
    with bootstrap.connect(urls.dagster) as storage:
        _end_runs(storage)


def _end_runs(storage: Session) -> None:
    """Runs of that time are over; a queued one would be started by the daemon."""
    if _has(storage, "public.runs"):
        storage.execute(END_RUNS)


def _make_logins(engine: Engine, manifest: Manifest) -> None:
    for entry in manifest.tenants:
        if entry.schemas:
            with transaction(engine) as connection:
                create_roles(connection, TenantNames(TenantId(entry.tenant)))


def _restore_warehouse(url: str, reader: Reader) -> None:
    """Schemas with their grants first: only then may others than the control role own what is in them."""
    schemas, rest = split_entries(programs.contents(reader.chunks(WAREHOUSE_MEMBER)))
    programs.restore(url, reader.chunks(WAREHOUSE_MEMBER), "--single-transaction", entries=schemas)
    programs.restore(url, reader.chunks(WAREHOUSE_MEMBER), "--transaction-size=1000", entries=rest)


def _settle_airbyte(settings: Settings, session: Session, backup: Opened, control_url: str) -> None:
    """Jobs of that time do not run on, and configurations are this home's to decrypt and lead to its warehouse."""
    if not _has(session, "airbyte.jobs") or AIRBYTE_KEY_MEMBER not in backup.reader.sizes:
        return
    session.execute(CANCELLED, [RESTORED])
    if _has(session, "airbyte.written_tables"):  # they name the warehouse that was; the server notes them anew
        session.execute("delete from airbyte.written_tables")
    old = backup.key.decrypt(backup.reader.read(AIRBYTE_KEY_MEMBER, 10_000).decode())
    home = settings.home
    adopt_actors(session, sql.Identifier("airbyte", "actors"), old, airbyte_key(home), control_url, home)


def _has(session: Session, table: str) -> bool:
    row = session.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])

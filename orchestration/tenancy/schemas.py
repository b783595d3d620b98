"""A tenant's schemas outside of releases: raw, sample, scratch and history, and who may do what in each."""

from sqlalchemy import Connection, Engine

from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.grants import LOADER, Kind, grant_schema, grant_tables
from orchestration.tenancy.walls.roles import cut_sessions


def schema_exists(connection: Connection, schema: str) -> bool:
    """Whether the database has a schema of this name."""
    return bool(fetch(connection, "select 1 from pg_catalog.pg_namespace where nspname = %(name)s", name=schema))


def create_schemas(connection: Connection, names: TenantNames, *, loader: str = LOADER) -> None:
    """Create the schemas that a tenant always has, with their grants; safe to repeat."""
    _create(connection, names, "raw", names.raw, loader)
    _create(connection, names, "history", names.history, loader)


def grant_raw_read(connection: Connection, tenant: str) -> None:
    """Let the builder read every raw and sample table there is: an Airbyte may move tables in from elsewhere."""
    names = TenantNames(TenantId(tenant))
    if schema_exists(connection, names.raw):
        grant_tables(connection, names, "raw", names.raw)
    if schema_exists(connection, names.sample):
        grant_tables(connection, names, "sample", names.sample)


def open_sample(engine: Engine, tenant: str, *, loader: str = LOADER) -> str:
    """An empty sample schema that Airbyte may fill; what a dead run left in it is gone. Returns its name."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _drop(connection, names.sample)
        _create(connection, names, "sample", names.sample, loader)
    return names.sample


def drop_sample(engine: Engine, tenant: str) -> None:
    """Drop the sample, if there is one."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _drop(connection, names.sample)


def open_scratch(engine: Engine, tenant: str) -> str:
    """An empty scratch schema that the builder may fill; what a dead run left in it is gone. Returns its name."""
    names = TenantNames(TenantId(tenant))
    drop_scratch(engine, tenant)
    with transaction(engine) as connection:
        _create(connection, names, "scratch", names.scratch)
    return names.scratch


def drop_scratch(engine: Engine, tenant: str) -> None:
    """Drop the scratch schema, if there is one, from under whoever still works in it."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        _drop(connection, names.scratch)


def create_build(connection: Connection, names: TenantNames) -> None:
    """The empty schema, the control role's, that the builder fills with the next release."""
    _create(connection, names, "build", names.build)


def _create(connection: Connection, names: TenantNames, kind: Kind, schema: str, loader: str = LOADER) -> None:
    run(connection, "create schema if not exists {schema}", schema=schema)
    grant_schema(connection, names, kind, schema, loader=loader)


def _drop(connection: Connection, schema: str) -> None:
    run(connection, "drop schema if exists {schema} cascade", schema=schema)

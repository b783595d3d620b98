"""A tenant's schemas outside of releases: raw, sample, scratch and history, and who may do what in each."""

from sqlalchemy import Connection, Engine

from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.roles import cut_sessions
from orchestration.tenancy.statements import fetch, run, transaction

LOADER = "sluice_loader"
"""The login of Airbyte's destination."""


def schema_exists(connection: Connection, schema: str) -> bool:
    """Whether the database has a schema of this name."""
    return bool(fetch(connection, "select 1 from pg_catalog.pg_namespace where nspname = %(name)s", name=schema))


def create_schemas(connection: Connection, names: TenantNames, *, loader: str = LOADER) -> None:
    """Create the schemas that a tenant always has, with their grants; safe to repeat."""
    _create_loaded(connection, names.raw, names.builder, loader)
    run(connection, "create schema if not exists {schema}", schema=names.history)
    _let_read(connection, names.history, names.builder)
    future = "alter default privileges in schema {schema} grant select on tables to {role}"
    run(connection, future, schema=names.history, role=names.builder)


def grant_raw_read(connection: Connection, tenant: str) -> None:
    """Let the builder read every raw and sample table there is: an Airbyte may move tables in from elsewhere."""
    names = TenantNames(TenantId(tenant))
    for schema in (names.raw, names.sample):
        if schema_exists(connection, schema):
            _let_read(connection, schema, names.builder)


def open_sample(engine: Engine, tenant: str, *, loader: str = LOADER) -> str:
    """An empty sample schema that Airbyte may fill; what a dead run left in it is gone. Returns its name."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _drop(connection, names.sample)
        _create_loaded(connection, names.sample, names.builder, loader)
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
        create_for_builder(connection, names.scratch, names.builder)
    return names.scratch


def drop_scratch(engine: Engine, tenant: str) -> None:
    """Drop the scratch schema, if there is one, from under whoever still works in it."""
    names = TenantNames(TenantId(tenant))
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        _drop(connection, names.scratch)


def create_for_builder(connection: Connection, schema: str, builder: str) -> None:
    """A schema of the control role's in which the builder may create."""
    run(connection, "create schema {schema}", schema=schema)
    run(connection, "grant usage, create on schema {schema} to {role}", schema=schema, role=builder)


def _create_loaded(connection: Connection, schema: str, builder: str, loader: str) -> None:
    run(connection, "create schema if not exists {schema}", schema=schema)
    run(connection, "grant usage, create on schema {schema} to {role}", schema=schema, role=loader)
    future = "alter default privileges for role {loader} in schema {schema} grant select on tables to {role}"
    run(connection, future, loader=loader, schema=schema, role=builder)
    _let_read(connection, schema, builder)


def _let_read(connection: Connection, schema: str, role: str) -> None:
    run(connection, "grant usage on schema {schema} to {role}", schema=schema, role=role)
    run(connection, "grant select on all tables in schema {schema} to {role}", schema=schema, role=role)


def _drop(connection: Connection, schema: str) -> None:
    run(connection, "drop schema if exists {schema} cascade", schema=schema)

"""Passwords of a tenant's logins: encrypted in the store, SCRAM verifiers in PostgreSQL, plain only in URLs."""

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError
from analysis.store.audit import append
from analysis.store.tenants import find_password, save_password
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import run_lock
from orchestration.tenancy.secrets import SecretKey, new_password
from orchestration.tenancy.statements import transaction
from orchestration.tenancy.walls.keepers import as_keeper


def set_passwords(connection: Connection, names: TenantNames, key: SecretKey) -> None:
    """Give builder and reader the passwords that are stored for them, made at first use."""
    for login in (names.builder, names.reader):
        stored = find_password(connection, names.tenant, login)
        password = key.decrypt(stored) if stored else new_password()
        if not stored:
            save_password(connection, names.tenant, login, key.encrypt(password))
        _set_password(connection, names.tenant, login, password)


def renew_passwords(engine: Engine, tenant: str, key: SecretKey) -> None:
    """Give builder and reader new passwords, at once or not at all; sessions that are open stay so.

    A TenantBusyError during a run, which would not get in again with the password that it knows.
    """
    names = TenantNames(TenantId(tenant))
    with run_lock(engine, tenant), transaction(engine) as connection:
        for login in (names.builder, names.reader):
            save_password(connection, names.tenant, login, key.encrypt(new_password()))
        set_passwords(connection, names, key)
        append(connection, tenant=names.tenant, action="passwords.renew")


def _set_password(connection: Connection, tenant: TenantId, login: str, password: str) -> None:
    # The verifier is made here, so that no server log and no pg_stat_activity ever holds the password.
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    as_keeper(connection, tenant, "alter role {role} password {}", sql.Literal(verifier), role=login)


def builder_url(connection: Connection, tenant: str, key: SecretKey) -> str:
    """The URL the tenant's builder logs in with, without a driver name; it is a secret."""
    names = TenantNames(TenantId(tenant))
    return _login_url(connection, names, names.builder, key)


def reader_url(connection: Connection, tenant: str, key: SecretKey) -> str:
    """The URL the tenant's reader logs in with, without a driver name; it is a secret."""
    names = TenantNames(TenantId(tenant))
    return _login_url(connection, names, names.reader, key)


def _login_url(connection: Connection, names: TenantNames, login: str, key: SecretKey) -> str:
    stored = find_password(connection, names.tenant, login)
    if stored is None:
        raise PermanentError("The tenant has no logins; add it with `sluice tenant add`.", tenant=names.tenant)
    own = connection.engine.url.set(drivername="postgresql", username=login, password=key.decrypt(stored))
    return own.render_as_string(hide_password=False)

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine

from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from analysis.store.tenants import insert_tenant
from orchestration.stack import bootstrap


@pytest.fixture(scope="session")
def store_engine(postgres) -> Iterator[Engine]:
    """One migrated database for all tests of this folder."""
    name = sql.Identifier("test_store")
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} owner {}").format(name, sql.Identifier(bootstrap.CONTROL)))
        url = bootstrap.with_database(postgres.control_url, "test_store")
        upgrade(url)
        yield open_engine(url)
        admin.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def store(store_engine) -> Iterator[Connection]:
    """A connection on which nothing stays; the tenant `acme` is there."""
    with store_engine.connect() as connection:
        insert_tenant(connection, "acme")
        yield connection
        connection.rollback()

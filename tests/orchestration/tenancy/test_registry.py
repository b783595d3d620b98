from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from analysis.errors import PermanentError
from analysis.store import tenants
from orchestration.tenancy import registry
from orchestration.tenancy.lock import TenantBusyError, run_lock
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.walls import credentials
from orchestration.tenancy.walls.roles import role_exists


def test_a_tenant_gets_its_schemas_logins_and_sources(tenant):
    assert tenant.schemas() == {tenant.names.raw, tenant.names.history}
    detail = registry.show_tenant(tenant.engine, str(tenant))
    assert (detail.tenant.status, detail.tenant.warehouse) == ("active", "default")
    assert [(source.name, source.connector) for source in detail.sources] == [("stripe", "file")]
    for login, engine in ((tenant.names.builder, tenant.builder), (tenant.names.reader, tenant.reader)):
        with engine.connect() as connection:
            assert connection.execute(text("select current_user")).scalar_one() == login


def test_the_longest_id_works(add_tenant):
    tenant = add_tenant("9" + "a_" * 14 + "z")
    tenant.publish()
    assert tenant.seen() == tenant.publish() - 1


def test_adding_again_keeps_passwords_and_adds_sources(tenant):
    before = tenant.builder.url
    registry.add_tenant(tenant.engine, tenant.key, str(tenant), {"github": "file"})
    assert tenant.builder.url == before
    sources = registry.show_tenant(tenant.engine, str(tenant)).sources
    assert [source.name for source in sources] == ["github", "stripe"]


def test_adding_at_once_makes_one_tenant(engine, key, name):
    with ThreadPoolExecutor(3) as pool:
        rows = list(pool.map(lambda _: registry.add_tenant(engine, key, name), range(3)))
    assert {row.status for row in rows} == {"active"}


def test_an_addition_that_was_killed_is_finished_by_the_next(engine, key, name, kill_while_it_waits):
    kill_while_it_waits(lambda: registry.add_tenant(engine, key, name, {"stripe": "file"}), "sluice.tenant_credentials")
    detail = registry.show_tenant(engine, name)
    assert detail.tenant.status == "adding" and [source.name for source in detail.sources] == ["stripe"]
    assert registry.add_tenant(engine, key, name).status == "active"
    with engine.connect() as connection, psycopg.connect(credentials.reader_url(connection, name, key)) as reader:
        assert reader.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("tenant", ["Acme", "a__b", 'x"; drop schema sluice cascade; --'])
def test_an_invalid_id_leaves_no_row(engine, key, tenant):
    before = registry.list_tenants(engine)
    with pytest.raises(PermanentError, match="tenant id"):
        registry.add_tenant(engine, key, tenant)
    assert registry.list_tenants(engine) == before


def test_a_lost_key_is_an_error_that_says_so(tenant):
    with pytest.raises(PermanentError, match="another key"), tenant.engine.connect() as connection:
        credentials.builder_url(connection, str(tenant), SecretKey(Fernet.generate_key()))


def test_passwords_are_stored_encrypted_and_as_scram(tenant, postgres):
    password = tenant.reader.url.password
    with tenant.engine.connect() as connection:
        assert password not in tenants.find_password(connection, str(tenant), tenant.names.reader)
    with psycopg.connect(postgres.admin_url) as admin:
        query = "select rolpassword from pg_authid where rolname = %s"
        assert admin.execute(query, [tenant.names.reader]).fetchone()[0].startswith("SCRAM-SHA-256$")


def test_a_renewed_password_replaces_the_old_one(tenant):
    old = tenant.reader
    with run_lock(tenant.engine, str(tenant)), pytest.raises(TenantBusyError):
        credentials.renew_passwords(tenant.engine, str(tenant), tenant.key)
    old.connect().close()
    old.dispose()
    credentials.renew_passwords(tenant.engine, str(tenant), tenant.key)
    with pytest.raises(Exception, match="password authentication failed"):
        old.connect()
    tenant.reader.connect().close()


def test_a_connected_source_does_not_change_its_type(tenant):
    registry.add_tenant(tenant.engine, tenant.key, str(tenant), {"stripe": "source-stripe"})
    with tenant.engine.begin() as connection:
        tenants.set_connection(connection, str(tenant), "stripe", source_id="s", connection_id="c")
    with pytest.raises(PermanentError, match="connected as another type"):
        registry.add_tenant(tenant.engine, tenant.key, str(tenant), {"stripe": "file"})


def test_streams_of_one_table_are_refused_when_declared(tenant):
    registry.add_tenant(tenant.engine, tenant.key, str(tenant), {"shop": "file", "shop_eu": "file"})
    registry.declare_streams(tenant.engine, str(tenant), "shop", [{"name": "eu_orders"}])
    with pytest.raises(PermanentError, match="share a raw table"):
        registry.declare_streams(tenant.engine, str(tenant), "shop_eu", [{"name": "orders"}])
    registry.declare_streams(tenant.engine, str(tenant), "shop_eu", [{"name": "customers"}])


def test_a_paused_tenant_keeps_its_reason_until_it_is_resumed(tenant):
    registry.pause_tenant(tenant.engine, str(tenant), "A column vanished.")
    detail = registry.show_tenant(tenant.engine, str(tenant))
    assert (detail.tenant.status, detail.tenant.paused_reason) == ("paused", "A column vanished.")
    assert registry.add_tenant(tenant.engine, tenant.key, str(tenant)).status == "paused"
    registry.resume_tenant(tenant.engine, str(tenant))
    assert registry.show_tenant(tenant.engine, str(tenant)).tenant.status == "active"


@pytest.mark.parametrize("step", [registry.show_tenant, registry.resume_tenant])
def test_an_unknown_tenant_is_named(engine, step):
    with pytest.raises(PermanentError, match=r"no such tenant.*nobody"):
        step(engine, "nobody")


def test_roles_are_looked_up_by_their_exact_name(tenant):
    with tenant.engine.connect() as connection:
        assert role_exists(connection, tenant.names.builder)
        assert not role_exists(connection, tenant.names.builder.upper())

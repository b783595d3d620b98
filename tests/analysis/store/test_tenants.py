import pytest
from sqlalchemy import exc

from analysis.store import tenants


def test_a_tenant_is_written_once(store):
    assert not tenants.insert_tenant(store, "acme")
    assert tenants.insert_tenant(store, "globex")
    assert [row.tenant_id for row in tenants.list_tenants(store)] == ["acme", "globex"]


def test_a_reason_is_kept_only_while_the_tenant_is_paused(store):
    tenants.set_status(store, "acme", "paused", reason="A column vanished.")
    assert tenants.find_tenant(store, "acme").paused_reason == "A column vanished."
    tenants.set_status(store, "acme", "active", reason="ignored")
    assert tenants.find_tenant(store, "acme").paused_reason is None


def test_an_unknown_status_is_refused(store):
    with pytest.raises(exc.IntegrityError, match="ck_tenants_status"):
        tenants.set_status(store, "acme", "sleeping")


def test_declaring_a_source_again_keeps_what_is_known_of_it(store):
    tenants.save_source(store, "acme", "stripe", "file")
    tenants.set_connection(store, "acme", "stripe", source_id="s", connection_id="c")
    tenants.set_streams(store, "acme", "stripe", [{"name": "charges"}])
    tenants.set_approved(store, "acme", "stripe")
    tenants.save_source(store, "acme", "stripe", "source-stripe")
    (source,) = tenants.list_sources(store, "acme")
    assert (source.connector, source.connection_id, source.is_approved) == ("source-stripe", "c", True)
    assert source.streams == ({"name": "charges"},)


def test_what_is_learnt_of_an_undeclared_source_is_an_error(store):
    with pytest.raises(LookupError, match="shop"):
        tenants.set_approved(store, "acme", "shop")


def test_everything_of_a_deleted_tenant_is_gone(store):
    tenants.save_source(store, "acme", "stripe", "file")
    tenants.save_password(store, "acme", "tenant_acme_reader", "…")
    tenants.delete_tenant(store, "acme")
    assert tenants.find_tenant(store, "acme") is None
    assert tenants.list_sources(store, "acme") == ()
    assert tenants.find_password(store, "acme", "tenant_acme_reader") is None

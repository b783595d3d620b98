"""One tenant, back into the stack it was removed from and into another one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airbyte_server.secrets.box import SecretBox
from airbyte_server.state.tables import metadata as airbyte_tables
from sqlalchemy import Column, MetaData, Table, Text

from analysis.errors import PermanentError, RetryableError
from analysis.store import fleet
from orchestration.stack.backup import rows, tenant_restore, unfinished
from orchestration.stack.backup.keys import AIRBYTE_KEY, encrypted_columns
from orchestration.stack.backup.snapshot import kept_schemas
from orchestration.stack.backup.tenant import WORKSPACE
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.tenancy import registry, removal
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import releases
from orchestration.tenancy.secrets import KEY_FILE

NAMES = TenantNames(TenantId("ta"))


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Any]) -> Any:
    made = make_site()
    for tenant in ("ta", "tb"):
        made.add(tenant)
    registry.pause_tenant(made.engine, "ta", "contract under review")
    return made


@pytest.fixture(scope="module")
def file(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.backup(tmp_path_factory.mktemp("backups"), tenant="ta")


@pytest.fixture(scope="module")
def before(site: Any, file: Path) -> dict[str, Any]:
    """What was there when the backup was taken."""
    return {"tenant": _all_of(site, "ta"), "other": _all_of(site, "tb"), "url": site.reader_url("ta")}


def _all_of(site: Any, tenant: str) -> dict[str, Any]:
    names = TenantNames(TenantId(tenant))
    schemas = kept_schemas(names, removal.tenant_schemas(site.engine, tenant))
    return {
        "schemas": schemas,
        "structure": site.structure(schemas),
        "content": site.content(schemas),
        "memory": site.memory(tenant),
        "plans": _plans(site, tenant),
        "airbyte": _airbyte(site, tenant),
    }


def _plans(site: Any, tenant: str) -> list[Any]:
    """Plans in their order with what refers to them, whatever their numbers are."""
    return site.query(
        "select plan ->> 's', (select count(*) from sluice.gate_verdicts v where v.plan_id = p.plan_id),"
        " (select string_agg(reason, ',') from sluice.reviews r where r.plan_id = p.plan_id)"
        " from sluice.model_plans p where tenant_id = %s order by p.plan_id", tenant,
    )  # fmt: skip


def _airbyte(site: Any, tenant: str) -> list[Any]:
    return site.query(
        "select w.workspace_id, c.connection_id, c.source_id, c.destination_id, s.stream, s.state"
        " from airbyte.workspaces w join airbyte.connections c using (workspace_id)"
        " join airbyte.stream_states s using (connection_id) where w.name = %s", f"tenant_{tenant}",
    )  # fmt: skip


def _forget(site: Any) -> None:
    """What `tenant remove` does: Airbyte's workspace, then the rest."""
    site.query("delete from airbyte.workspaces where name = 'tenant_ta' returning 1")
    removal.remove_tenant(site.engine, "ta")


@pytest.fixture(scope="module")
def restored(site: Any, file: Path, before: dict[str, Any]) -> Any:
    with pytest.raises(PermanentError, match="Tenant ta is there; remove it first with `sluice tenant remove ta`"):
        site.restore(file, "ta")
    _forget(site)
    assert removal.tenant_schemas(site.engine, "ta") == []
    site.restore(file.parent, "ta")
    return site


def test_the_tenant_is_back_as_it_was(restored: Any, before: dict[str, Any]) -> None:
    assert _all_of(restored, "ta") == before["tenant"]
    assert len(before["tenant"]["content"]["tenant_ta._airbyte_states"]) == 1  # how far the rows beside it were read
    detail = registry.show_tenant(restored.engine, "ta")
    assert (detail.tenant.status, detail.tenant.paused_reason) == ("paused", "contract under review")


def test_other_tenants_stay_as_they_are(restored: Any, before: dict[str, Any]) -> None:
    assert _all_of(restored, "tb") == before["other"]


def test_its_reader_logs_in_with_the_same_password_and_releases_go_on(restored: Any, before: dict[str, Any]) -> None:
    assert restored.reader_url("ta") == before["url"]
    assert restored.reader_sees("ta") == (3, 3)
    releases.rollback(restored.engine, "ta")
    assert restored.reader_sees("ta") == (2, 2)
    restored.publish(NAMES)
    assert restored.reader_sees("ta") == (4, 4)


def test_both_are_audited(restored: Any, file: Path) -> None:
    query = "select action, detail ->> 'file' from sluice.audit_log where tenant = 'ta' and action ~ 'backup|restore'"
    assert restored.query(f"{query} order by seq") == [
        ("tenant.backup", file.name),
        ("tenant.restore", file.name),
    ]


def test_a_second_restore_at_once_is_refused_before_it_clears_the_firsts_half(restored: Any, file: Path) -> None:
    known = restored.query("select tenant_id, status, paused_reason from sluice.tenants order by 1")
    with psycopg.connect(restored.urls.control, autocommit=True) as other:
        unfinished.take(other)
        with pytest.raises(RetryableError, match="Another restore works on this database"):
            restored.restore(file, "ta")
    assert restored.query("select tenant_id, status, paused_reason from sluice.tenants order by 1") == known


@pytest.mark.slow
@pytest.mark.parametrize("step", ["check_counts", "append"])
def test_a_restore_that_fails_leaves_no_tenant_and_a_killed_one_is_run_again(
    restored: Any, file: Path, before: dict[str, Any], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _forget(restored)

    def fail(*_: object, **__: object) -> None:
        raise PermanentError("Something failed.")

    with monkeypatch.context() as broken:
        broken.setattr(tenant_restore, step, fail)
        with pytest.raises(PermanentError, match="Something failed"):
            restored.restore(file, "ta")
        assert [row.tenant_id for row in registry.list_tenants(restored.engine)] == ["tb"]
        assert restored.query("select status from sluice.tenants where tenant_id = 'ta'") == [("removed",)]
        assert restored.query("select count(*) from sluice.model_plans where tenant_id = 'ta'") == [(2,)]
        assert removal.tenant_schemas(restored.engine, "ta") == []
        assert _airbyte(restored, "ta") == []
        broken.setattr(tenant_restore, "remove_tenant", fail)  # as if the process were killed before it cleaned up
        with pytest.raises(PermanentError, match="Something failed"):
            restored.restore(file, "ta")
        assert [row.status for row in registry.list_tenants(restored.engine)] == ["adding", "active"]
    restored.restore(file, "ta")
    assert _all_of(restored, "ta") == before["tenant"]


def test_every_table_is_a_tenants_or_listed_as_none() -> None:
    for metadata, roots in ((fleet.current_release.metadata, {}), (airbyte_tables, WORKSPACE)):
        found = {portion.name for portion in rows.portions(metadata, roots)}
        assert found | set(rows.NOT_OF_A_TENANT) >= {table.fullname for table in metadata.sorted_tables}
        assert not found & set(rows.NOT_OF_A_TENANT)
    known = {
        table.fullname for each in (fleet.current_release.metadata, airbyte_tables) for table in each.sorted_tables
    }
    assert set(rows.NOT_OF_A_TENANT) <= known


def test_a_table_that_leads_to_no_tenant_is_named() -> None:
    metadata = MetaData()
    Table("forgotten", metadata, Column("name", Text, primary_key=True), schema="sluice")
    with pytest.raises(LookupError, match=r"sluice\.forgotten"):
        rows.portions(metadata)


def test_what_is_encrypted_with_the_key_is_found_by_its_name() -> None:
    assert list(encrypted_columns()) == [('"sluice"."tenant_credentials"', "password_encrypted")]


def test_what_makes_no_backup_is_refused_in_words(site: Any, file: Path, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="There is no such tenant"):
        site.backup(tmp_path, tenant="nobody")
    with pytest.raises(PermanentError, match="never holds the stack's key"):
        site.backup(tmp_path, tenant="ta", with_secrets=True)
    with pytest.raises(PermanentError, match="The file holds another tenant"):
        site.restore(file, "tb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_another_stack_takes_the_tenant_beside_its_own(
    site: Any, file: Path, before: dict[str, Any], make_site: Callable[..., Any]
) -> None:
    other = make_site()
    other.add("tc")
    own = _all_of(other, "tc")
    with pytest.raises(PermanentError, match="written with another secret key"):
        other.restore(file, "ta")
    assert registry.list_tenants(other.engine)[0].tenant_id == "tc"
    other.restore(file, "ta", key_file=site.settings.home / KEY_FILE)
    assert _all_of(other, "ta") == before["tenant"]
    assert _all_of(other, "tc") == own
    assert other.reader_url("ta", at=site) == before["url"]
    assert other.reader_sees("ta") == (3, 3)
    numbers = other.query("select tenant_id, plan_id from sluice.model_plans order by plan_id")
    assert numbers == [("tc", 1), ("tc", 2), ("ta", 3), ("ta", 4)]
    assert other.query("select nextval(pg_get_serial_sequence('airbyte.jobs', 'job_id'))")[0][0] > 41
    box = SecretBox(keep_named_secret(other.settings.home, AIRBYTE_KEY))
    for actor, kind, sealed in other.query(
        "select actor_id::text, kind, configuration from airbyte.actors join airbyte.workspaces using (workspace_id)"
        " where workspaces.name = 'tenant_ta'"
    ):
        opened = box.open(bytes(sealed), purpose=actor)
        expected = psycopg.conninfo.conninfo_to_dict(other.urls.control)["dbname"]
        assert opened["database"] == expected if kind == "destination" else opened["api_key"] == "s3cret"

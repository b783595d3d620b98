"""The whole of a stack, into an empty one beside it."""

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airbyte_server.secrets.box import SecretBox
from cryptography.fernet import Fernet

from analysis.errors import PermanentError, RetryableError
from orchestration.stack import bootstrap
from orchestration.stack.backup import programs, service, snapshot, unfinished, whole_restore
from orchestration.stack.backup.archive import open_archive
from orchestration.stack.backup.keys import AIRBYTE_KEY
from orchestration.stack.backup.manifest import read_manifest
from orchestration.stack.backup.snapshot import PLATFORM, kept_schemas
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.tenancy import registry, removal, schemas
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases
from orchestration.tenancy.secrets import KEY_FILE

CHANGES_ON_THE_WAY = {
    "airbyte.actors",
    "airbyte.written_tables",
    "sluice.audit_head",
    "sluice.audit_log",
    "sluice.tenant_credentials",
}


@pytest.fixture(scope="module")
def source(make_site: Callable[..., Any]) -> Any:
    site = make_site()
    for tenant in ("wa", "wb"):
        site.add(tenant)
    schemas.open_scratch(site.engine, "wa")
    schemas.open_sample(site.engine, "wa")
    registry.add_tenant(site.engine, site.key, "wc")
    builds.open_build(site.engine, "wc")
    with psycopg.connect(site.urls.dagster) as storage:
        storage.execute("create table runs (status text, run_body text)")
        storage.execute("""insert into runs values ('QUEUED', '{"status": {"__enum__": "DagsterRunStatus.QUEUED"}}')""")
    return site


@pytest.fixture(scope="module")
def file(source: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source.backup(tmp_path_factory.mktemp("backups"))


def test_settings_in_a_url_reach_the_programs(source: Any) -> None:
    url = f"{source.urls.dagster}?options=-c%20application_name%3Da%2Bb"
    assert b"".join(programs.dump(url)).startswith(b"PGDMP")


@pytest.fixture(scope="module")
def target(source: Any, file: Path, make_site: Callable[..., Any]) -> Any:
    """Another home with a key and an Airbyte of its own, into which the backup was restored."""
    site = make_site()
    site.restore_whole(file, key_file=source.settings.home / KEY_FILE)
    return site


def test_every_relation_grant_owner_and_row_is_as_it_was(source: Any, target: Any) -> None:
    names = [*(name for tenant in ("wa", "wb") for name in _kept(source, tenant)), *PLATFORM]
    assert len(names) == 2 * 5 + len(PLATFORM)
    assert target.structure(names) == source.structure(names)
    was, now = source.content(names), target.content(names)
    for name in was.keys() - CHANGES_ON_THE_WAY:
        assert _others(now[name]) == _others(was[name]), name
    assert now.keys() == was.keys()
    assert target.query("select status from sluice.releases where tenant_id = 'wc'") == [("failed",)]


def _kept(site: Any, tenant: str) -> list[str]:
    return kept_schemas(TenantNames(TenantId(tenant)), removal.tenant_schemas(site.engine, tenant))


def _others(rows: list[str]) -> list[str]:
    """Without the tenant whose build was in progress: it is over after the restore."""
    return [row for row in rows if not row.startswith("(wc,")]


def test_samples_proofs_and_builds_stay_behind(source: Any, target: Any) -> None:
    passing = {"tenant_wa_sample", "tenant_wa__scratch", "tenant_wc_analytics__build"}
    query = "select nspname from pg_namespace where nspname = any(%s)"
    assert {name for (name,) in source.query(query, list(passing))} == passing
    assert target.query(query, list(passing)) == []


def test_readers_log_in_with_the_same_passwords_and_releases_can_be_rolled_back(source: Any, target: Any) -> None:
    for tenant in ("wa", "wb"):
        assert target.reader_url(tenant, at=source) == source.reader_url(tenant)
        assert target.reader_sees(tenant) == (3, 3)
    releases.rollback(target.engine, "wa")
    assert target.reader_sees("wa") == (2, 2)
    target.publish(TenantNames(TenantId("wa")))
    assert target.reader_sees("wa") == (4, 4)


def test_airbyte_opens_its_configurations_with_the_homes_own_key_and_writes_here(source: Any, target: Any) -> None:
    box = SecretBox(keep_named_secret(target.settings.home, AIRBYTE_KEY))
    rows = target.query("select actor_id::text, kind, configuration from airbyte.actors")
    opened = [(kind, box.open(bytes(sealed), purpose=actor)) for actor, kind, sealed in rows]
    assert [each for kind, each in opened if kind == "source"] == [{"path": "/exports", "api_key": "s3cret"}] * 2
    here = psycopg.conninfo.conninfo_to_dict(target.urls.control)
    for configuration in (each for kind, each in opened if kind == "destination"):
        assert configuration["database"] == here["dbname"]
        assert (configuration["host"], str(configuration["port"])) == (here["host"], here["port"])
        assert configuration["username"] == bootstrap.LOADER
        assert configuration["schema"] in ("tenant_wa", "tenant_wb")
    assert target.query("select * from airbyte.written_tables") == []


def test_runs_of_that_time_are_over(target: Any) -> None:
    with psycopg.connect(target.urls.dagster) as storage:
        assert storage.execute("select * from runs").fetchall() == [
            ("CANCELED", '{"status": {"__enum__": "DagsterRunStatus.CANCELED"}}')
        ]


def test_a_stack_with_tenants_is_refused_as_is_a_second_restore_at_once(source: Any, target: Any, file: Path) -> None:
    key = source.settings.home / KEY_FILE
    with pytest.raises(PermanentError, match="The home has tenants"):
        target.restore_whole(file, key_file=key)
    with psycopg.connect(target.urls.control, autocommit=True) as other:
        unfinished.take(other)
        with pytest.raises(RetryableError, match="Another restore works on this database"):
            target.restore_whole(file, key_file=key)
    assert target.reader_sees("wb") == (3, 3)


def test_the_file_says_what_it_holds_and_is_its_owners_alone(source: Any, file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with open_archive(file) as reader:
        manifest = read_manifest(reader)
        assert KEY_FILE not in reader.sizes
    assert [(each.tenant, each.published, each.kept) for each in manifest.tenants] == [
        ("wa", 3, (1, 2)),
        ("wb", 3, (1, 2)),
        ("wc", None, ()),
    ]
    assert manifest.tenants[0].schemas["tenant_wa"] == {"shop_Orders": 50, "_airbyte_states": 1}
    assert manifest.tables["sluice"]["tenants"] == 3
    password = source.query("select password_encrypted from sluice.tenant_credentials")[0][0]
    stored = file.read_bytes()
    assert source.key.decrypt(password).encode() not in stored
    assert source.key.reveal().encode() not in stored


def test_a_backup_is_audited_and_replaces_no_file(source: Any, file: Path) -> None:
    query = "select action, detail ->> 'file' from sluice.audit_log where action = 'stack.backup'"
    assert ("stack.backup", file.name) in source.query(query)
    with pytest.raises(PermanentError, match="never replaces one"):
        source.backup(file)


@pytest.mark.slow
def test_a_key_that_is_not_the_backups_is_refused_unless_it_is_in_the_file(
    source: Any, file: Path, make_site: Callable[..., Any], tmp_path: Path
) -> None:
    other = make_site()
    with pytest.raises(PermanentError, match="written with another secret key"):
        other.restore_whole(file)
    secret = source.backup(tmp_path / "secret.tar", with_secrets=True)
    assert source.key.reveal().encode() in secret.read_bytes()
    other.restore_whole(secret)
    assert other.reader_sees("wa") == (3, 3)
    assert other.key.reveal() != source.key.reveal()


@pytest.mark.slow
def test_a_restore_that_fails_leaves_nothing_and_a_killed_one_is_run_again(
    source: Any, file: Path, make_site: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_site(source.key.reveal())

    def fail(*_: object, **__: object) -> None:
        raise PermanentError("Something failed.")

    with monkeypatch.context() as broken:
        broken.setattr(whole_restore, "sweep_orphans", fail)
        with pytest.raises(PermanentError, match="Something failed"):
            other.restore_whole(file)
        assert not other.query("select 1 from pg_namespace where nspname ~ '^tenant_|^sluice$|restoring'")
        broken.setattr(whole_restore, "wipe", _only_first(whole_restore.wipe))
        with pytest.raises(PermanentError, match="Something failed"):
            other.restore_whole(file)
    with pytest.raises(PermanentError, match="did not finish; run `sluice restore` again"):
        unfinished.refuse_half_restored(other.urls.control)
    other.restore_whole(file)
    unfinished.refuse_half_restored(other.urls.control)
    assert other.reader_sees("wb") == (3, 3)


def _only_first(wipe: Callable[..., None]) -> Callable[..., None]:
    """As if the process were killed before it could clean up."""
    calls: list[None] = []

    def run(*arguments: Any) -> None:
        calls.append(None)
        if len(calls) > 1:
            raise RuntimeError("killed")
        wipe(*arguments)

    return run


def test_a_release_that_is_published_meanwhile_is_read_again(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_site: Callable[..., Any]
) -> None:
    dump, swaps = programs.dump, iter([True, False])

    def dump_after_a_swap(url: str, **options: Any) -> Any:
        if options and next(swaps):
            releases.rollback(source.engine, "wa", 2 if source.reader_sees("wa") == (3, 3) else 3)
        return dump(url, **options)

    monkeypatch.setattr(programs, "dump", dump_after_a_swap)
    file = source.backup(tmp_path)
    with open_archive(file) as reader:
        assert read_manifest(reader).tenants[0].published == source.reader_sees("wa")[0] == 2
    monkeypatch.setattr(snapshot, "ATTEMPTS", 1)
    swaps = iter([True])
    with pytest.raises(RetryableError, match="Releases were published or tables replaced while the backup read them"):
        source.backup(tmp_path / "moved.tar")
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_server_newer_than_the_programs_is_refused() -> None:
    with pytest.raises(PermanentError, match="The server is PostgreSQL 19 and the programs here are 18"):
        programs.check_server(190001)
    with pytest.raises(PermanentError, match="Restoring needs PostgreSQL 17 or newer"):
        programs.check_server(160014, restoring=True)


def test_no_password_is_in_an_argument_or_an_error(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    start = subprocess.Popen

    def note(command: list[str], *arguments: Any, **options: Any) -> Any:
        commands.append(command)
        return start(command, *arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", note)
    password = psycopg.conninfo.conninfo_to_dict(source.urls.control)["password"]
    for url in (source.urls.control, f"{source.urls.control.replace(f':{password}@', '@')}?password={password}"):
        assert next(programs.dump(url, schemas=["sluice"])).startswith(b"PGDMP")
    assert len(commands) == 2
    assert not [word for command in commands for word in command if password in word]
    wrong = bootstrap.with_login(source.urls.control, bootstrap.CONTROL, "hidden p@ss")
    with pytest.raises(PermanentError, match="pg_dump failed") as caught:
        list(programs.dump(wrong))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("place", ["missing/file.tar"])
def test_a_folder_that_is_not_there_is_named(source: Any, tmp_path: Path, place: str) -> None:
    with pytest.raises(PermanentError, match="folder of the backup is not there"):
        service.back_up(source.settings, tmp_path / place, lambda line: None)
    with pytest.raises(PermanentError, match="holds no such backup"):
        service.restore(source.settings, tmp_path, lambda line: None)


def test_a_key_is_told_by_a_fingerprint_that_gives_nothing_away(source: Any) -> None:
    other = Fernet.generate_key().decode()
    assert source.key.fingerprint not in source.key.reveal()
    assert source.key.fingerprint != type(source.key)(other).fingerprint

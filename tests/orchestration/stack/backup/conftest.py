"""Backups between two stacks of one cluster: real tenants, real pg_dump, every relation compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from airbyte_server.loader import StreamTarget, state_table
from airbyte_server.secrets.box import SecretBox
from airbyte_server.state.storage import Storage
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Engine, text

from analysis.store import fleet, migrate, runs, syncs
from analysis.store import tenants as tenant_rows
from analysis.store.connect import open_engine
from orchestration.settings import Settings
from orchestration.stack import bootstrap
from orchestration.stack.backup import rows, service, whole_restore
from orchestration.stack.backup.archive import open_archive
from orchestration.stack.backup.keys import AIRBYTE_KEY
from orchestration.stack.backup.manifest import read_manifest, source_key, verify
from orchestration.stack.backup.whole_restore import Opened
from orchestration.stack.endpoints import Endpoints
from orchestration.stack.ingestion_server import make_fernet_key
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.stack.lifecycle import DatabaseUrls
from orchestration.tenancy import registry
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.secrets import KEY_FILE, SecretKey, load_key
from orchestration.tenancy.walls import credentials
from orchestration.tenancy.walls.platform import prepare_platform

MART = """create table "{build}".dashboard_summary as select date '2026-03-01' as summary_date,
  {n}::bigint as customer_count, 0::bigint as new_customer_count, 0::bigint as payment_count, 0::bigint as order_count,
  '{{}}'::jsonb as revenue_by_currency, 0::bigint as pull_requests_opened, 0::bigint as pull_requests_merged,
  0::bigint as tickets_opened, 0::bigint as tickets_closed"""
STRUCTURE = """
select 'schema', nspname, null, nspowner::regrole::text,
  coalesce(nspacl, acldefault('n', nspowner))::text from pg_namespace where nspname = any(%(names)s)
union all select 'relation', relnamespace::regnamespace::text, relname || ' ' || relkind::text, relowner::regrole::text,
  coalesce(relacl, acldefault(case relkind when 'S' then 's'::"char" else 'r' end, relowner))::text
  || coalesce(reloptions::text, '') || relrowsecurity || relforcerowsecurity
  from pg_class where relnamespace::regnamespace::text = any(%(names)s) and relkind in ('r', 'v', 'i', 'S')
union all select 'default', defaclnamespace::regnamespace::text, defaclrole::regrole::text, null, defaclacl::text
  from pg_default_acl where defaclnamespace::regnamespace::text = any(%(names)s)
union all select 'policy', schemaname, tablename || policyname, roles::text, qual from pg_policies
  where schemaname = any(%(names)s)
union all select 'view', schemaname, viewname, null, definition from pg_views where schemaname = any(%(names)s)
union all select 'trigger', relnamespace::regnamespace::text, relname || tgname, null, pg_get_triggerdef(pg_trigger.oid)
  from pg_trigger join pg_class on pg_class.oid = tgrelid where relnamespace::regnamespace::text = any(%(names)s)
  and not tgisinternal
order by 1, 2, 3, 4, 5
"""


@dataclass(frozen=True)
class Site:
    """A home with its databases: as much of a stack as a backup touches."""

    settings: Settings
    urls: DatabaseUrls
    loader_url: str

    @property
    def engine(self) -> Engine:
        return open_engine(self.urls.control)

    @property
    def key(self) -> SecretKey:
        return load_key(self.settings)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.urls.control) as connection:
            return connection.execute(statement, values or None).fetchall()  # type: ignore[call-overload]

    def backup(self, place: Path, **options: Any) -> Path:
        return Path(service.back_up(self.settings, place, lambda line: None, **options).file)

    def restore(self, place: Path, tenant: str, **options: Any) -> service.Outcome:
        return service.restore(self.settings, place, lambda line: None, tenant=tenant, **options)

    def restore_whole(self, file: Path, key_file: Path | None = None) -> None:
        """What `restore` does to the databases, without the programs that it stops and starts."""
        with open_archive(file) as reader:
            manifest = read_manifest(reader)
            key = source_key(reader, manifest, self.key, key_file)
            verify(reader, manifest, key)
            whole_restore.replace(self.settings, self.urls, Opened(reader, manifest, key), self.key, lambda line: None)

    def add(self, tenant: str) -> TenantNames:
        """A tenant with raw rows, three releases, memory of every kind and a connection in Airbyte."""
        names = TenantNames(TenantId(tenant))
        registry.add_tenant(self.engine, self.key, tenant, {"shop": "file"})
        with psycopg.connect(self.loader_url) as loader:
            loader.execute(
                sql.SQL("create table {} as select i as id, 'Ünï\\n\t' || i as name from generate_series(1, 50) as i")
                .format(sql.Identifier(names.raw, "shop_Orders"))
            )  # fmt: skip
        with psycopg.connect(self.urls.control) as control:
            control.execute(sql.SQL("create table {} (day date primary key, n int)").format(
                sql.Identifier(names.history, "kept")
            ))  # fmt: skip
            control.execute(sql.SQL("insert into {} values ('2026-03-01', 7)").format(
                sql.Identifier(names.history, "kept")
            ))  # fmt: skip
        self.remember(tenant)
        for _ in range(3):
            self.publish(names)
        self.connect(names)
        return names

    def publish(self, names: TenantNames) -> None:
        number = builds.open_build(self.engine, names.tenant).number
        with self.engine.connect() as connection:
            builder = credentials.builder_url(connection, names.tenant, self.key)
        with psycopg.connect(builder) as connection:
            connection.execute(MART.format(build=names.build, n=number).encode())
            connection.execute(f'create view "{names.build}".doubled as select customer_count * 2 as twice'
                               f' from "{names.build}".dashboard_summary'.encode())  # fmt: skip
        builds.finish_build(self.engine, names.tenant, number)
        sealing.seal_build(self.engine, names.tenant)
        releases.publish(self.engine, names.tenant)

    def remember(self, tenant: str) -> None:
        with self.engine.begin() as store:
            store.execute(text(f"insert into sluice.model_sets values ('set-{tenant}', '1', '{{}}')"))
            for status in ("superseded", "approved"):
                plan = text(
                    "insert into sluice.model_plans (tenant_id, model_set, plan, status)"
                    f" values ('{tenant}', 'set-{tenant}', '{{\"s\": \"{status}\"}}', '{status}') returning plan_id"
                )
                plan_id = store.execute(plan).scalar_one()
                store.execute(
                    text(f"insert into sluice.gate_verdicts (plan_id, gate, passed) values ({plan_id}, 'x', true)")
                )
                store.execute(text(f"insert into sluice.reviews (plan_id, reason) values ({plan_id}, '{status}')"))
            counts = {"orders": syncs.StreamCount(50, 1)}
            syncs.record_sync(store, tenant, "shop", syncs.EndedSync("c1", "shop", "41", "succeeded", streams=counts))
            runs.record_incident(store, tenant, "sync", "A \\. sentence\twith\nodd characters.", is_permanent=True)

    def connect(self, names: TenantNames) -> None:
        """A workspace with a source, the destination and a connection with state, as the server keeps them."""
        workspace, source, destination, connection = (str(uuid4()) for _ in range(4))
        box = SecretBox(keep_named_secret(self.settings.home, AIRBYTE_KEY))
        actors = [
            (source, "source", "shop", "file", {"path": "/exports", "api_key": "s3cret"}),
            (destination, "destination", "warehouse", "postgres", {"host": "old", "port": 1, "schema": names.raw}),
        ]
        with psycopg.connect(self.urls.control) as control:
            control.execute(
                "insert into airbyte.workspaces (workspace_id, name) values (%s, %s)", [workspace, names.raw]
            )
            for actor, kind, name, type_name, configuration in actors:
                control.execute(
                    "insert into airbyte.actors (actor_id, kind, workspace_id, name, type_name, definition_id,"
                    " configuration) values (%s, %s, %s, %s, %s, %s, %s)",
                    [actor, kind, workspace, name, type_name, uuid4(), box.seal(configuration, purpose=actor)],
                )
            control.execute(
                "insert into airbyte.connections (connection_id, workspace_id, source_id, destination_id, name, status,"
                " schedule, namespace_definition, prefix, schema_changes, catalog, streams)"
                " values (%s, %s, %s, %s, 'shop', 'active', '{}', 'custom_format', 'shop_', 'x', '{}', '[]')",
                [connection, workspace, source, destination],
            )
            control.execute(
                "insert into airbyte.stream_states (connection_id, stream, state)"
                " values (%s, 'orders', '{\"cursor\": 9}')",
                [connection],
            )
            control.execute(
                "insert into airbyte.written_tables values ('old', %s, 'shop_Orders', %s)", [names.raw, connection]
            )
        table = StreamTarget(
            stream="orders", namespace=names.raw, table="shop_Orders", json_schema={}, sync_mode="incremental_append"
        )
        stream = {"stream_descriptor": {"name": "orders"}, "stream_state": {"cursor": 9}}
        with psycopg.connect(self.loader_url) as loader:
            state_table.save(loader, connection, 41, [table], {"type": "STREAM", "stream": stream})
        with self.engine.begin() as store:
            tenant_rows.set_workspace(store, names.tenant, workspace)
            tenant_rows.set_connection(store, names.tenant, "shop", source_id=source, connection_id=connection)

    def structure(self, names: list[str]) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.urls.control) as connection:
            return connection.execute(STRUCTURE, {"names": names}).fetchall()

    def content(self, schemas: list[str]) -> dict[str, list[str]]:
        """Every row of every relation, as text."""
        found = {}
        with psycopg.connect(self.urls.control) as connection:
            relations = connection.execute(
                "select relnamespace::regnamespace::text, relname from pg_class"
                " where relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'v')", [schemas],
            ).fetchall()  # fmt: skip
            for schema, name in relations:
                query = sql.SQL("select t::text from {} as t order by 1").format(sql.Identifier(schema, name))
                found[f"{schema}.{name}"] = [row for (row,) in connection.execute(query)]
        return found

    def memory(self, tenant: str) -> dict[str, list[Any]]:
        """A tenant's rows of every table that holds others' too, without what a database numbers."""
        found = {}
        with psycopg.connect(self.urls.control) as connection:
            for portion in rows.portions(fleet.current_release.metadata):
                dropped = [column.name for column in portion.table.columns if column.foreign_keys or column.identity]
                gone = [name for name in dropped if name not in ("tenant_id", "model_set")]
                if portion.name == "sluice.tenant_credentials":
                    gone.append("password_encrypted")
                query = sql.SQL("select (to_jsonb(t) - {}::text[])::text from {} as t where {} order by 1").format(
                    sql.Literal(gone), portion.place, portion.condition
                )
                text_of = query.as_string(connection).replace("%(tenant)s", f"'{tenant}'")
                found[portion.name] = [row for (row,) in connection.execute(text_of.encode())]
        return found

    def reader_url(self, tenant: str, at: "Site | None" = None) -> str:
        """Where the tenant's reader logs in, with the password that is stored here, to this database or another's."""
        with self.engine.connect() as store:
            url = credentials.reader_url(store, tenant, self.key)
        return bootstrap.with_database(url, urlsplit(at.urls.control).path[1:]) if at else url

    def reader_sees(self, tenant: str) -> tuple[int, int]:
        """What the tenant's reader reads: its release and its fleet row."""
        with psycopg.connect(self.reader_url(tenant)) as reader:
            own = reader.execute("select customer_count from dashboard_summary").fetchall()
            shared = reader.execute("select customer_count from analytics.dashboard_summary").fetchall()
        assert len(own) == len(shared) == 1
        return own[0][0], shared[0][0]


@pytest.fixture(scope="module")
def make_site(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Homes with a migrated warehouse, Airbyte's tables and a storage for Dagster."""
    made: list[str] = []

    def make(key: str | None = None) -> Site:
        home = tmp_path_factory.mktemp("home")
        if key is not None:
            (home / KEY_FILE).write_text(key)
        for role in (bootstrap.LOADER, bootstrap.AIRBYTE):
            (home / "secrets").mkdir(exist_ok=True)
            (home / "secrets" / role).write_text(postgres.passwords[role])
        name = f"backup_{uuid4().hex[:8]}"
        made.extend((name, f"{name}_dagster"))
        with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
            for database, owner, template in (
                (name, bootstrap.CONTROL, "sluice_test_template"),
                (f"{name}_dagster", bootstrap.DAGSTER, "template1"),
            ):
                admin.execute(sql.SQL("create database {} template {} owner {}").format(
                    *map(sql.Identifier, (database, template, owner))
                ))  # fmt: skip
        control = bootstrap.with_database(postgres.control_url, name)
        dagster = postgres.url(bootstrap.DAGSTER, f"{name}_dagster")
        settings = Settings(home=home, database_url=SecretStr(control), dagster_database_url=SecretStr(dagster))
        bootstrap.prepare_warehouse(control)
        migrate.upgrade(control)
        prepare_platform(open_engine(control))
        storage = Storage(postgres.url(bootstrap.AIRBYTE, name))
        storage.open()
        storage.close()
        Endpoints(control_url=control, dagster_url=dagster, airbyte_url="http://127.0.0.1:1", airbyte_client_id="",
                  airbyte_client_secret="", loader_login=bootstrap.LOADER, loader_password="").save(home)  # fmt: skip
        keep_named_secret(home, AIRBYTE_KEY, make_fernet_key)
        return Site(settings, DatabaseUrls(control, dagster), postgres.url(bootstrap.LOADER, name))

    yield make
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        for database in made:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))

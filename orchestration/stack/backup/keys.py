"""What a backup carries encrypted: it is read with the key of the stack that wrote it and kept with this one's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from analysis.store import fleet
from orchestration.stack import bootstrap
from orchestration.stack.backup.sealing import Seal
from orchestration.stack.ingestion_server import make_fernet_key
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.tenancy.provisioning import DESTINATION
from orchestration.tenancy.secrets import SecretKey

AIRBYTE_KEY = "airbyte_secret_key"
AIRBYTE_KEY_MEMBER = "airbyte.key"
SUFFIX = "_encrypted"
Session = psycopg.Connection[Any]


def airbyte_key(home: Path) -> str:
    """The key of the embedded Airbyte's configurations."""
    return keep_named_secret(home, AIRBYTE_KEY, make_fernet_key)


def encrypted_columns() -> Iterator[tuple[str, str]]:
    """Every column (quoted table, name) that the control plane's key encrypts: their names say so."""
    for table in fleet.current_release.metadata.sorted_tables:
        for column in table.columns:
            if column.name.endswith(SUFFIX):
                yield f'"{table.schema}"."{table.name}"', column.name


def encrypt_anew(session: Session, old: SecretKey, new: SecretKey, *, tenant: str | None = None) -> None:
    """Re-encrypt what the control plane keeps of all tenants or one; equal keys change nothing."""
    if old.fingerprint == new.fingerprint:
        return
    for table, column in encrypted_columns():
        condition = "" if tenant is None else " where tenant_id = %(tenant)s"
        rows = session.execute(f"select ctid, {column} from {table}{condition}", {"tenant": tenant}).fetchall()  # noqa: S608
        for place, value in rows:
            if value is not None:
                renewed = new.encrypt(old.decrypt(value))
                session.execute(f"update {table} set {column} = %s where ctid = %s", [renewed, place])  # noqa: S608


def adopt_actors(session: Session, table: sql.Identifier, old: str, new: str, control_url: str, home: Path) -> None:
    """Seal the configurations of Airbyte's actors in this table with this home's key, and let what writes to the
    warehouse write to this one."""
    reader, writer, own = Seal(old), Seal(new), _warehouse(control_url, home)
    query = sql.SQL("select actor_id, kind, name, type_name, configuration from {}").format(table)
    change = sql.SQL("update {} set configuration = %s where actor_id = %s").format(table)
    for actor, kind, name, type_name, sealed in session.execute(query).fetchall():
        opened = reader.open(bytes(sealed), str(actor))
        if (kind, name, type_name) == ("destination", DESTINATION, "postgres"):
            opened = json.dumps(json.loads(opened) | own).encode()
        session.execute(change, [writer.close(opened, str(actor)), actor])


def _warehouse(control_url: str, home: Path) -> dict[str, object]:
    url = make_url(control_url)
    return {
        "host": url.host,
        "port": url.port or 5432,
        "database": url.database,
        "username": bootstrap.LOADER,
        "password": keep_named_secret(home, bootstrap.LOADER),
    }

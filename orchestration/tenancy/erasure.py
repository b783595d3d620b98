"""What `--erase` adds to a removal: files and records of a removed tenant, and the receipt that says what went."""

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError
from analysis.store import erasure
from analysis.store.audit import append, find_last
from analysis.store.connect import Record
from analysis.store.tenants import find_tenant
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.lock import run_lock
from orchestration.tenancy.registry import require_tenant
from orchestration.tenancy.statements import transaction

ERASED = "tenant.erased"


class Receipt(Record):
    """What an erasure deleted, as the audit log has it: how many, by table and by place; never what was in it."""

    tenant: str
    erased_at: datetime
    erased_by: str
    records: Mapping[str, int]
    places: Mapping[str, int]
    audit_row: int
    audit_hash: str


def erase_files(engine: Engine, tenant: str, home: Path) -> dict[str, int]:
    """Delete the tenant's dbt logs, and on disk the model sets that only it used; how many files, by place."""
    from orchestration.resources.model_builds import log_folder, sets_folder

    name = TenantId(tenant)
    with transaction(engine) as connection:
        sets = erasure.exclusive_sets(connection, name)
    manifests = [path for each in sets for path in (home / "manifests").glob(f"{each}-*.msgpack")]
    return {
        "dbt logs": _delete(log_folder(home, name)),
        "model set files": sum(_delete(sets_folder(home) / each) for each in sets),
        "manifests": sum(map(_delete, manifests)),
    }


def erase_records(engine: Engine, tenant: str, places: Mapping[str, int] | None = None) -> Receipt:
    """Delete everything that is remembered of a removed tenant; `places` were emptied before and join the receipt."""
    name = TenantId(tenant)
    with run_lock(engine, name), transaction(engine) as connection:
        if require_tenant(connection, name, even_removed=True).status != "removed":
            raise PermanentError("Only a removed tenant can be erased; remove it first.", tenant=name)
        records = erasure.erase_records(connection, name)
        append(connection, tenant=name, action=ERASED, detail={"records": records, "places": dict(places or {})})
        receipt = _receipt(connection, name)
    assert receipt is not None
    return receipt


def find_receipt(engine: Engine, tenant: str) -> Receipt | None:
    """The receipt of the last erasure of a tenant that is not there any more; None where there was none."""
    name = TenantId(tenant)
    with transaction(engine) as connection:
        return None if find_tenant(connection, name) is not None else _receipt(connection, name)


def _receipt(connection: Connection, tenant: TenantId) -> Receipt | None:
    row = find_last(connection, tenant, ERASED)
    if row is None:
        return None
    return Receipt(
        tenant=tenant,
        erased_at=row.recorded_at,
        erased_by=row.actor,
        records=row.detail["records"],
        places=row.detail["places"],
        audit_row=row.seq,
        audit_hash=row.hash,
    )


def _delete(path: Path) -> int:
    """Delete a file or a folder with all that is in it; how many files there were."""
    if path.is_dir() and not path.is_symlink():
        files = sum(1 for each in path.rglob("*") if not each.is_dir())
        shutil.rmtree(path)
        return files
    existed = path.exists()
    path.unlink(missing_ok=True)
    return int(existed)

"""A backup of the whole: the warehouse at one moment, Dagster's storage, and what decrypts them but the key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestration.settings import Settings
from orchestration.stack.backup import programs, snapshot
from orchestration.stack.backup.archive import Writer, Written
from orchestration.stack.backup.keys import AIRBYTE_KEY_MEMBER, airbyte_key
from orchestration.stack.backup.manifest import (
    Kind,
    Manifest,
    TenantEntry,
    file_entries,
    now,
    sluice_version,
    write_manifest,
)
from orchestration.stack.backup.snapshot import PLATFORM, Snapshot
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.secrets import KEY_FILE, SecretKey

Report = Callable[[str], None]
WAREHOUSE_MEMBER, DAGSTER_MEMBER = "warehouse.dump", "dagster.dump"


def back_up_whole(
    settings: Settings, endpoints: Endpoints, key: SecretKey, path: Path, report: Report, *, with_secrets: bool = False
) -> Manifest:
    """Write everything that `restore_whole` needs to this new file; runs may go on meanwhile."""
    return snapshot.write_settled(
        path, report, lambda writer: _write(settings, endpoints, key, writer, report, with_secrets)
    )


def _write(
    settings: Settings, endpoints: Endpoints, key: SecretKey, writer: Writer, report: Report, with_secrets: bool
) -> Manifest:
    members: dict[str, Written] = {}
    url = endpoints.control_url
    with snapshot.open_snapshot(url) as moment:
        made_at = now()
        report("counting rows")
        tenants = snapshot.tenant_entries(moment)
        schemas = [*PLATFORM, *snapshot.schemas_of(tenants)]
        with snapshot.unmoved(url, moment, schemas):
            counts = snapshot.count_rows(moment.session, PLATFORM)
            report("reading the warehouse")
            chunks = programs.dump(url, snapshot=moment.name, schemas=schemas)
            members[WAREHOUSE_MEMBER] = writer.add(WAREHOUSE_MEMBER, chunks)
        report("reading Dagster's storage")
        members[DAGSTER_MEMBER] = writer.add(DAGSTER_MEMBER, programs.dump(endpoints.dagster_url))
        members |= write_keys(settings, writer, key, with_secrets=with_secrets)
        manifest = describe(settings, key, moment, "whole", tenants, members).model_copy(
            update={"made_at": made_at, "tables": counts}
        )
    write_manifest(writer, manifest, key)
    return manifest


def write_keys(settings: Settings, writer: Writer, key: SecretKey, *, with_secrets: bool) -> dict[str, Written]:
    """The embedded Airbyte's key, encrypted with the control plane's; that one too, in plain, where it is asked for."""
    members = {}
    if settings.airbyte_url is None:
        sealed = key.encrypt(airbyte_key(settings.home)).encode()
        members[AIRBYTE_KEY_MEMBER] = writer.add(AIRBYTE_KEY_MEMBER, [sealed])
    if with_secrets:
        members[KEY_FILE] = writer.add(KEY_FILE, [key.reveal().encode()])
    return members


def describe(
    settings: Settings,
    key: SecretKey,
    moment: Snapshot,
    kind: Kind,
    tenants: tuple[TenantEntry, ...],
    members: dict[str, Written],
) -> Manifest:
    """The manifest of what was written, as far as it is the same for a tenant and for the whole."""
    return Manifest(
        kind=kind,
        sluice_version=sluice_version(),
        revision=moment.revision(),
        pg_major=moment.pg_major,
        control_role=moment.session.info.user,
        airbyte="embedded" if settings.airbyte_url is None else "external",
        made_at=now(),
        key_fingerprint=key.fingerprint,
        tenants=tenants,
        tables={},
        rows={},
        files=file_entries(members),
    )

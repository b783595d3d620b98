"""`sluice backup` and `sluice restore` without the command line: where files lie, what is believed, what is audited."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.errors import PermanentError
from analysis.store.audit import append
from analysis.store.connect import open_engine
from orchestration.settings import Settings
from orchestration.stack.backup.archive import open_archive, refuse_existing
from orchestration.stack.backup.manifest import Manifest, now, read_manifest, source_key, verify
from orchestration.stack.backup.tenant import back_up_tenant
from orchestration.stack.backup.tenant_restore import restore_tenant
from orchestration.stack.backup.whole import back_up_whole
from orchestration.stack.backup.whole_restore import Opened, restore_whole
from orchestration.stack.endpoints import load_endpoints
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.secrets import KEY_FILE, load_key
from orchestration.tenancy.statements import transaction

Report = Callable[[str], None]
SUFFIX = ".sluice.tar"


@dataclass(frozen=True)
class Outcome:
    """What was backed up or restored."""

    file: str
    kind: str
    made_at: str
    tenants: tuple[str, ...]
    tables: int
    rows: int
    bytes: int
    seconds: float
    has_secrets: bool

    def as_json(self) -> dict[str, object]:
        """The outcome as one JSON object."""
        return asdict(self)


def back_up(
    settings: Settings, place: Path, report: Report, *, tenant: str | None = None, with_secrets: bool = False
) -> Outcome:
    """Back up the whole, or one tenant, to a new file, or to one named by kind and time in a folder."""
    if tenant is not None and with_secrets:
        raise PermanentError("A tenant's backup never holds the stack's key; leave --with-secrets out.")
    endpoints, key, began = load_endpoints(settings.home), load_key(settings), time.monotonic()
    path = _new_file(place.absolute(), tenant)
    if tenant is not None:
        manifest = back_up_tenant(settings, endpoints, key, path, TenantId(tenant), report)
    else:
        manifest = back_up_whole(settings, endpoints, key, path, report, with_secrets=with_secrets)
    outcome = _outcome(path, manifest, began)
    detail = {"kind": outcome.kind, "file": path.name, "has_secrets": outcome.has_secrets}
    with transaction(open_engine(endpoints.control_url)) as connection:
        append(connection, tenant=tenant, action="tenant.backup" if tenant else "stack.backup", detail=detail)
    return outcome


def restore(
    settings: Settings, place: Path, report: Report, *, tenant: str | None = None, key_file: Path | None = None
) -> Outcome:
    """Restore the whole into a home without tenants, or one tenant that is not there; of a folder the newest file."""
    began, key = time.monotonic(), load_key(settings)
    path = _existing_file(place.absolute(), tenant)
    with ExitStack() as stack:
        reader = stack.enter_context(open_archive(path))
        manifest = read_manifest(reader)
        _refuse_other_kind(manifest, tenant)
        backup = Opened(reader, manifest, source_key(reader, manifest, key, key_file))
        report("checking the file")
        verify(reader, manifest, backup.key)
        _refuse_newer(manifest)
        if tenant is None:
            restore_whole(settings, backup, key, report)
        else:
            restore_tenant(settings, load_endpoints(settings.home), backup, key, TenantId(tenant), report)
    return _outcome(path, manifest, began)


def _new_file(place: Path, tenant: str | None) -> Path:
    if not place.is_dir():
        if not place.parent.is_dir():
            raise PermanentError("The folder of the backup is not there; make it first.", folder=str(place.parent))
        path = place
    else:
        path = place / f"{_stem(tenant)}{now():%Y%m%dT%H%M%SZ}{SUFFIX}"
    refuse_existing(path)
    return path


def _existing_file(place: Path, tenant: str | None) -> Path:
    if not place.is_dir():
        return place
    found = sorted(path for path in place.iterdir() if path.name.startswith(_stem(tenant)) and _is_named(path, tenant))
    if not found:
        raise PermanentError("The folder holds no such backup; name a file.", folder=str(place), tenant=tenant)
    return found[-1]


def _stem(tenant: str | None) -> str:
    return "whole-" if tenant is None else f"tenant-{tenant}-"


def _is_named(path: Path, tenant: str | None) -> bool:
    return path.name.endswith(SUFFIX) and path.is_file() and "-" not in path.name.removeprefix(_stem(tenant))


def _refuse_other_kind(manifest: Manifest, tenant: str | None) -> None:
    held = [entry.tenant for entry in manifest.tenants]
    if tenant is None and manifest.kind == "tenant":
        raise PermanentError(f"The file holds the tenant {held[0]} alone; say --tenant {held[0]}.")
    if tenant is not None and manifest.kind == "whole":
        raise PermanentError(
            "The file holds a whole stack, which is not restored in part; restore it into an empty home and back up"
            " the tenant from there."
        )
    if tenant is not None and held != [tenant]:
        raise PermanentError("The file holds another tenant.", wanted=tenant, held=held)


def _refuse_newer(manifest: Manifest) -> None:
    from analysis.store import migrate

    if not migrate.knows(manifest.revision):
        raise PermanentError(
            "The backup was written by a newer Sluice; restore it with that one.",
            revision=manifest.revision,
            newest=migrate.head_revision(),
        )


def _outcome(path: Path, manifest: Manifest, began: float) -> Outcome:
    return Outcome(
        file=str(path),
        kind=manifest.kind,
        made_at=manifest.made_at.isoformat(),
        tenants=tuple(entry.tenant for entry in manifest.tenants),
        tables=manifest.relations,
        rows=manifest.row_count,
        bytes=path.stat().st_size,
        seconds=round(time.monotonic() - began, 1),
        has_secrets=KEY_FILE in manifest.files,
    )

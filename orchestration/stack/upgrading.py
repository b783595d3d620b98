"""An existing home brought to what this code expects: the control plane's schema, and the walls of its tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.errors import SluiceError
from orchestration.settings import Settings
from orchestration.stack import bootstrap
from orchestration.stack.database import EmbeddedPostgres

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from orchestration.tenancy.secrets import SecretKey


def bring_up_to_date(settings: Settings, control_url: str, report: Callable[[str], None]) -> None:
    """Migrate what is old, pass old logins to their keepers and, once after a migration, mend the tenants' walls."""
    from analysis.store import migrate
    from analysis.store.connect import open_engine
    from orchestration.tenancy.secrets import load_key
    from orchestration.tenancy.walls.handover import hand_over
    from orchestration.tenancy.walls.platform import prepare_platform

    key = load_key(settings)  # makes it on the first start; a malformed one is refused here, not in a tenant's run
    before = migrate.current_revision(control_url)
    is_old = before != migrate.head_revision()
    if is_old:
        report("Control plane: bringing its schema to the newest version")
        migrate.upgrade(control_url)
    control, admin = open_engine(control_url), administrator(settings)
    prepare_platform(control)
    hand_over(control, admin)
    if is_old and before is not None:
        _mend_walls(control, admin, key, report)


def administrator(settings: Settings) -> Engine | None:
    """The superuser's engine of the embedded server; a server that we were given has none for us."""
    from analysis.store.connect import open_engine

    server = EmbeddedPostgres(settings.home)
    port = server.running_port() if settings.database_url is None else None
    return open_engine(server.admin_url(port, bootstrap.WAREHOUSE)) if port else None


def _mend_walls(control: Engine, admin: Engine | None, key: SecretKey, report: Callable[[str], None]) -> None:
    """Give tenants of an older version what this one describes; what fails is for `sluice doctor`, the stack starts."""
    from orchestration.tenancy.walls.repairs import repair_all

    report("Tenants: bringing their logins and grants to what this version describes")
    try:
        _, left = repair_all(control, key, admin=admin)
    except SluiceError as error:
        report(f"Tenants: not all could be done, run `sluice doctor --repair`. {error}")
        return
    if left:
        report(f"Tenants: {len(left)} faults are left; see `sluice doctor`")

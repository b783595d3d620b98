"""The warehouse of the running stack: engines per role, opened on first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from sqlalchemy import Connection, Engine, select

from analysis.store.audit import append, current_run
from analysis.store.connect import open_engine
from analysis.store.tables import releases, tenants
from orchestration.settings import Settings
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.secrets import SecretKey, load_key
from orchestration.tenancy.walls.credentials import builder_url, reader_url


class Warehouse:
    """Logins to one database: the control plane's own, and each tenant's builder and reader."""

    def __init__(self, settings: Settings, load: Callable[[], Endpoints]) -> None:
        self.settings = settings
        self._load = load
        self._told: set[tuple[str | None, str]] = set()

    @cached_property
    def endpoints(self) -> Endpoints:
        """Where the stack answers; a PermanentError when it is not running."""
        return self._load()

    @cached_property
    def key(self) -> SecretKey:
        """The control plane's key."""
        return load_key(self.settings)

    @cached_property
    def control(self) -> Engine:
        """The control role: grants, ownership and schema `sluice`; never a tenant's step."""
        return open_engine(self.endpoints.control_url)

    def builder_url(self, tenant: str) -> str:
        """The URL of the tenant's builder, which reads raw data and creates in scratch and build schemas."""
        return self._take_secret(tenant, "builder", builder_url)

    def builder(self, tenant: str) -> Engine:
        """An engine of the tenant's builder."""
        return open_engine(self.builder_url(tenant), application=f"sluice {tenant} builder")

    def reader_url(self, tenant: str) -> str:
        """The URL of the tenant's reader, which reads the published release."""
        return self._take_secret(tenant, "reader", reader_url)

    def _take_secret(self, tenant: str, login: str, read: Callable[[Connection, str, SecretKey], str]) -> str:
        """One audit row per run, or per command, that takes a login's secret, however often it does."""
        taken = (current_run(), f"{login} of {tenant}")
        with self.control.begin() as connection:
            url = read(connection, tenant, self.key)
            if taken not in self._told:
                append(connection, tenant=tenant, action="secret.read", detail={"login": login})
        self._told.add(taken)
        return url

    def reader(self, tenant: str) -> Engine:
        """An engine of the tenant's reader."""
        return open_engine(self.reader_url(tenant), application=f"sluice {tenant} reader")

    def refreshable_tenants(self) -> list[str]:
        """Active tenants with a published release, by id."""
        published = select(releases.c.tenant_id).where(releases.c.status == "published")
        statement = select(tenants.c.tenant_id).where(tenants.c.status == "active", tenants.c.tenant_id.in_(published))
        with self.control.connect() as connection:
            return list(connection.execute(statement.order_by(tenants.c.tenant_id)).scalars())

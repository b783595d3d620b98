"""Who the demo's tenants are: their tools, and the streams that are read of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.errors import PermanentError
from analysis.store.tenants import find_tenant, list_sources
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.sources import SourceSpec

TENANTS: Mapping[str, Mapping[str, str]] = {
    "acme": {"stripe": "stripe", "github": "github", "ga4": "ga4", "zendesk": "zendesk-support"},
    "globex": {"shopify": "shopify", "hubspot": "hubspot", "slack": "slack"},
}
"""Connectors by source, by tenant."""

# Children that cost a request for each of their parents stay out where the parents tell the same.
STREAMS: Mapping[str, tuple[str, ...]] = {
    "stripe": ("customers", "products", "plans", "subscriptions", "invoices", "charges", "refunds", "payouts",
               "balance_transactions", "disputes", "payment_intents", "coupons"),
    "github": ("repositories", "users", "branches", "commits", "issues", "comments", "pull_requests", "reviews",
               "releases", "issue_labels"),
    "ga4": (),
    "zendesk-support": ("tickets", "users", "organizations", "groups", "ticket_metrics", "satisfaction_ratings"),
    "shopify": ("customers", "orders", "order_refunds", "products", "product_variants", "inventory_items",
                "inventory_levels", "locations", "abandoned_checkouts", "shop"),
    "hubspot": ("companies", "contacts", "deals", "tickets", "owners", "deal_pipelines", "engagements_calls",
                "engagements_notes"),
    "slack": (),
}  # fmt: skip
"""The streams that the demo reads, by connector; none named means all."""


def source_specs(tenant: str, configurations: Mapping[str, Mapping[str, Any]]) -> list[SourceSpec]:
    """The tenant's sources with the configurations that the sandbox gives out, by connector."""
    missing = sorted(set(TENANTS[tenant].values()) - configurations.keys())
    if missing:
        raise PermanentError(
            f"The sandbox that runs does not know {', '.join(missing)}: it is of another version; run `sluice down`,"
            " then this again."
        )
    return [
        SourceSpec(name=name, connector=connector, configuration=configurations[connector], streams=STREAMS[connector])
        for name, connector in TENANTS[tenant].items()
    ]


def is_onboarded(warehouse: Warehouse, tenant: str) -> bool:
    """Whether the tenant has a release, and a plan that knows all of the demo's sources."""
    with warehouse.control.connect() as store:
        approved = {row.name for row in list_sources(store, TenantId(tenant)) if row.is_approved}
    return tenant in warehouse.refreshable_tenants() and approved >= TENANTS[tenant].keys()


def refuse_foreign(warehouse: Warehouse, airbyte: AirbyteClient, tenant: str) -> None:
    """A PermanentError where somebody else's tenant has the name of the demo's; it is not touched."""
    names = TenantNames(TenantId(tenant))
    with warehouse.control.connect() as store:
        found = find_tenant(store, names.tenant)
        declared = {row.name: row.connector for row in list_sources(store, names.tenant)} if found else {}
    if found is None or found.status == "removed":
        return
    if not (declared.items() <= TENANTS[tenant].items() and _asks_the_sandbox(airbyte, names)):
        raise PermanentError(
            f"This home has a tenant {tenant} that is not the demo's and stays as it is; give the demo a home of its"
            " own with SLUICE_HOME.",
            sources=sorted(declared),
        )


def _asks_the_sandbox(airbyte: AirbyteClient, names: TenantNames) -> bool:
    """Whether every source that Airbyte has of the tenant asks an address of this machine."""
    workspaces = [each.id for each in airbyte.workspaces() if each.name == names.workspace]
    configurations = [each for found in workspaces for each in airbyte.source_configurations(found)]
    return all(str(each.get("base_url") or "").startswith("http://127.0.0.1:") for each in configurations)

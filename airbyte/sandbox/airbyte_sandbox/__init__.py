"""A SaaS look-alike for the demo and the tests, and for nothing else: related data across tools, from one seed.

The same made-up people are customers of a payment service (Stripe's shapes), of a shop (Shopify's), contacts of a CRM
(HubSpot's), requesters of a help desk (Zendesk Support's) and, some of them, contributors to repositories (GitHub's).
Names, keys and cursors are those of the public APIs; the fields are a subset.
There are trend, weekly season, refunds, failed charges, four currencies (one without decimals) and planted anomalies,
which `truth.json` names.

It grows day by day. Two runs that differ by the last day alone (`--days 120 --end 2026-06-30`, then `--days 121 --end
2026-07-01`) agree on everything before it: records are added, and a record that moves on carries a later `updated_at`.
Stripe's streams know no such stamp: a charge, refund or invoice is final on its day, and only `subscriptions` move on,
as they do behind the real API, unseen by an incremental sync.
"""

from airbyte_sandbox.tools import TOOLS, Tool
from airbyte_sandbox.world import World
from airbyte_sandbox.writing import write_world

__all__ = ["TOOLS", "Tool", "World", "write_world"]

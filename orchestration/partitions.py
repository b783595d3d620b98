"""A tenant is a dynamic partition, never assets of its own."""

import dagster as dg

tenants = dg.DynamicPartitionsDefinition(name="tenant")

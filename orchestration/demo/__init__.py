"""The demonstration: two tenants on the sandbox, from nothing to their daily reports, and on to the next day."""

"""Tenants: their names, roles, schemas, releases and the lock that lets one run at a time touch them."""

"""The HTTP surface: Airbyte's public API v1, and the configuration-API calls that clients make."""

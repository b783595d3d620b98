"""The embedded stack: PostgreSQL, the Airbyte server and Dagster, started, stopped and examined."""

"""An embedded Airbyte: the public API, a job runner and a PostgreSQL loader in one process."""

"""One module per role: what assets and commands use to reach Airbyte, the warehouse, dbt and the analyst."""

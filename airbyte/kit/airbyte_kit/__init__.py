"""The connector kit: new connectors from a template or an OpenAPI document, and the check that each must pass."""

"""Which API a connector is checked against."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airbyte_kit.connector import Connector
from airbyte_kit.errors import KitError
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.sandbox import has_tool, sandbox
from airbyte_kit.subjects import StandIn, Subject

DOCUMENT = "openapi.yaml"


@contextmanager
def subject_of(
    connector: Connector, configuration: JsonObject | None, document: Path | None
) -> Iterator[Subject | None]:
    """As it is configured, else a stand-in of a document, else the sandbox; None where there are samples alone."""
    document = document or _own_document(connector)
    if configuration is not None:
        yield Subject(configuration)
    elif document is not None:
        from airbyte_kit.openapi.stand_in import serving

        with serving(document, connector.manifest) as stand_in:
            yield StandIn(stand_in.configuration, stand_in.wrong_configuration, stand_in)
    elif has_tool(connector.name):
        with sandbox(connector.name) as subject:
            yield subject
    elif connector.sampled:
        yield None
    else:
        raise KitError(
            f"There is nothing to check {connector.path.name} against: give a configuration (--config FILE), "
            "an OpenAPI document (--openapi FILE), or write samples."
        )


def _own_document(connector: Connector) -> Path | None:
    file = connector.path / DOCUMENT
    return file if file.is_file() else None

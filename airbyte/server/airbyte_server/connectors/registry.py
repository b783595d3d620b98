"""Which source types this server can run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airbyte_cdk.sources import Source


@dataclass(frozen=True, kw_only=True)
class ConnectorDefinition:
    """A source type and how to make its connector; `load` imports airbyte-cdk (about two seconds)."""

    source_type: str
    definition_id: str
    name: str
    version: str
    is_local: bool = False
    """It reads this machine: its answers change on their own, and are cheap."""
    load: Callable[[], "Source"]


def _load_file_source() -> "Source":
    from airbyte_server.connectors.file_source import FileSource

    return FileSource()


KNOWN_CONNECTORS: Mapping[str, ConnectorDefinition] = {
    definition.source_type: definition
    for definition in (
        ConnectorDefinition(
            source_type="file",
            definition_id="3b3f7d4e-6c0c-4d5e-9a0e-5b1c2f0f7a11",
            name="File",
            version="1.0.0",
            is_local=True,
            load=_load_file_source,
        ),
    )
}
"""By source type (`configuration.sourceType`)."""

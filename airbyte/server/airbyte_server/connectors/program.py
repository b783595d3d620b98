"""Which program runs as a connector."""

from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]
Command = Literal["spec", "check", "discover", "read"]


@dataclass(frozen=True, kw_only=True)
class ConnectorProgram:
    """What runs as a connector, picklable; `source_type` and `version` together say what it would answer."""

    source_type: str
    """What the API calls `sourceType`."""
    version: str
    """Of the connector: its image tag, or its manifest's version and hash."""
    manifest: JsonObject | None = field(default=None, repr=False)
    """A declarative connector, which airbyte-cdk interprets in a forked child."""
    components: str | None = field(default=None, repr=False)
    """Python that the manifest names; run only where `allows_python`."""
    allows_python: bool = False
    executable: str | None = None
    """The absolute path of a connector's own command, in an environment of its own."""
    scratch: str | None = field(default=None, compare=False)
    """Where its runs have the folders of their files."""
    specification: JsonObject = field(default_factory=dict, repr=False)
    """JSON schema of its configuration where it is known before the connector runs."""

"""Drafts that run."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airbyte_kit.connector import Connector
from airbyte_kit.openapi.document import Document
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.folder import write_folder
from airbyte_kit.openapi.stand_in import StandIn
from airbyte_kit.running.following import Bounds
from airbyte_kit.running.forker import Forker
from airbyte_kit.running.run import Run
from airbyte_kit.session import Session


@dataclass
class Drafted:
    """A draft as a folder, and a way to run it."""

    connector: Connector
    forks: Forker
    scratch: Path

    def read(self, stand_in: StandIn, manifest: dict[str, Any] | None = None) -> Run:
        """All streams, from the beginning."""
        session = self._session(stand_in.configuration)
        streams = self.connector.manifest["schemas"]
        session.discovered = {
            name: {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]}
            for name, schema in streams.items()
        }
        stand_in.forget()
        return session.run("read", list(streams), manifest=manifest)

    def check(self, configuration: dict[str, Any]) -> str:
        """What `check` says of a configuration."""
        (status,) = self._session(configuration).run("check").of("CONNECTION_STATUS")
        return str(status["status"])

    def _session(self, configuration: dict[str, Any]) -> Session:
        return Session(self.connector, self.forks, configuration, "unhurried", Bounds(), self.scratch)


@pytest.fixture
def drafted(tmp_path: Path, forks: Forker) -> Any:
    """Drafts a document."""

    def make(document: Document, wanted: Sequence[str] = ()) -> Drafted:
        folder = write_folder(draft(document, wanted), Path(tempfile.mkdtemp(dir=tmp_path)), "drafted")
        return Drafted(Connector(folder), forks, tmp_path)

    return make

"""Which program a source is."""

import hashlib
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from airbyte_server.actors.catalogue import Catalogue, Definition
from airbyte_server.connectors.environments import Environments
from airbyte_server.connectors.manifests import Manifests
from airbyte_server.connectors.packages import ConnectorPackage, checked_version
from airbyte_server.connectors.program import ConnectorProgram, JsonObject
from airbyte_server.connectors.registry import KNOWN_CONNECTORS
from airbyte_server.errors import PermanentError, RefusedError, ServerError
from airbyte_server.secrets.marks import ALL_MARKED, NO_MARKS, UNTOLD, Marks, marks_of
from airbyte_server.state.tables import definitions

_OF_A_MANIFEST = "declarative-"


def declarative_type(definition_id: str) -> str:
    """The source type of an uploaded manifest."""
    return f"{_OF_A_MANIFEST}{definition_id}"


class Programs:
    """Finds the program of a source's row, always in its present version."""

    def __init__(self, catalogue: Catalogue, manifests: Manifests, environments: Environments) -> None:
        self._catalogue = catalogue
        self._manifests = manifests
        self._environments = environments

    def program_of(self, connection: Connection, source: Row[Any]) -> ConnectorProgram:
        """What runs now; PermanentError where nothing does any more."""
        if source.type_name.startswith(_OF_A_MANIFEST):
            return self._of_manifest(connection, source)
        definition = self._catalogue.by_type("source", source.type_name)
        if definition is None:
            raise PermanentError(
                f"Source type {source.type_name!r} does not run here any more; bring its connector back, "
                f"or delete source {source.name!r}."
            )
        if definition.folder is not None:
            return self._of_folder(definition)
        if definition.package is not None:
            return _of_package(connection, source, definition.package)
        return ConnectorProgram(source_type=source.type_name, version=KNOWN_CONNECTORS[source.type_name].version)

    def marks_of(self, connection: Connection, source: Row[Any]) -> Marks:
        """Which fields of its configuration the connector calls secret, as far as that is known without running it."""
        if source.type_name.startswith(_OF_A_MANIFEST):
            query = select(definitions.c.specification).where(definitions.c.definition_id == source.definition_id)
            return marks_of(connection.execute(query).scalar_one_or_none() or {})
        definition = self._catalogue.by_type("source", source.type_name)
        if definition is None:
            return ALL_MARKED
        if definition.package is not None:
            program = _of_package(connection, source, definition.package)
            specification = self._environments.known_specification(program)
            return UNTOLD if specification is None else marks_of(specification)
        if definition.folder is None:
            return NO_MARKS
        try:
            return marks_of(self._manifests.of_folder(definition.folder).specification)
        except ServerError:
            return ALL_MARKED

    def _of_manifest(self, connection: Connection, source: Row[Any]) -> ConnectorProgram:
        query = select(definitions).where(definitions.c.definition_id == source.definition_id)
        found = connection.execute(query).first()
        if found is None:
            raise PermanentError(f"The manifest of source {source.name!r} is gone; upload it again.")
        return ConnectorProgram(
            source_type=source.type_name,
            version=f"{found.version}-{_hash(found.manifest)}",
            manifest=found.manifest,
            allows_python=self._manifests.allows_python,
            specification=found.specification or {},
        )

    def _of_folder(self, definition: Definition) -> ConnectorProgram:
        assert definition.folder is not None
        try:
            read = self._manifests.of_folder(definition.folder)
        except RefusedError as error:
            raise PermanentError(f"Connector {definition.name!r} cannot run: {error.sentence}") from None
        components = self._manifests.components_of(definition.folder)
        return ConnectorProgram(
            source_type=definition.type_name,
            version=f"{definition.docker_image_tag}-{_hash([read.manifest, components])}",
            manifest=read.manifest,
            components=components,
            allows_python=self._manifests.allows_python,
            specification=read.specification,
        )


def _of_package(connection: Connection, source: Row[Any], package: ConnectorPackage) -> ConnectorProgram:
    query = select(definitions.c.docker_image_tag).where(definitions.c.definition_id == source.definition_id)
    tag = connection.execute(query).scalar_one_or_none()
    version = package.version if tag is None else checked_version(package, tag)
    return ConnectorProgram(source_type=package.source_type, version=version)


def _hash(value: list[Any] | JsonObject) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)).hexdigest()[:12]

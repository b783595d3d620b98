"""What can run here: the connectors that come with the server, its folders of manifests, and packages from PyPI."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from airbyte_server.actors import destinations
from airbyte_server.connectors.folders import ConnectorFolder
from airbyte_server.connectors.packages import ConnectorPackage, checked_version
from airbyte_server.connectors.registry import KNOWN_CONNECTORS
from airbyte_server.errors import RefusedError


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One connector as the API lists it; `type_name` is what runs it."""

    id: str
    name: str
    type_name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None
    folder: ConnectorFolder | None = None
    package: ConnectorPackage | None = None


_LISTED = 12
_WITH_THE_SERVER = [
    Definition(
        id=known.definition_id,
        name=known.name,
        type_name=known.source_type,
        # Not airbyte/source-file: another connector, with another configuration.
        docker_repository=f"embedded/source-{known.source_type}",
        docker_image_tag=known.version,
    )
    for known in KNOWN_CONNECTORS.values()
]
_DESTINATIONS = [
    Definition(
        id=destinations.POSTGRES_DEFINITION_ID,
        name="Postgres",
        type_name=destinations.POSTGRES,
        docker_repository="airbyte/destination-postgres",
        docker_image_tag="3.0.10",
        documentation_url="https://docs.airbyte.com/integrations/destinations/postgres",
    )
]


class Catalogue:
    """The definitions that every workspace has; the ids are those of Airbyte's registry where it has the connector."""

    def __init__(self, folders: Iterable[ConnectorFolder] = (), packages: Iterable[ConnectorPackage] = ()) -> None:
        sources: dict[str, Definition] = {}
        # A folder of a name that the server knows replaces it: whoever put it there wants that one.
        for each in (*_WITH_THE_SERVER, *map(_of_package, packages), *map(_of_folder, folders)):
            sources[each.type_name] = each
        self._by_kind = {"source": list(sources.values()), "destination": _DESTINATIONS}

    def all(self, kind: str) -> Sequence[Definition]:
        """Every definition of a kind."""
        return self._by_kind[kind]

    def by_id(self, kind: str, definition_id: str) -> Definition | None:
        """The definition of this id."""
        return next((each for each in self._by_kind[kind] if each.id == definition_id), None)

    def by_type(self, kind: str, type_name: object) -> Definition | None:
        """The definition that a configuration's type names."""
        return next((each for each in self._by_kind[kind] if each.type_name == type_name), None)

    def by_image(self, kind: str, docker_repository: str) -> Definition | None:
        """The definition whose connector is this image's, and runs without it."""
        return next((each for each in self._by_kind[kind] if each.docker_repository == docker_repository), None)

    def check_image(self, kind: str, docker_repository: str, docker_image_tag: str) -> None:
        """RefusedError for an image whose connector, or whose version of it, does not run here."""
        known = self.by_image(kind, docker_repository)
        if known is None:
            images = _some([each.docker_repository for each in self._by_kind[kind]])
            raise RefusedError(
                f"Image {docker_repository} needs Docker, which this server goes without; it runs {images}. "
                "A full Airbyte runs the others."
            )
        if known.package is not None:
            checked_version(known.package, docker_image_tag)

    def own(self, row: Row[Any]) -> Definition:
        """A workspace's own definition of an image."""
        known = self.by_image(row.kind, row.docker_repository)
        return Definition(
            id=row.definition_id,
            name=row.name,
            type_name=known.type_name if known else "",
            docker_repository=row.docker_repository,
            docker_image_tag=row.docker_image_tag,
            documentation_url=row.documentation_url,
            folder=known.folder if known else None,
            package=known.package if known else None,
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _of_folder(folder: ConnectorFolder) -> Definition:
    return Definition(
        id=folder.definition_id,
        name=folder.name,
        type_name=folder.source_type,
        docker_repository=folder.docker_repository,
        docker_image_tag=folder.docker_image_tag,
        documentation_url=folder.documentation_url,
        folder=folder,
    )


def _of_package(package: ConnectorPackage) -> Definition:
    return Definition(
        id=package.definition_id,
        name=package.name,
        type_name=package.source_type,
        docker_repository=package.docker_repository,
        docker_image_tag=package.version,
        package=package,
    )

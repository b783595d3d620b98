"""Connectors that come from PyPI: which are known, and which an operator added."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import NAMESPACE_URL, UUID, uuid5

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from airbyte_server.errors import PermanentError, RefusedError

_PREFIX = "airbyte-source-"
_WANTED = f"AIRBYTE_SERVER_PYPI_CONNECTORS names each as {_PREFIX}<name>==<version>"


@dataclass(frozen=True, kw_only=True)
class ConnectorPackage:
    """A source on PyPI, in the version that runs unless a workspace asks for another."""

    source_type: str
    definition_id: str
    """Of Airbyte's registry where it is known there."""
    name: str
    version: str
    build_tools: tuple[str, ...] = ()
    """What its dependencies need to be built and do not declare; given them, they are built with these alone."""

    @property
    def distribution(self) -> str:
        """Its name on PyPI."""
        return f"{_PREFIX}{self.source_type}"

    @property
    def docker_repository(self) -> str:
        """The image that Airbyte makes of it; its tag is the package's version."""
        return f"airbyte/source-{self.source_type}"

    @property
    def command(self) -> str:
        """The console script that every such package has."""
        return f"source-{self.source_type}"


KNOWN_PACKAGES = (
    ConnectorPackage(
        source_type="faker",
        definition_id="dfd88b22-b603-4c3d-aad7-3701784586b1",
        name="Sample Data (Faker)",
        # The last one under MIT: from 6.2.33 on it is ELv2, and refuses Python 3.13.
        version="6.2.32",
        # Pendulum 2, which it depends on, is built with distutils, which left Python with 3.12.
        build_tools=("setuptools<81", "wheel", "poetry-core"),
    ),
)


class Packages:
    """The known packages and the operator's own, which may also name another version of a known one."""

    def __init__(self, more: str = "") -> None:
        self._by_type = {package.source_type: package for package in KNOWN_PACKAGES}
        for entry in filter(None, (part.strip() for part in more.split(","))):
            package = self._added(entry)
            self._by_type[package.source_type] = package

    def __iter__(self) -> Iterator[ConnectorPackage]:
        return iter(self._by_type.values())

    def find(self, source_type: str) -> ConnectorPackage | None:
        """The package of a source type, if it is one."""
        return self._by_type.get(source_type)

    def _added(self, entry: str) -> ConnectorPackage:
        """`airbyte-source-x==1.2.3`, then perhaps the id that Airbyte's registry gives its definition."""
        requirement, *more = entry.split()
        definition_id = " ".join(more)
        source_type, version = _read(requirement)
        known = self._by_type.get(source_type)
        if known is not None:
            found = replace(known, version=version)
        else:
            found = ConnectorPackage(
                source_type=source_type,
                definition_id=str(uuid5(NAMESPACE_URL, f"pypi:{_PREFIX}{source_type}")),
                name=source_type.replace("-", " ").title(),
                version=version,
            )
        return replace(found, definition_id=_checked_id(definition_id)) if definition_id else found


def checked_version(package: ConnectorPackage, tag: str) -> str:
    """The version that an image tag asks for; RefusedError where it is no version of a Python package."""
    try:
        return str(Version(tag))
    except InvalidVersion:
        raise RefusedError(
            f"Tag {tag!r} is no version of {package.distribution}; give one, such as {package.version}."
        ) from None


def _checked_id(definition_id: str) -> str:
    try:
        return str(UUID(definition_id))
    except ValueError:
        raise PermanentError(
            f"{definition_id!r} is no id of a definition. {_WANTED}, then perhaps the id, and a comma before the next."
        ) from None


def _read(requirement: str) -> tuple[str, str]:
    try:
        read = Requirement(requirement)
        (pin,) = read.specifier
        version = str(Version(pin.version))
    except (InvalidRequirement, InvalidVersion, ValueError):
        raise PermanentError(f"{requirement!r} is not one version of one package. {_WANTED}.") from None
    name = canonicalize_name(read.name)
    if pin.operator != "==" or read.url or read.extras or read.marker or not name.startswith(_PREFIX):
        raise PermanentError(f"{requirement!r} is not one version of one source of Airbyte's. {_WANTED}.")
    return name.removeprefix(_PREFIX), version

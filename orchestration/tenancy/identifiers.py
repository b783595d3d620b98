"""What a tenant, a source and a raw table may be called, so that no two of them can ever share a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from analysis.errors import PermanentError
from orchestration.tenancy.raw_names import raw_table_name

MAX_TENANT_LENGTH = 30
MAX_SOURCE_LENGTH = 30
RESERVED_ENDS = ("_", "_sample", "_analytics", "_history", "_builder", "_reader")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_]*")
_SOURCE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class TenantId(str):
    """A tenant's id, valid by construction; the error of an invalid one says which part of the rule it broke."""

    __slots__ = ()

    def __new__(cls, value: object) -> Self:
        """The id itself, or a PermanentError."""
        if isinstance(value, cls):
            return value
        broken = _broken_tenant_rule(value)
        if broken:
            raise PermanentError(f"A tenant id {broken}; choose another id.", tenant=_shown(value))
        return super().__new__(cls, value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def _broken_tenant_rule(value: object) -> str | None:
    if not isinstance(value, str):
        return "is text"
    if not value:
        return "is not empty"
    if len(value) > MAX_TENANT_LENGTH:
        return f"has at most {MAX_TENANT_LENGTH} characters"
    if value.startswith("_"):
        return "begins with a letter or a digit"
    if not _TENANT.fullmatch(value):
        return "holds only the characters a-z, 0-9 and _"
    if "__" in value:
        return "holds no double underscore"
    ends = [end for end in RESERVED_ENDS if value.endswith(end)]
    return f"does not end in {ends[-1]}" if ends else None


def _shown(value: object) -> str:
    return ascii(value)[1:-1][:60] if isinstance(value, str) else ascii(value)[:60]


def check_source_name(name: str) -> str:
    """The name, if it is one snake_case token of at most 30 characters; a PermanentError otherwise."""
    if not _SOURCE.fullmatch(name) or len(name) > MAX_SOURCE_LENGTH:
        raise PermanentError(
            f"A source name is one snake_case token (a-z, 0-9, single _) of at most {MAX_SOURCE_LENGTH} characters"
            " that begins with a letter; choose another name.",
            source=_shown(name),
        )
    return name


def check_raw_tables(streams: Iterable[tuple[str, str]]) -> None:
    """Refuse two streams (source, stream) of one tenant whose raw tables share a name; case makes no difference."""
    owners: dict[str, tuple[str, str]] = {}
    for source, stream in streams:
        table = raw_table_name(f"{source}_", stream)
        other = owners.setdefault(table.lower(), (source, stream))
        if other != (source, stream):
            raise PermanentError(
                "Two streams of one tenant would share a raw table; rename one of the sources.",
                table=table,
                first=".".join(map(_shown, other)),
                second=".".join(map(_shown, (source, stream))),
            )


@dataclass(frozen=True)
class TenantNames:
    """Every name that derives from a tenant's id; each fits 63 bytes and belongs to no other tenant."""

    tenant: TenantId

    def __post_init__(self) -> None:
        object.__setattr__(self, "tenant", TenantId(self.tenant))

    @property
    def raw(self) -> str:
        """The schema that Airbyte loads."""
        return f"tenant_{self.tenant}"

    @property
    def workspace(self) -> str:
        """The Airbyte workspace."""
        return self.raw

    @property
    def sample(self) -> str:
        """The schema that a sample lives in, for minutes."""
        return f"{self.raw}_sample"

    @property
    def scratch(self) -> str:
        """The schema that proofs are built in."""
        return f"{self.raw}__scratch"

    @property
    def analytics(self) -> str:
        """The schema of the published release."""
        return f"{self.raw}_analytics"

    @property
    def build(self) -> str:
        """The schema that the next release is built in."""
        return f"{self.analytics}__build"

    def release(self, number: int) -> str:
        """The schema of a kept release that is not the published one."""
        return f"{self.analytics}__r{number:d}"

    @property
    def history(self) -> str:
        """The schema of what survives releases."""
        return f"{self.raw}_history"

    @property
    def builder(self) -> str:
        """The login that builds."""
        return f"{self.raw}_builder"

    @property
    def reader(self) -> str:
        """The login that reads."""
        return f"{self.raw}_reader"

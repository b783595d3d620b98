"""What about the tenants' walls is not as their description says: found for all tenants by a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from orchestration.tenancy.identifiers import TenantNames
from orchestration.tenancy.walls.grants import LOADER
from orchestration.tenancy.walls.keepers import keeper_of


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong; without a statement it is mended by making the tenant's rights anew.

    `tenant` is empty where no single tenant is concerned; `of_role` is a statement about roles, which keepers run.
    """

    tenant: str
    thing: str
    wrong: str
    statement: str = ""
    of_role: bool = False
    owner: str = ""

    @property
    def sentence(self) -> str:
        """The fault as a sentence that names the tenant, the thing and what is wrong."""
        return f"{f'Tenant {self.tenant}: ' if self.tenant else ''}{self.thing} {self.wrong}."


@dataclass(frozen=True)
class Fleet:
    """The tenants whose walls are looked at, and the logins that are not theirs but have rights beside them."""

    tenants: Sequence[TenantNames]
    control: str
    sealed: frozenset[str] = frozenset()
    loader: str = LOADER

    def logins(self) -> dict[str, list[str]]:
        """Every login with its tenant, its keeper and which of the two it is, column by column."""
        rows = [
            (getattr(names, login), str(names.tenant), keeper_of(names.tenant), login)
            for names in self.tenants
            for login in ("builder", "reader")
        ]
        columns = zip(*rows, strict=True) if rows else ((), (), (), ())
        return dict(zip(("roles", "tenants", "keepers", "kinds"), map(list, columns), strict=True))


def statement(text: str, *parts: sql.Composable, **names: str) -> str:
    """A statement as text that an administrator may run: `{name}` takes a quoted name, `{}` a ready part."""
    return sql.SQL(text).format(*parts, **{key: sql.Identifier(name) for key, name in names.items()}).as_string(None)

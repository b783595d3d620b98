"""What a tenant's logins are and may do: the one description that both makes them and verifies them.

What is not said here is not granted. `work_mem`, time-outs and the like are a role's own to change in its session:
the values here are where it starts, and limits that must hold are held from outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from psycopg import sql
from sqlalchemy import Connection

from analysis.store.fleet import READERS, SCHEMA
from orchestration.tenancy.identifiers import TenantNames
from orchestration.tenancy.statements import fetch, run
from orchestration.tenancy.walls.keepers import BUILDERS

LOADER = "sluice_loader"
"""The login of Airbyte's destination."""

Who = Literal["builder", "reader", "loader"]
Kind = Literal["raw", "sample", "scratch", "history", "build", "analytics", "release"]


@dataclass(frozen=True)
class LoginRights:
    """A login's attributes; `settings` may name the tenant's analytics schema as `{own}`."""

    group: str
    connections: int
    settings: Mapping[str, str]


LOGINS: Mapping[Literal["builder", "reader"], LoginRights] = {
    "builder": LoginRights(
        group=BUILDERS,
        connections=8,
        settings={
            "search_path": "pg_catalog",
            "statement_timeout": "1h",
            "idle_in_transaction_session_timeout": "10min",
        },
    ),
    "reader": LoginRights(
        group=READERS,
        connections=16,
        settings={
            "search_path": "{own}, " + SCHEMA,
            "statement_timeout": "10min",
            "idle_in_transaction_session_timeout": "10min",
        },
    ),
}
"""Neither is more than a login: no superuser, creates no role or database, no replication, no bypass of policies."""

SCHEMA_GRANTS: Mapping[Kind, frozenset[tuple[Who, str]]] = {
    "raw": frozenset({("loader", "USAGE"), ("loader", "CREATE"), ("builder", "USAGE")}),
    "sample": frozenset({("loader", "USAGE"), ("loader", "CREATE"), ("builder", "USAGE")}),
    "scratch": frozenset({("builder", "USAGE"), ("builder", "CREATE")}),
    "history": frozenset({("builder", "USAGE"), ("reader", "USAGE")}),
    "build": frozenset({("builder", "USAGE"), ("builder", "CREATE")}),
    "analytics": frozenset({("reader", "USAGE")}),
    "release": frozenset(),
}
"""Who may do what in a tenant's schemas, which all are the control role's; a sealed build is open to nobody."""

TABLE_READERS: Mapping[Kind, tuple[Who, ...]] = {
    "raw": ("builder",),
    "sample": ("builder",),
    "history": ("builder", "reader"),
    "analytics": ("reader",),
    "release": ("reader",),
}
"""The logins that select from a schema's tables and views, those to come included; nobody else has any right."""

FUTURE_TABLES: Mapping[Kind, Literal["loader", "control"]] = {"raw": "loader", "sample": "loader", "history": "control"}
"""Whose tables to come are granted by default; releases are granted table by table when they are sealed."""


_HAS_RELATIONS = """
select 1 from pg_catalog.pg_depend
where refclassid = 'pg_catalog.pg_namespace'::regclass and classid = 'pg_catalog.pg_class'::regclass
  and refobjid = (select oid from pg_catalog.pg_namespace where nspname = %(schema)s)
limit 1
"""


def role_of(names: TenantNames, who: Who, loader: str = LOADER) -> str:
    """The role that is meant for this tenant."""
    return {"builder": names.builder, "reader": names.reader, "loader": loader}[who]


def settings_of(names: TenantNames, login: Literal["builder", "reader"]) -> dict[str, list[str]]:
    """A login's settings as they are set, a list's items apart."""
    wanted = LOGINS[login].settings
    return {name: value.format(own=names.analytics).split(", ") for name, value in wanted.items()}


def grant_schema(connection: Connection, names: TenantNames, kind: Kind, schema: str, *, loader: str = LOADER) -> None:
    """Give everybody the rights they have in a schema of this kind; safe to repeat."""
    place = sql.Identifier(schema)
    steps: list[sql.Composed] = []
    for who, privilege in sorted(SCHEMA_GRANTS[kind]):
        role = sql.Identifier(role_of(names, who, loader))
        steps.append(sql.SQL("grant {} on schema {} to {}").format(sql.SQL(privilege), place, role))
    if kind in FUTURE_TABLES:
        whose = (
            sql.SQL("for role {} ").format(sql.Identifier(loader)) if FUTURE_TABLES[kind] == "loader" else sql.SQL("")
        )
        future = sql.SQL("alter default privileges {}in schema {} grant select on tables to {}")
        steps.append(future.format(whose, place, _readers(names, kind)))
    if steps:
        run(connection, "{}", sql.SQL("; ").join(steps))
    grant_tables(connection, names, kind, schema)


def grant_tables(connection: Connection, names: TenantNames, kind: Kind, schema: str) -> None:
    """Let the schema's readers select from every table and view that is there."""
    # PostgreSQL finds a schema's tables by reading all that the database has: not for an empty one.
    if kind in TABLE_READERS and fetch(connection, _HAS_RELATIONS, schema=schema):
        run(connection, "grant select on all tables in schema {schema} to {}", _readers(names, kind), schema=schema)


def _readers(names: TenantNames, kind: Kind) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(role_of(names, who)) for who in TABLE_READERS[kind])

"""Faults of the tenants' logins: attributes, settings and memberships."""

import json
from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.statements import fetch
from orchestration.tenancy.walls.faults import Fault, Fleet, statement
from orchestration.tenancy.walls.grants import LOGINS, settings_of

STRONG = ("superuser", "createrole", "createdb", "replication", "bypassrls")
_WANTED = """
with wanted as (
    select * from unnest(%(roles)s::text[], %(tenants)s::text[], %(keepers)s::text[], %(kinds)s::text[])
        as wanted (role, tenant, keeper, kind)
)
"""
_LOGINS = """
select tenant, kind, role, oid is null, array[rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls],
    rolcanlogin and rolinherit and coalesce(rolvaliduntil = 'infinity', true), rolconnlimit
from wanted left join pg_catalog.pg_roles on rolname = role
"""
_SETTINGS = """
select tenant, kind, role, datname::text, coalesce(setconfig, '{}')
from wanted join pg_catalog.pg_roles on rolname = role
left join pg_catalog.pg_db_role_setting on setrole = pg_roles.oid
left join pg_catalog.pg_database on pg_database.oid = setdatabase
"""
# The right to administer a login that PostgreSQL gave to its maker cannot be given back without a superuser: harmless.
_MEMBERSHIPS = """
, held as (
    select grouping.rolname::text as grouping, member.rolname::text as member,
        pg_catalog.pg_get_userbyid(grantor)::text as grantor, admin_option, inherit_option, set_option
    from pg_catalog.pg_auth_members as held
    join pg_catalog.pg_roles as grouping on grouping.oid = held.roleid
    join pg_catalog.pg_roles as member on member.oid = held.member
)
select tenant, grouping, member, grantor from held join wanted on role = member
where not (grouping = (%(groups)s::jsonb ->> kind) and inherit_option and not set_option and not admin_option)
union
select tenant, grouping, member, grantor from held join wanted on role = grouping
where (inherit_option or set_option or member not in (keeper, %(control)s))
union
select tenant, null, role, null from wanted join pg_catalog.pg_roles on rolname = role
where not exists (select from held where grouping = (%(groups)s::jsonb ->> kind) and member = role)
union
select tenant, role, keeper, null from wanted join pg_catalog.pg_roles on rolname = role
where not exists (select from held where grouping = role and member = keeper and admin_option)
"""


def login_faults(connection: Connection, fleet: Fleet) -> Iterator[Fault]:
    """Logins that are missing, too strong, set up otherwise than described, or members of what they should not be."""
    wanted = fleet.logins()
    for tenant, kind, role, is_missing, strong, is_plain, limit in fetch(connection, _WANTED + _LOGINS, **wanted):
        if is_missing:
            yield Fault(tenant, f"the login {role}", "is missing")
            continue
        excess = [name for name, is_set in zip(STRONG, strong, strict=True) if is_set]
        if excess:
            alter = statement("alter role {role} {}", sql.SQL(" ".join(f"no{name}" for name in excess)), role=role)
            yield Fault(tenant, f"the login {role}", f"is {' and '.join(excess)}", alter, of_role=True)
        if not is_plain:
            plain = statement("alter role {role} login inherit valid until 'infinity'", role=role)
            yield Fault(
                tenant, f"the login {role}", "may not log in, or does not inherit, or expires", plain, of_role=True
            )
        if limit != LOGINS[kind].connections:
            yield Fault(tenant, f"the login {role}", f"has a connection limit of {limit}")
    for row in fetch(connection, _WANTED + _SETTINGS, **wanted):
        yield from _setting_faults(*row)
    yield from _membership_faults(connection, fleet, wanted)


def _setting_faults(tenant: str, kind: str, role: str, database: str | None, found: list[str]) -> Iterator[Fault]:
    names = TenantNames(TenantId(tenant))
    assert kind in ("builder", "reader")
    described = {name: ", ".join(values) for name, values in settings_of(names, kind).items()}  # type: ignore[arg-type]
    wanted = described if database is None else {}
    have = dict(item.partition("=")[::2] for item in found)
    place = statement(" in database {database}", database=database) if database else ""
    for name in sorted(have.keys() | wanted.keys()):
        if _plain(have.get(name)) == _plain(wanted.get(name)):
            continue
        if name not in wanted:
            reset = statement("alter role {role}{} reset {name}", sql.SQL(place), role=role, name=name)
            yield Fault(tenant, f"the login {role}", f"has the setting {name}{place}", reset, of_role=True)
        else:
            yield Fault(tenant, f"the login {role}", f"has not the {name} that it should start with")


def _plain(value: str | None) -> str | None:
    return value.replace('"', "").replace(" ", "") if value is not None else None


def _membership_faults(connection: Connection, fleet: Fleet, wanted: dict[str, list[str]]) -> Iterator[Fault]:
    groups = json.dumps({kind: rights.group for kind, rights in LOGINS.items()})
    rows = fetch(connection, _WANTED + _MEMBERSHIPS, groups=groups, control=fleet.control, **wanted)
    for tenant, group, member, grantor in rows:
        if grantor is not None:
            revoke = "revoke {group} from {member} granted by {grantor} cascade"
            text = statement(revoke, group=group, member=member, grantor=grantor)
            yield Fault(tenant, f"the role {member}", f"is a member of {group}", text, of_role=True)
        elif group is None:
            yield Fault(tenant, f"the login {member}", "is not in its group")
        else:
            grant = statement(
                "grant {group} to {member} with admin true, inherit false, set false", group=group, member=member
            )
            yield Fault(tenant, f"the login {group}", "is not in its keeper's hands", grant)

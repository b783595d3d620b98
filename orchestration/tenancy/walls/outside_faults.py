"""Faults beside the tenants' own schemas: what everybody, a tenant's login or a group of them should not reach."""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from analysis.store.fleet import JOURNALS, MARTS, READERS, SCHEMA, current_release
from orchestration.tenancy.statements import fetch, grantee
from orchestration.tenancy.walls.faults import Fault, Fleet, statement
from orchestration.tenancy.walls.keepers import GROUPS
from orchestration.tenancy.walls.keepers import SCHEMA as KEEPERS_SCHEMA

OURS = ("sluice", "airbyte", "airbyte_internal", SCHEMA, KEEPERS_SCHEMA, "public")
_WALLED = (*MARTS, current_release, *JOURNALS)

# Everybody's rights are looked at in our own schemas; a tenant's or a group's everywhere.
_RIGHTS = """
with outside as materialized (
    select oid, nspname::text as schema, nspowner, nspacl from pg_catalog.pg_namespace
    where nspname !~ '^(pg_|information_schema$|tenant_)'
),
granted as (
    select schema, null::text as name, grantee, privilege_type as privilege
    from outside cross join lateral aclexplode(nspacl) where grantee <> nspowner
    union all
    select schema, relname::text, grantee, privilege_type
    from outside join pg_catalog.pg_class on relnamespace = outside.oid
    cross join lateral (
        select * from aclexplode(relacl) union all
        select exploded.* from pg_catalog.pg_attribute cross join lateral aclexplode(attacl) as exploded
        where attrelid = pg_class.oid and attacl is not null
    ) as rights
    where relkind in ('r', 'v', 'm', 'p', 'f', 'S') and grantee <> relowner and schema <> 'public'
)
select schema, name, coalesce(rolname::text, 'public') as role, string_agg(distinct privilege, ', ')
from granted left join pg_catalog.pg_roles on pg_roles.oid = grantee
where ((grantee = 0 and schema = any(%(ours)s)) or rolname = any(%(groups)s) or rolname = any(%(roles)s))
  and not (schema = %(fleet)s and rolname = %(readers)s
           and privilege = case when name is null then 'USAGE' else 'SELECT' end)
group by 1, 2, 3
"""
_GROUPS = """
select member.rolname::text, grouping.rolname::text, pg_catalog.pg_get_userbyid(grantor)::text
from pg_catalog.pg_auth_members as held
join pg_catalog.pg_roles as member on member.oid = held.member
join pg_catalog.pg_roles as grouping on grouping.oid = held.roleid
where member.rolname = any(%(groups)s)
"""
_WALLS = """
select relname::text from pg_catalog.pg_class
where relnamespace = to_regnamespace(%(fleet)s) and relname = any(%(walled)s)
  and not (relrowsecurity and relforcerowsecurity)
"""
_UNREAD = """
select relname::text from pg_catalog.pg_class
where relnamespace = to_regnamespace(%(fleet)s) and relname = any(%(walled)s)
  and not pg_catalog.has_table_privilege(%(readers)s, oid, 'select')
"""
_POLICIES = """
select relname::text, polname::text from pg_catalog.pg_policy join pg_catalog.pg_class on pg_class.oid = polrelid
where relnamespace = to_regnamespace(%(fleet)s) and relname = any(%(walled)s) and polname not in ('control', 'reader')
"""


def outside_faults(connection: Connection, fleet: Fleet) -> Iterator[Fault]:
    """Rights outside the tenants' schemas that are too much, groups that are more than groups, walls that are down."""
    owners = {getattr(names, login): str(names.tenant) for names in fleet.tenants for login in ("builder", "reader")}
    rights = {"ours": list(OURS), "groups": list(GROUPS), "roles": list(owners), "fleet": SCHEMA, "readers": READERS}
    for schema, name, role, privileges in fetch(connection, _RIGHTS, **rights):
        what = "schema {schema}" if name is None else "{schema}.{name}"
        revoke = f"revoke {{}} on {what} from {{}} cascade"
        text = statement(revoke, sql.SQL(privileges), grantee(role), schema=schema, name=name or "")
        thing = f"the schema {schema}" if name is None else f"the relation {schema}.{name}"
        yield Fault(owners.get(role, ""), thing, f"grants {privileges} to {role}", text)
    for member, group, grantor in fetch(connection, _GROUPS, groups=list(GROUPS)):
        revoke = "revoke {group} from {member} granted by {grantor} cascade"
        text = statement(revoke, group=group, member=member, grantor=grantor)
        yield Fault("", f"the group {member}", f"is a member of {group}", text)
    walled = {"fleet": SCHEMA, "walled": [table.name for table in _WALLED]}
    for (table,) in fetch(connection, _WALLS, **walled):
        wall = "alter table {schema}.{table} enable row level security, force row level security"
        alter = statement(wall, schema=SCHEMA, table=table)
        yield Fault("", f"the fleet table {SCHEMA}.{table}", "does not force its row-level security", alter)
    for (table,) in fetch(connection, _UNREAD, readers=READERS, **walled):
        grant = statement("grant select on {schema}.{table} to {role}", schema=SCHEMA, table=table, role=READERS)
        yield Fault("", f"the fleet table {SCHEMA}.{table}", f"cannot be read by {READERS}", grant)
    for table, policy in fetch(connection, _POLICIES, **walled):
        drop = statement("drop policy {policy} on {schema}.{table}", policy=policy, schema=SCHEMA, table=table)
        yield Fault("", f"the fleet table {SCHEMA}.{table}", f"has the policy {policy}, which is not ours", drop)

"""Faults of rights on schemas and relations: the tenants' own, and everybody else's that tenants should not reach."""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from orchestration.tenancy.statements import fetch, grantee
from orchestration.tenancy.walls.faults import Fault, Fleet, statement
from orchestration.tenancy.walls.grants import FUTURE_TABLES, SCHEMA_GRANTS, TABLE_READERS

LASTING = ("raw", "history", "analytics")
_PLACES = """
with place as materialized (
    select pg_namespace.oid, nspname::text as schema, nspowner as owner, nspacl as acl, parts[1] as tenant,
        'tenant_' || parts[1] || '_builder' as builder, 'tenant_' || parts[1] || '_reader' as reader,
        case
            when parts[2] is null then 'raw'
            when parts[2] = '_analytics__build' and parts[1] = any(%(sealed)s) then 'release'
            when parts[2] = '_analytics__build' then 'build'
            when parts[2] like '\\_analytics\\_\\_r%%' then 'release'
            else replace(parts[2], '_', '')
        end as kind
    from pg_catalog.pg_namespace
    cross join lateral regexp_match(
        nspname, '^tenant_(.+?)(_sample|__scratch|_history|_analytics|_analytics__build|_analytics__r[0-9]+)?$'
    ) as parts
    where parts[1] = any(%(tenants)s)
)
"""
_SCHEMAS = """
, wanted as (
    select place.oid, schema, kind, tenant, privilege,
        case who when 'builder' then builder when 'reader' then reader else %(loader)s end as role
    from place join unnest(%(kinds)s::text[], %(whos)s::text[], %(privileges)s::text[])
        as rights (kind, who, privilege) using (kind)
),
found as (
    select place.oid, schema, kind, tenant, privilege_type as privilege,
        coalesce(pg_roles.rolname::text, 'public') as role, is_grantable
    from place cross join lateral aclexplode(acl) left join pg_catalog.pg_roles on pg_roles.oid = grantee
    where grantee <> owner
)
select coalesce(found.tenant, wanted.tenant), coalesce(found.schema, wanted.schema), role, privilege,
    found.oid is not null
from found full join wanted using (oid, role, privilege)
where wanted.oid is null or is_grantable or (found.oid is null and wanted.kind = any(%(lasting)s))
"""
_RELATIONS = """
, relation as materialized (
    select place.*, relname::text as name, relkind, relowner, relacl, pg_class.oid as relation,
        array(select case who when 'builder' then builder else reader end
              from unnest(%(readable)s::text[], %(readers)s::text[]) as rights (kind, who)
              where rights.kind = place.kind) as readers
    from place join pg_catalog.pg_class on relnamespace = place.oid
    where relkind in ('r', 'v', 'm', 'p', 'f') and place.kind not in ('build', 'scratch')
),
granted as (
    select relation.*, grantee, privilege_type as privilege, is_grantable
    from relation cross join lateral (
        select * from aclexplode(relacl) union all
        select exploded.* from pg_catalog.pg_attribute cross join lateral aclexplode(attacl) as exploded
        where attrelid = relation and attacl is not null
    ) as rights
    where grantee <> relowner
)
select tenant, schema, name, 'too much', coalesce(rolname::text, 'public'), string_agg(distinct privilege, ', ')
from granted left join pg_catalog.pg_roles on pg_roles.oid = grantee
where (rolname = any(readers)) is not true or privilege <> 'SELECT' or is_grantable
group by 1, 2, 3, 4, 5
union all
select tenant, schema, name, 'too little', who, 'SELECT' from relation cross join unnest(readers) as who
where not exists (select from aclexplode(relacl) join pg_catalog.pg_roles on pg_roles.oid = grantee
                  where rolname = who and privilege_type = 'SELECT')
union all
select tenant, schema, name, 'owner', rolname::text, relkind::text
from relation join pg_catalog.pg_roles on pg_roles.oid = relowner
where case when kind in ('raw', 'sample') then rolname ~ '^tenant_.+_(builder|reader)$' else rolname <> %(control)s end
union all
select tenant, schema, null, 'owner', rolname::text, null
from place join pg_catalog.pg_roles on pg_roles.oid = owner where rolname <> %(control)s
"""


_DEFAULTS = """
, wanted as (
    select place.oid, schema, tenant, kind, case maker when 'loader' then %(loader)s else %(control)s end as maker,
        case who when 'builder' then builder else reader end as role, 'SELECT' as privilege, 'r'::"char" as type
    from place join unnest(%(future)s::text[], %(makers)s::text[], %(futures)s::text[]) as rights (kind, maker, who)
        using (kind)
),
found as (
    select place.oid, schema, tenant, kind, pg_catalog.pg_get_userbyid(defaclrole)::text as maker,
        coalesce(rolname::text, 'public') as role, privilege_type as privilege, defaclobjtype as type
    from place join pg_catalog.pg_default_acl on defaclnamespace = place.oid
    cross join lateral aclexplode(defaclacl) left join pg_catalog.pg_roles on pg_roles.oid = grantee
    where grantee <> defaclrole and kind not in ('build', 'scratch')
)
select coalesce(found.tenant, wanted.tenant), coalesce(found.schema, wanted.schema), maker, role, type::text,
    string_agg(privilege, ', '), found.oid is not null
from found full join wanted using (oid, maker, role, privilege, type)
where wanted.oid is null or (found.oid is null and wanted.kind = any(%(lasting)s))
group by 1, 2, 3, 4, 5, found.oid
"""
_OBJECTS = {"r": "tables", "S": "sequences", "f": "functions", "T": "types", "n": "schemas"}


def object_faults(connection: Connection, fleet: Fleet) -> Iterator[Fault]:
    """Rights on the tenants' schemas and relations that are too much or too little, and owners that are not ours."""
    rights = [(kind, who, right) for kind, granted in SCHEMA_GRANTS.items() for who, right in sorted(granted)]
    kinds, whos, privileges = (list(column) for column in zip(*rights, strict=True))
    places = {"tenants": [str(names.tenant) for names in fleet.tenants], "sealed": list(fleet.sealed)}
    values = {"kinds": kinds, "whos": whos, "privileges": privileges, "lasting": list(LASTING), "loader": fleet.loader}
    for tenant, schema, role, right, is_extra in fetch(connection, _PLACES + _SCHEMAS, **places, **values):
        yield _schema_fault(tenant, schema, role, right, is_extra)
    pairs = [(kind, who) for kind, readers in TABLE_READERS.items() for who in readers]
    readers = {"readable": [kind for kind, _ in pairs], "readers": [who for _, who in pairs], "control": fleet.control}
    for row in fetch(connection, _PLACES + _RELATIONS, **places, **readers):
        yield _relation_fault(fleet, *row)
    to_come = [(kind, maker, who) for kind, maker in FUTURE_TABLES.items() for who in TABLE_READERS[kind]]
    makers = {"future": [kind for kind, _, _ in to_come], "makers": [maker for _, maker, _ in to_come]}
    futures = {"futures": [who for _, _, who in to_come], "lasting": list(LASTING)}
    ours = {"control": fleet.control, "loader": fleet.loader}
    for row in fetch(connection, _PLACES + _DEFAULTS, **places, **makers, **futures, **ours):
        yield _default_fault(*row)


def _default_fault(
    tenant: str, schema: str, maker: str, role: str, kind: str, privileges: str, is_extra: bool
) -> Fault:
    thing, objects = f"the schema {schema}", sql.SQL(_OBJECTS[kind])
    if not is_extra:
        return Fault(tenant, thing, f"does not let {role} read the tables to come of {maker}")
    alter = "alter default privileges for role {maker} in schema {schema} revoke all on {} from {}"
    text = statement(alter, objects, grantee(role), maker=maker, schema=schema)
    return Fault(tenant, thing, f"grants {privileges} on {objects.as_string(None)} to come of {maker} to {role}", text)


def _schema_fault(tenant: str, schema: str, role: str, right: str, is_extra: bool) -> Fault:
    if not is_extra:
        return Fault(tenant, f"the schema {schema}", f"lacks {right} for {role}")
    revoke = statement("revoke {} on schema {schema} from {} cascade", sql.SQL(right), grantee(role), schema=schema)
    return Fault(tenant, f"the schema {schema}", f"grants {right} to {role}", revoke)


def _relation_fault(
    fleet: Fleet, tenant: str, schema: str, name: str | None, fault: str, role: str, detail: str | None
) -> Fault:
    thing = f"the relation {schema}.{name}" if name is not None else f"the schema {schema}"
    if fault == "owner":
        what = "table {schema}.{name}" if name is not None else "schema {schema}"
        alter = statement(f"alter {what} owner to {{control}}", schema=schema, name=name or "", control=fleet.control)
        return Fault(tenant, thing, f"belongs to {role}", alter, owner=role)
    if fault == "too little":
        return Fault(tenant, thing, f"cannot be read by {role}")
    revoke = "revoke {} on {schema}.{name} from {} cascade"
    text = statement(revoke, sql.SQL(detail or "all"), grantee(role), schema=schema, name=name or "")
    return Fault(tenant, thing, f"grants {detail} to {role}", text)

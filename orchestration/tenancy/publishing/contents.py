"""What a release may hold: tables and views that stand on nothing but each other and what PostgreSQL came with."""

from sqlalchemy import Connection

from orchestration.tenancy.statements import fetch

# A function, type or operator of the builder's that a column, default, index, constraint or view uses would run with
# the rights of whoever touches the relation: the control role's when it fills the fleet, and autovacuum's as owner.
# What PostgreSQL came with is pinned, so it never stands in pg_depend; an extension is the administrator's choice.
_FORBIDDEN = """
with home as (select %(schema)s::regnamespace::oid as oid),
relation as materialized (
    select pg_class.oid, relname, relkind, relrowsecurity or relforcerowsecurity as has_row_security
    from pg_catalog.pg_class join home on relnamespace = home.oid
),
part as materialized (
    select 'pg_catalog.pg_class'::regclass as classid, oid, relname from relation
    union all select 'pg_catalog.pg_class'::regclass, indexrelid, relname
    from pg_catalog.pg_index join relation on indrelid = relation.oid
    union all select 'pg_catalog.pg_attrdef'::regclass, pg_attrdef.oid, relname
    from pg_catalog.pg_attrdef join relation on adrelid = relation.oid
    union all select 'pg_catalog.pg_constraint'::regclass, pg_constraint.oid, relname
    from pg_catalog.pg_constraint join relation on conrelid = relation.oid
    union all select 'pg_catalog.pg_rewrite'::regclass, pg_rewrite.oid, relname
    from pg_catalog.pg_rewrite join relation on ev_class = relation.oid
),
own_type as materialized (
    select pg_type.oid from pg_catalog.pg_type join relation on typrelid = relation.oid
    union all select typarray from pg_catalog.pg_type join relation on typrelid = relation.oid
)
select pg_catalog.pg_describe_object(classid, objid, 0)
from pg_catalog.pg_depend join home on refclassid = 'pg_catalog.pg_namespace'::regclass and refobjid = home.oid
where not (classid = 'pg_catalog.pg_class'::regclass
           and objid in (select oid from relation where relkind in ('r', 'v')))
union all
select pg_catalog.pg_describe_object('pg_catalog.pg_rewrite'::regclass, rule.oid, 0)
from pg_catalog.pg_rewrite as rule join relation on relation.oid = ev_class where rulename <> '_RETURN'
union all
select pg_catalog.pg_describe_object('pg_catalog.pg_trigger'::regclass, trigger.oid, 0)
from pg_catalog.pg_trigger as trigger join relation on relation.oid = tgrelid where not tgisinternal
union all
select 'row security of table ' || relname from relation where has_row_security
union all
select 'policy ' || polname || ' of table ' || relname
from pg_catalog.pg_policy join relation on relation.oid = polrelid
union all
select 'inheritance of table ' || relname
from pg_catalog.pg_inherits join relation on relation.oid in (inhrelid, inhparent)
union all
select 'a foreign key from outside to table ' || relname
from pg_catalog.pg_constraint join relation on relation.oid = confrelid
where conrelid not in (select oid from relation)
union all
select 'table ' || part.relname || ' with '
    || pg_catalog.pg_describe_object(uses.refclassid, uses.refobjid, uses.refobjsubid)
from pg_catalog.pg_depend as uses join part on uses.classid = part.classid and uses.objid = part.oid
where uses.refclassid not in ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_constraint'::regclass,
                              'pg_catalog.pg_am'::regclass)
  and not (uses.refclassid = 'pg_catalog.pg_class'::regclass
           and uses.refobjid in (select oid from part where classid = 'pg_catalog.pg_class'::regclass))
  and not (uses.refclassid = 'pg_catalog.pg_type'::regclass and uses.refobjid in (select oid from own_type))
  and not exists (select from pg_catalog.pg_depend as member
                  where member.classid = uses.refclassid and member.objid = uses.refobjid and member.deptype = 'e')
limit 1
"""


def find_forbidden(connection: Connection, schema: str) -> str | None:
    """What a release in this schema must not hold or stand on, in PostgreSQL's words, or None; ask as its owner."""
    found = fetch(connection, _FORBIDDEN, schema=f'"{schema}"')
    return str(found[0][0]) if found else None

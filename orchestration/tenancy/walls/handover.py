"""Logins that the control role made and holds itself, as once was the way, pass into their keepers' hands."""

from itertools import groupby

from psycopg import sql
from sqlalchemy import Connection, Engine

from analysis.store.tenants import list_tenants
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.keepers import install_keeper, is_installed, keeper_of

_MISPLACED = """
with wanted as (select * from unnest(%(roles)s::text[], %(keepers)s::text[]) as wanted (role, keeper)),
held as (
    select roleid, member.rolname as member, admin_option, inherit_option or set_option as is_joined,
        pg_catalog.pg_get_userbyid(grantor) = %(superuser)s as is_superusers
    from pg_catalog.pg_auth_members join pg_catalog.pg_roles as member on member.oid = pg_auth_members.member
)
select wanted.keeper, wanted.role from wanted join pg_catalog.pg_roles on pg_roles.rolname = wanted.role
where not exists (select from held where roleid = pg_roles.oid and member = wanted.keeper and admin_option)
   or exists (select from held where roleid = pg_roles.oid and member = %(control)s and (is_joined or is_superusers))
order by 1, 2
"""


def hand_over(engine: Engine, admin: Engine | None = None) -> int:
    """Give every tenant's logins to their keepers; returns how many were elsewhere. Safe to repeat.

    With a superuser's engine the control role's own hold on them ends; without, its right to administer them stays.
    """
    with transaction(engine) as connection:
        control = str(fetch(connection, "select current_user")[0][0])
        tenants = [TenantNames(TenantId(row.tenant_id)) for row in list_tenants(connection)]
    logins = [(login, keeper_of(names.tenant)) for names in tenants for login in (names.builder, names.reader)]
    with transaction(admin or engine) as connection:
        superuser = str(fetch(connection, "select current_user")[0][0]) if admin else None
        values = {"control": control, "superuser": superuser}
        roles, keepers = [role for role, _ in logins], [keeper for _, keeper in logins]
        misplaced = fetch(connection, _MISPLACED, roles=roles, keepers=keepers, **values)
    for keeper, group in groupby(misplaced, key=lambda row: str(row[0])):
        with transaction(engine) as connection:
            if not is_installed(connection, keeper):
                install_keeper(connection, keeper)
        with transaction(admin or engine) as connection:
            _move(connection, keeper, [str(role) for _, role in group], control, superuser)
    return len(misplaced)


def _move(connection: Connection, keeper: str, roles: list[str], control: str, superuser: str | None) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, roles))
    run(connection, "grant {} to {keeper} with admin true, inherit false, set false", listed, keeper=keeper)
    for grantor in (control, superuser):  # the first depends on the second
        if grantor is not None:
            run(connection, "revoke {} from {control} granted by {grantor}", listed, control=control, grantor=grantor)

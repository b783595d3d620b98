"""What the whole database grants and does not grant, whoever the tenants are."""

from sqlalchemy import Connection, Engine

from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.keepers import GROUPS, lock_logins
from orchestration.tenancy.walls.roles import role_exists

_PUBLIC_RIGHTS = """
select has_database_privilege('public', current_database(), 'connect')
    or has_database_privilege('public', current_database(), 'temporary')
    or has_database_privilege('public', current_database(), 'create')
    or has_schema_privilege('public', 'public', 'create')
    or has_schema_privilege('public', 'public', 'usage')
"""
_READY_GROUPS = """
select count(*) from pg_catalog.pg_roles
where rolname = any(%(groups)s) and pg_catalog.has_database_privilege(oid, current_database(), 'connect')
"""


def prepare_platform(engine: Engine) -> None:
    """Take from PUBLIC what tenants must not have and let their groups connect. Safe to repeat and at once."""
    with transaction(engine) as connection:
        if not is_prepared(connection):
            lock_logins(connection)
            name = _database(connection)
            run(connection, "revoke all on database {database} from public", database=name)
            run(connection, "grant all on database {database} to current_user", database=name)
            run(connection, "revoke all on schema public from public")
            for group in GROUPS:
                _open_to(connection, group)


def is_prepared(connection: Connection) -> bool:
    """Whether the public has nothing here and the groups may connect."""
    ready = fetch(connection, _READY_GROUPS, groups=list(GROUPS))[0][0] == len(GROUPS)
    return ready and not fetch(connection, _PUBLIC_RIGHTS)[0][0]


def _open_to(connection: Connection, group: str) -> None:
    if not role_exists(connection, group):
        run(connection, "create role {group} nologin", group=group)
    run(connection, "grant connect on database {database} to {group}", database=_database(connection), group=group)


def _database(connection: Connection) -> str:
    return str(fetch(connection, "select current_database()")[0][0])

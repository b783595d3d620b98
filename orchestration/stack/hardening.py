"""What only a superuser can close or give: functions open to everybody by default, and rights beyond a plain login."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[object, ...]]

WATCHING = ("pg_read_all_stats", "pg_signal_backend")
"""What the control role needs to see and end a tenant's runaway work."""
RESERVED = "pg_use_reserved_connections"
"""What our own logins need to come in when tenants hold every other connection."""

# Large objects and the log of changes fill the disk from a login that may write nothing; advisory locks are one space
# for all, where a tenant could hold ours.
_OPEN = """
select oid::regprocedure::text, proname ~ 'advisory' from pg_catalog.pg_proc
where pronamespace = 'pg_catalog'::regnamespace
  and (proname ~ '^(lo_|pg_(try_)?advisory_)' or proname in ('loread', 'lowrite', 'pg_logical_emit_message'))
  and pg_catalog.has_function_privilege('public', oid, 'execute')
order by 1
"""
_LOCKS_TO_GRANT = """
select oid::regprocedure::text from pg_catalog.pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_'
  and not pg_catalog.has_function_privilege(%(role)s, oid, 'execute')
  and pg_catalog.has_function_privilege(oid, 'execute with grant option')
order by 1
"""


def open_functions(connection: Connection) -> list[tuple[str, bool]]:
    """Functions of this database that everybody has and tenants should not; whether each is about advisory locks."""
    return [(str(name), bool(is_lock)) for name, is_lock in connection.execute(_OPEN).fetchall()]


def closing_statements(connection: Connection, control: str, others: Sequence[str] = ()) -> list[str]:
    """What a superuser runs to close them to all but our own logins; empty when they are closed."""
    found = open_functions(connection)
    locks = ", ".join(name for name, is_lock in found if is_lock)
    who = [sql.Identifier(role).as_string(connection) for role in (control, *others)]
    return [
        *([f"revoke execute on function {', '.join(name for name, _ in found)} from public"] if found else []),
        *([f"grant execute on function {locks} to {who[0]} with grant option"] if locks else []),
        *([f"grant execute on function {locks} to {', '.join(who[1:])}"] if locks and who[1:] else []),
    ]


def close_functions(admin: Connection, control: str) -> None:
    """Close them, as a superuser; the control role keeps advisory locks and may pass them on."""
    for statement in closing_statements(admin, control):
        admin.execute(statement.encode())


def pass_on_locks(control: Connection, role: str) -> None:
    """Let one of our own logins use advisory locks where they are closed to the public."""
    names = [str(name) for (name,) in control.execute(_LOCKS_TO_GRANT, {"role": role}).fetchall()]
    if names:
        grant = f"grant execute on function {', '.join(names)} to {sql.Identifier(role).as_string(control)}"
        control.execute(grant.encode())


def strengthen_control(admin: Connection, control: str) -> None:
    """Give the control role what it watches tenants with, and no limit of temporary files for itself."""
    role = sql.Identifier(control)
    for right in (*WATCHING, RESERVED):
        admin.execute(sql.SQL("grant {} to {} with admin true, inherit true").format(sql.Identifier(right), role))
    admin.execute(sql.SQL("grant set on parameter temp_file_limit to {}").format(role))
    admin.execute(sql.SQL("alter role {} set temp_file_limit = -1").format(role))


def strengthen_login(control: Connection, role: str) -> None:
    """Give one of our own logins a reserved connection and no limit of temporary files, where we may."""
    query = """
    select pg_catalog.pg_has_role('pg_use_reserved_connections', 'usage with admin option')
        and not pg_catalog.pg_has_role(%(role)s, 'pg_use_reserved_connections', 'usage'),
      pg_catalog.has_parameter_privilege('temp_file_limit', 'set')
        and not exists (select from pg_catalog.pg_db_role_setting join pg_catalog.pg_roles on pg_roles.oid = setrole
                        where rolname = %(role)s and 'temp_file_limit=-1' = any(setconfig))
    """
    row = control.execute(query, {"role": role}).fetchone()
    gets_connection, gets_space = row or (False, False)
    if gets_connection:
        control.execute(sql.SQL("grant pg_use_reserved_connections to {}").format(sql.Identifier(role)))
    if gets_space:
        control.execute(sql.SQL("alter role {} set temp_file_limit = -1").format(sql.Identifier(role)))

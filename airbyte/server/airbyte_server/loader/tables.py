"""Tables of destination-postgres 3.x: creation, indexes, and the swap of an overwrite."""

from collections.abc import Sequence

from psycopg import errors, sql

from airbyte_server.errors import PermanentError
from airbyte_server.loader.columns import Column
from airbyte_server.loader.database import KEY_TOO_LONG, MARKER, Connection, drop_table

META = (
    ("_airbyte_raw_id", "varchar", True),
    ("_airbyte_extracted_at", "timestamp with time zone", True),
    ("_airbyte_meta", "jsonb", True),
    ("_airbyte_generation_id", "bigint", False),
)
"""Name, type and whether it is NOT NULL, in the order of the table."""


def all_column_names(columns: Sequence[Column]) -> list[str]:
    """Every column of the table, in order."""
    return [name for name, _, _ in META] + [column.name for column in columns]


def create_table(
    connection: Connection,
    table: sql.Identifier,
    columns: Sequence[Column],
    *,
    unlogged: bool = False,
    temporary: bool = False,
) -> None:
    """Create the table with Airbyte's columns and the stream's; a temporary one carries the loader's mark."""
    definitions = [
        sql.SQL("{} {}{}").format(sql.Identifier(name), sql.SQL(kind), sql.SQL(" not null" if required else ""))
        for name, kind, required in META
    ] + [sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type)) for column in columns]
    kind = sql.SQL("unlogged table" if unlogged else "table")
    connection.execute(sql.SQL("create {} {} ({})").format(kind, table, sql.SQL(", ").join(definitions)))
    if temporary:
        connection.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(MARKER)))


def existing_columns(connection: Connection, schema: str, table: str) -> dict[str, str] | None:
    """Column name → type of an Airbyte table, or None if there is none; anything else of that name is refused."""
    row = connection.execute(
        """
        select oid, relkind in ('r', 'p') from pg_class
        where relname = %s and relnamespace = (select oid from pg_namespace where nspname = %s)
        """,
        (table, schema),
    ).fetchone()
    if row is None:
        return None
    columns = {
        str(name): str(kind)
        for name, kind in connection.execute(
            """
            select attname, format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = %s and attnum > 0 and not attisdropped order by attnum
            """,
            (row[0],),
        )
    }
    if not row[1] or not {name for name, _, _ in META[:3]} <= columns.keys():
        raise PermanentError(
            "Something that is not an Airbyte table has the stream's name; move it away or change the prefix.",
            schema=schema,
            table=table,
        )
    return columns


def ensure_indexes(connection: Connection, table: sql.Identifier, wanted: Sequence[Sequence[str]]) -> None:
    """An index per list of columns, unless the table has one on just these."""
    present = {
        tuple(str(name) for name in row[0])
        for row in connection.execute(
            """
            select array(
                select a.attname::text from unnest(i.indkey) with ordinality as k (number, place)
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number order by k.place
            ) from pg_index i where i.indrelid = %s::regclass
            """,
            (table.as_string(connection),),
        )
    }
    for names in wanted:
        if tuple(names) in present:
            continue
        try:
            connection.execute(
                sql.SQL("create index on {} ({})").format(table, sql.SQL(", ").join(map(sql.Identifier, names)))
            )
        except errors.ProgramLimitExceeded as error:
            raise PermanentError(
                KEY_TOO_LONG,
                table=table.as_string(connection),
                columns=list(names),
            ) from error


def swap_in(connection: Connection, temporary: tuple[str, str], target: tuple[str, str]) -> None:
    """Put the temporary table in the target's place, with the target's grants; call it inside a transaction."""
    (schema, name), (target_schema, target_name) = temporary, target
    grants = _grants(connection, target_schema, target_name)
    readers = dependents(connection, target_schema, target_name)
    try:
        drop_table(connection, target_schema, target_name)
    except errors.DependentObjectsStillExist as error:
        raise PermanentError(
            f"The table cannot be replaced because {readers} depends on it; drop that, or let it read a copy.",
            schema=target_schema,
            table=target_name,
        ) from error
    temp = sql.Identifier(schema, name)
    connection.execute(sql.SQL("comment on table {} is null").format(temp))
    connection.execute(sql.SQL("alter table {} rename to {}").format(temp, sql.Identifier(target_name)))
    if schema != target_schema:
        renamed = sql.Identifier(schema, target_name)
        connection.execute(sql.SQL("alter table {} set schema {}").format(renamed, sql.Identifier(target_schema)))
    for grantee, privilege, grantable in grants:
        connection.execute(
            sql.SQL("grant {} on {} to {}{}").format(
                sql.SQL(privilege),
                sql.Identifier(target_schema, target_name),
                sql.Identifier(grantee) if grantee else sql.SQL("public"),
                sql.SQL(" with grant option" if grantable else ""),
            )
        )


def _grants(connection: Connection, schema: str, table: str) -> list[tuple[str | None, str, bool]]:
    # Default privileges belong to the schema a table is created in, which is not the target's.
    rows = connection.execute(
        """
        with namespace as (select oid from pg_namespace where nspname = %(schema)s),
        acl as (
            select (aclexplode(relacl)).* from pg_class, namespace
            where relname = %(table)s and relnamespace = namespace.oid
            union
            select (aclexplode(defaclacl)).* from pg_default_acl, namespace
            where defaclnamespace = namespace.oid and defaclobjtype = 'r'
              and defaclrole = (select oid from pg_roles where rolname = current_user)
        )
        select rolname, privilege_type, bool_or(is_grantable)
        from acl left join pg_roles on pg_roles.oid = grantee
        where (grantee = 0 or rolname is not null) and rolname is distinct from current_user
        group by 1, 2 order by 1, 2
        """,
        {"schema": schema, "table": table},
    ).fetchall()
    return [(None if role is None else str(role), str(privilege), bool(option)) for role, privilege, option in rows]


def dependents(connection: Connection, schema: str, table: str) -> str:
    """The views that read the table, as `schema.name`, with commas."""
    rows = connection.execute(
        """
        select distinct n.nspname || '.' || v.relname
        from pg_depend d
        join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        join pg_class v on v.oid = r.ev_class
        join pg_namespace n on n.oid = v.relnamespace
        where d.refobjid = to_regclass(%s) and v.oid <> d.refobjid
        order by 1
        """,
        (sql.Identifier(schema, table).as_string(connection),),
    ).fetchall()
    return ", ".join(str(name) for (name,) in rows) or "another object"

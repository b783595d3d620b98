"""What erasing a tenant deletes from schema `sluice`: every row of its own, and model sets that only it used."""

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select

from analysis.store.tables import SCHEMA, metadata, model_plans, model_sets, releases


def exclusive_sets(connection: Connection, tenant_id: str) -> list[str]:
    """Names of the model sets that no other tenant's plan or release names, locked until the transaction ends."""
    used = or_(*(model_sets.c.name.in_(_named_by(table, table.c.tenant_id == tenant_id)) for table in _NAMING))
    spare = (model_sets.c.name.not_in(_named_by(table, table.c.tenant_id != tenant_id)) for table in _NAMING)
    statement = select(model_sets.c.name).where(used, *spare).order_by(model_sets.c.name)
    return list(connection.execute(statement.with_for_update()).scalars())


def erase_records(connection: Connection, tenant_id: str) -> dict[str, int]:
    """Delete a tenant's every row, whatever table of the schema it is in; how many there were, by table."""
    sets = exclusive_sets(connection, tenant_id)
    plans = select(model_plans.c.plan_id).where(model_plans.c.tenant_id == tenant_id)
    erased: dict[str, int] = {}
    for table in reversed(metadata.sorted_tables):
        if table.schema != SCHEMA:
            continue
        if "tenant_id" in table.c:
            erased[table.name] = _delete(connection, table, table.c.tenant_id == tenant_id)
        elif "plan_id" in table.c:
            erased[table.name] = _delete(connection, table, table.c.plan_id.in_(plans))
    erased[model_sets.name] = _delete(connection, model_sets, model_sets.c.name.in_(sets))
    return dict(sorted(erased.items()))


_NAMING = (model_plans, releases)


def _named_by(table: Table, whose: ColumnElement[bool]) -> ColumnElement[str]:
    return select(table.c.model_set).where(whose, table.c.model_set.is_not(None)).scalar_subquery()


def _delete(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(which)).rowcount

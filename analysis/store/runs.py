"""Incidents: what failed, in a sentence, until it is resolved."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from analysis.errors import PermanentError, SluiceError
from analysis.store.connect import Record, all_records
from analysis.store.tables import incidents


class IncidentRow(Record):
    """Something that failed, in a sentence, until it is resolved."""

    incident_id: int
    tenant_id: str
    step: str
    sentence: str
    keys: Mapping[str, Any]
    is_permanent: bool
    happened_at: datetime
    resolved_at: datetime | None


def record_incident(
    connection: Connection,
    tenant_id: str,
    step: str,
    sentence: str,
    *,
    is_permanent: bool,
    keys: Mapping[str, Any] | None = None,
) -> int:
    """Add an incident and return its id; whatever the keys hold, it is stored."""
    values = {"tenant_id": tenant_id, "step": step, "sentence": storable(sentence), "is_permanent": is_permanent}
    statement = insert(incidents).values(values | {"keys": json.loads(storable(json.dumps(keys or {}, default=str)))})
    return int(connection.execute(statement.returning(incidents.c.incident_id)).scalar_one())


def record_error(connection: Connection, tenant_id: str, step: str, error: SluiceError) -> int:
    """Add an error that ended a step as an incident and return its id."""
    keys = {name: str(value) for name, value in error.keys.items()}
    permanent = isinstance(error, PermanentError)
    return record_incident(connection, tenant_id, step, error.sentence, is_permanent=permanent, keys=keys)


def storable(words: str) -> str:
    """The text without what PostgreSQL refuses to store: NUL, in JSON too, and halves of surrogate pairs."""
    whole = words.replace("\x00", "").replace("\\u0000", "")
    return whole.encode("utf-8", "replace").decode("utf-8")


def resolve_incidents(connection: Connection, tenant_id: str, *, step: str | None = None) -> int:
    """Close a tenant's open incidents, of one step or all, and return how many there were."""
    opened = update(incidents).where(incidents.c.tenant_id == tenant_id, incidents.c.resolved_at.is_(None))
    chosen = opened if step is None else opened.where(incidents.c.step == step)
    return connection.execute(chosen.values(resolved_at=func.now())).rowcount


def open_incidents(connection: Connection, tenant_id: str | None = None) -> tuple[IncidentRow, ...]:
    """Unresolved incidents of one tenant or all, newest first."""
    statement = select(incidents).where(incidents.c.resolved_at.is_(None))
    chosen = statement if tenant_id is None else statement.where(incidents.c.tenant_id == tenant_id)
    return all_records(IncidentRow, connection.execute(chosen.order_by(incidents.c.incident_id.desc())))

"""Connections that are about to be removed: they start no more jobs, and leave no state behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement

from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.states import forget_states, state_places
from airbyte_server.jobs.supervisor import Supervisor
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.state.storage import Storage


@contextmanager
def retired(
    storage: Storage, supervisor: Supervisor, configurations: Configurations, which: ColumnElement[bool]
) -> Iterator[None]:
    """End the jobs of these connections, let the caller remove them, then have their destinations forget them."""
    with storage.begin() as transaction:
        places = state_places(transaction, configurations, which)
        active = job_store.close_connections(transaction, which)
    for job_id in active:
        supervisor.cancel(job_id)
    yield
    forget_states(places)

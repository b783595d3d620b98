"""How long a tenant's login may work at a stretch, held from outside: a role can lift its own time-outs."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from analysis.errors import PermanentError, SluiceError
from analysis.store.fleet import READERS
from orchestration.settings import Settings
from orchestration.tenancy.statements import fetch, transaction
from orchestration.tenancy.walls.keepers import BUILDERS
from orchestration.tenancy.walls.roles import may_watch

LOOK_SECONDS = 5.0
_log = logging.getLogger(__name__)

# A transaction counts as a whole, or many short statements could hold its locks for good; and a statement as a whole,
# or a block that commits within itself could run for good. Idle is what waits for its client inside a transaction.
_OVERLONG = """
with working as materialized (
    select activity.pid, activity.usename::text as login, activity.state like 'idle%%' as is_idle,
           case grouped.rolname when %(builders)s then %(builder)s else %(reader)s end as allowed,
           extract(epoch from clock_timestamp() - least(
               activity.xact_start, case when activity.state like 'idle%%' then null else activity.query_start end
           )) as seconds,
           extract(epoch from clock_timestamp() - activity.state_change) as idle_seconds
    from pg_catalog.pg_stat_activity as activity
    join pg_catalog.pg_auth_members as member on member.member = activity.usesysid
    join pg_catalog.pg_roles as grouped on grouped.oid = member.roleid
    where grouped.rolname in (%(builders)s, %(readers)s)
      -- Whoever hands the groups out stands among their members too.
      and activity.usename ~ '^tenant_.+_(builder|reader)$'
      and activity.datname = pg_catalog.current_database() and activity.state <> 'idle'
)
select pid, login, is_idle, seconds::float,
       case when is_idle or seconds > allowed + %(grace)s then pg_catalog.pg_terminate_backend(pid)
            else not pg_catalog.pg_cancel_backend(pid) end as is_over
from working
where seconds > allowed or (is_idle and idle_seconds > %(idle)s)
"""


@dataclass(frozen=True)
class Limits:
    """Seconds that a builder's and a reader's transaction may take, and either's may wait for its client."""

    builder_seconds: float
    reader_seconds: float
    idle_seconds: float
    grace_seconds: float = 10
    """How long what was cancelled may take to end; then its session is terminated."""


@dataclass(frozen=True)
class Ended:
    """What was done about one session: its statement cancelled, or the session terminated."""

    login: str
    pid: int
    what: Literal["statement", "idle transaction"]
    seconds: float
    how: Literal["cancelled", "terminated"]

    def __str__(self) -> str:
        return f"{self.login}: {self.what} of {self.seconds:.0f} s {self.how} (process {self.pid})"


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings give."""
    return Limits(settings.builder_seconds, settings.reader_seconds, settings.idle_transaction_seconds)


def end_overlong(engine: Engine, limits: Limits) -> list[Ended]:
    """Cancel every tenant's statement that is over its time; terminate idle transactions and what outlived a cancel."""
    values = {"builders": BUILDERS, "readers": READERS, "builder": limits.builder_seconds}
    values |= {"reader": limits.reader_seconds, "idle": limits.idle_seconds, "grace": limits.grace_seconds}
    with transaction(engine) as connection:
        if not may_watch(connection):
            message = "The control role may not end tenants' statements; grant it pg_read_all_stats, pg_signal_backend."
            raise PermanentError(message, role=engine.url.username)
        rows = fetch(connection, _OVERLONG, **values)
    return [
        Ended(login, pid, "idle transaction" if idle else "statement", seconds, "terminated" if over else "cancelled")
        for pid, login, idle, seconds, over in rows
    ]


@contextmanager
def enforced(engine: Engine, limits: Limits, *, look_seconds: float = LOOK_SECONDS) -> Iterator[None]:
    """Look again and again from a thread until the `with` ends: a run's statements are bounded without the daemon."""
    done = threading.Event()
    thread = threading.Thread(target=_look, args=(engine, limits, done, look_seconds), daemon=True, name="limits")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _look(engine: Engine, limits: Limits, done: threading.Event, look_seconds: float) -> None:
    told = ""
    while not done.wait(look_seconds):
        try:
            for ended in end_overlong(engine, limits):
                _log.warning("%s", ended)
        except (SluiceError, SQLAlchemyError) as error:  # the database is away for a moment; the next look may find it
            if str(error) != told:
                told = str(error)
                _log.warning("%s", told)

"""Checks of the tenants' walls: every login and grant against its description, and what only a superuser can close."""

import time
from collections.abc import Iterator

from sqlalchemy import Engine

from orchestration.settings import Settings
from orchestration.stack import bootstrap, hardening
from orchestration.stack.check_database import UP, connected, control_url
from orchestration.stack.upgrading import administrator

Outcome = tuple[bool, str, str]
_LIMITED = """
select exists (select from pg_catalog.pg_settings where name = 'temp_file_limit' and reset_val <> '-1')
    or exists (select from pg_catalog.pg_db_role_setting join pg_catalog.pg_roles on pg_roles.oid = setrole
               where rolname = current_user and 'temp_file_limit=-1' = any(setconfig))
"""


def closed_functions(settings: Settings) -> Iterator[Outcome]:
    """Nobody writes large objects, takes advisory locks or floods the log by being `public`."""
    with connected(settings) as control:
        if control is None:
            return
        database, user = control.info.dbname, control.info.user
        needed = hardening.closing_statements(control, user, (bootstrap.LOADER, bootstrap.AIRBYTE))
        if not needed:
            yield True, f"Large objects and advisory locks of {database} are closed to public.", ""
            return
        count = len(hardening.open_functions(control))
        run = "; ".join(needed)
        remedy = UP if settings.database_url is None else f"Have a superuser run, in the database {database}: {run};"
        yield False, f"{count} functions of {database} that no tenant should have are open to public.", remedy


def limits(settings: Settings) -> Iterator[Outcome]:
    """The control role sees and ends a tenant's runaway work, and no session fills the disk with temporary files."""
    with connected(settings) as control:
        if control is None:
            return
        user = control.info.user
        for right in hardening.WATCHING:
            is_there = _is_so(control, "select pg_catalog.pg_has_role(%s, 'usage')", right)
            remedy = UP if settings.database_url is None else f"Have a superuser run `grant {right} to {user}`."
            yield is_there, f"The control role {user} has {'' if is_there else 'not '}{right}.", remedy
        is_limited = _is_so(control, _LIMITED)
        remedy = "Have a superuser run `alter system set temp_file_limit = '2GB'; select pg_reload_conf()`."
        sentence = f"A session's temporary files are {'' if is_limited else 'not '}limited."
        yield (
            is_limited,
            sentence,
            "Run `sluice down`, then `sluice up`." if settings.database_url is None else remedy,
        )


def tenants(settings: Settings) -> Iterator[Outcome]:
    """Every tenant's logins, schemas and tables are as described; a finding names tenant, thing and what is wrong."""
    from orchestration.tenancy.registry import count_tenants
    from orchestration.tenancy.walls.repairs import find_faults

    engine = engine_of(settings)
    if engine is None:
        return
    faults = find_faults(engine)
    if faults:  # a step of a run may have been seen between two transactions: what is wrong stays wrong
        time.sleep(1)
        faults = sorted(set(faults) & set(find_faults(engine)))
    if not faults:
        present = sum(count for status, count in count_tenants(engine).items() if status != "removed")
        yield True, f"The walls of {present} tenants are as described.", ""
    for fault in faults:
        by_hand = f"; if it stays, have an administrator run `{fault.statement}`" if fault.statement else ""
        yield False, fault.sentence, f"Run `sluice doctor --repair`{by_hand}."


def repair(settings: Settings) -> Iterator[Outcome]:
    """Set right what can be of the tenants' walls, and say what was."""
    from orchestration.tenancy.secrets import load_key
    from orchestration.tenancy.walls.repairs import repair_all

    engine = engine_of(settings)
    if engine is None:
        return
    mended, _ = repair_all(engine, load_key(settings), admin=administrator(settings))
    for fault in mended:
        yield True, f"Mended: {fault.sentence}", ""
    if not mended:
        yield True, "There was nothing to mend.", ""


def _is_so(control: bootstrap.Connection, question: str, *values: str) -> bool:
    row = control.execute(question.encode(), values).fetchone()
    return bool(row and row[0])


def engine_of(settings: Settings) -> Engine | None:
    """The control role's engine; None where the server is down or its schema is old, which other checks say."""
    from analysis.store import migrate
    from analysis.store.connect import open_engine

    url = control_url(settings)
    if url is None:
        return None
    with bootstrap.connect(url):  # an unreachable server is named by its own sentence
        is_new = migrate.current_revision(url) == migrate.head_revision()
    return open_engine(url) if is_new else None

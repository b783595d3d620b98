"""Checks of PostgreSQL: reachability, version, roles, walls, migrations."""

from collections.abc import Iterator

from orchestration.settings import Settings
from orchestration.stack import bootstrap
from orchestration.stack.bootstrap import Connection, connect, with_database, with_login
from orchestration.stack.database import EmbeddedPostgres
from orchestration.stack.kept_secrets import FOLDER, keep_named_secret
from orchestration.stack.lifecycle import given_url
from orchestration.stack.ports import HOST

Outcome = tuple[bool, str, str]
UP = "Run `sluice up`, which sets it right."
ROLE_QUERY = """select rolcanlogin, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls,
  pg_has_role(current_user, oid, 'usage') and pg_has_role(current_user, oid, 'set')
  from pg_roles where rolname = %s"""


def server(settings: Settings) -> Iterator[Outcome]:
    """PostgreSQL answers and is new enough."""
    url = control_url(settings)
    if url is None:
        log = settings.home / "logs" / "postgres.log"
        yield False, "The embedded PostgreSQL is down.", f"Run `sluice up`; if it fails, look at {log}."
        return
    with connect(url) as control:
        version = control.info.parameter_status("server_version")
        ok = control.info.server_version >= bootstrap.OLDEST
        yield ok, f"PostgreSQL {version} answers on port {control.info.port}.", "Use PostgreSQL 16 or newer."


def vector(settings: Settings) -> Iterator[Outcome]:
    """The extension `vector` is there."""
    with connected(settings) as control:
        if control is not None:
            row = control.execute("select extversion from pg_extension where extname = 'vector'").fetchone()
            sentence = f"The extension vector is {row[0]}." if row else "The extension vector is missing."
            yield row is not None, sentence, "Have an administrator run `create extension vector` in the database."


def roles(settings: Settings) -> Iterator[Outcome]:
    """The control role may do its work; the other roles exist, are plain logins and in its hands."""
    with connected(settings) as control:
        if control is None:
            return
        row = control.execute(
            "select rolname, rolcreaterole or rolsuper, rolcreatedb or rolsuper from pg_roles where rolname = user"
        ).fetchone()
        name, creates_roles, creates_databases = row or ("?", False, False)
        ok = bool(creates_roles and (creates_databases or settings.dagster_database_url))
        sentence = f"The control role {name} may {'' if ok else 'not '}create roles and databases."
        yield ok, sentence, f"Have an administrator run `alter role {name} createrole createdb`."
        for role in (bootstrap.LOADER, bootstrap.AIRBYTE, bootstrap.DAGSTER):
            yield _role_outcome(control, role)


def walls(settings: Settings) -> Iterator[Outcome]:
    """Nobody connects to our databases or creates in them by being `public`."""
    with connected(settings) as control:
        if control is None:
            return
        for database in (control.info.dbname, bootstrap.DAGSTER_DATABASE):
            row = control.execute(
                "select has_database_privilege('public', oid, 'connect') from pg_database where datname = %s",
                [database],
            ).fetchone()
            if row is not None:
                sentence = f"The database {database} is {'open' if row[0] else 'closed'} to public."
                yield not row[0], sentence, UP
        row = control.execute("select has_schema_privilege('public', 'public', 'create')").fetchone()
        open_schema = bool(row and row[0])
        yield not open_schema, f"Public may {'' if open_schema else 'not '}create in the schema public.", UP


def migrations(settings: Settings) -> Iterator[Outcome]:
    """The control plane's schema is the newest."""
    from analysis.store import migrate

    url = control_url(settings)
    if url is not None:
        with connect(url):  # an unreachable server is named by its own sentence
            current, head = migrate.current_revision(url), migrate.head_revision()
        yield current == head, f"The schema sluice is at {current or 'nothing'}, the newest is {head}.", UP


def dagster_storage(settings: Settings) -> Iterator[Outcome]:
    """Dagster's database answers to its own login."""
    url = _dagster_url(settings)
    if url is not None:
        with connect(url) as storage:
            yield True, f"Dagster's storage answers: database {storage.info.dbname}.", ""


def _role_outcome(control: Connection, role: str) -> Outcome:
    row = control.execute(ROLE_QUERY, [role]).fetchone()
    if row is None:
        return False, f"The role {role} is missing.", UP
    can_login, too_strong, held = row
    faults = [
        *([] if can_login else ["may not log in"]),
        *(["has rights beyond a plain login"] if too_strong else []),
        *([] if held else ["is not in the control role's hands"]),
    ]
    remedy = f"Have an administrator run `alter role {role} login nosuperuser nocreaterole nocreatedb noreplication "
    remedy += "nobypassrls`, then `sluice up`."
    return not faults, f"The role {role} {' and '.join(faults) or 'is a plain login'}.", remedy


class connected:
    """The control role's connection, or None where the embedded server is down (its own check says so)."""

    def __init__(self, settings: Settings) -> None:
        url = control_url(settings)
        self._context = connect(url) if url else None

    def __enter__(self) -> Connection | None:
        return self._context.__enter__() if self._context else None

    def __exit__(self, *details: object) -> None:
        if self._context:
            self._context.__exit__(*details)  # type: ignore[arg-type]


def control_url(settings: Settings) -> str | None:
    """The control role's URL, or None where the embedded server is down."""
    if settings.database_url is not None:
        return given_url(settings.database_url)
    port = EmbeddedPostgres(settings.home).running_port()
    if port is None or not (settings.home / FOLDER / bootstrap.CONTROL).exists():
        return None
    password = keep_named_secret(settings.home, bootstrap.CONTROL)
    return with_login(f"postgresql://{HOST}:{port}/{bootstrap.WAREHOUSE}", bootstrap.CONTROL, password)


def _dagster_url(settings: Settings) -> str | None:
    if settings.dagster_database_url is not None:
        return given_url(settings.dagster_database_url)
    control = control_url(settings)
    if control is None or not (settings.home / FOLDER / bootstrap.DAGSTER).exists():
        return None
    password = keep_named_secret(settings.home, bootstrap.DAGSTER)
    return with_login(with_database(control, bootstrap.DAGSTER_DATABASE), bootstrap.DAGSTER, password)

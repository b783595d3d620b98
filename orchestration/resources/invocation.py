"""One dbt invocation at a time: its private profile, its environment and what it may say about secrets."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from analysis.errors import PermanentError
from orchestration.resources.retargeting import BuildTarget

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

PROFILE = "sluice"
# dbt hides the values of variables with this prefix in its logs, and reads them in profiles only.
PASSWORD_VARIABLE = "DBT_ENV_SECRET_SLUICE_BUILDER"  # noqa: S105
TLS_KEYS = ("sslmode", "sslcert", "sslkey", "sslrootcert")

# dbt keeps its adapter, flags and logger in globals: two invocations in one process spoil each other.
_one_at_a_time = threading.Lock()


def invoke(
    command: Sequence[str],
    project: Path,
    target: BuildTarget,
    *,
    log_dir: Path,
    threads: int,
    manifest: "Manifest | None" = None,
    settings: Mapping[str, str] | None = None,
    log_level: str = "info",
) -> "dbtRunnerResult":
    """Run one dbt command as the target's builder; `settings` are PostgreSQL's for the session.

    dbt.log lies in `log_dir`; its level `debug` holds all SQL and costs a tenth of a small build.
    """
    from dbt.cli.main import dbtRunner

    with _one_at_a_time, _private_directory() as private:
        (private / "profiles.yml").write_text(yaml.safe_dump(_profile(target, threads)), "utf-8")
        arguments = [
            *command,
            *("--project-dir", str(project), "--profiles-dir", str(private), "--profile", PROFILE),
            *("--target-path", str(private / "target"), "--log-path", str(log_dir)),
            *("--log-level", "none", "--log-level-file", log_level, "--no-use-colors-file"),
            *("--no-partial-parse", "--no-version-check", "--no-send-anonymous-usage-stats", "--no-write-json"),
        ]
        log_dir.mkdir(parents=True, exist_ok=True)
        with _environment(_variables(target, settings or {})):
            result = dbtRunner(manifest=manifest).invoke(arguments)
    if result.exception is not None and not isinstance(result.exception, Exception):
        raise result.exception
    return result


def without_secrets(message: str, target: BuildTarget) -> str:
    """The message without the builder's password or URL."""
    password = str(target.connection.get("password") or "")
    for secret in (target.url, password):
        if secret:
            message = message.replace(secret, "***")
    return message


@contextmanager
def _private_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="sluice-dbt-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _variables(target: BuildTarget, settings: Mapping[str, str]) -> dict[str, str]:
    options = " ".join(f"-c {name}={_escaped(value)}" for name, value in {"timezone": "UTC", **settings}.items())
    return {PASSWORD_VARIABLE: str(target.connection.get("password") or ""), "PGOPTIONS": options}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _profile(target: BuildTarget, threads: int) -> dict[str, Any]:
    connection = target.connection
    output = {
        "type": "postgres",
        "host": connection.get("host", "localhost"),
        "port": int(connection.get("port", 5432)),
        "user": connection.get("user", ""),
        "dbname": target.database,
        "schema": target.build_schema,
        "connect_timeout": int(connection.get("connect_timeout", 10)),
        "application_name": "sluice",
        "threads": threads,
        **{key: connection[key] for key in TLS_KEYS if key in connection},
    }
    for key, value in output.items():
        if "{" in str(value):
            raise PermanentError("dbt would render a brace in a build's URL as a template; rename it.", part=key)
    return {PROFILE: {"target": "tenant", "outputs": {"tenant": {**output, "password": _password()}}}}


def _password() -> str:
    return "{{ env_var('" + PASSWORD_VARIABLE + "') }}"

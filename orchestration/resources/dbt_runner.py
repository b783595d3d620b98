"""Build a model set for one tenant with dbt, from a manifest that was parsed once."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.invocation import invoke, without_secrets
from orchestration.resources.prepared_sets import PreparedSet, prepare_set
from orchestration.resources.retargeting import BuildTarget, assert_inside, retarget

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult
    from dbt.contracts.graph.manifest import Manifest

__all__ = ["BuildOutcome", "BuildTarget", "NodeResult", "PreparedSet", "count_staging", "prepare_set", "run_build"]

THREADS = 2
STAGING = "model.sluice_set.stg_"
FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
REFUSED_LOGIN = re.compile(r"password authentication failed|role .* does not exist|database .* does not exist|pg_hba")
LOST_CONNECTION = re.compile(
    r"server closed the connection|connection to server|terminating connection|connection already closed"
    r"|could not connect|the database system is|SSL connection has been closed"
)


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test: `rows` as the database told, `failures` of a test."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    rows: int | None = None
    failures: int | None = None
    message: str = ""
    attached_to: tuple[str, ...] = ()
    """Names of the models that a test reads."""

    @property
    def is_failed(self) -> bool:
        """Whether it failed itself; what was skipped because of it did not."""
        return self.status in FAILED


@dataclass(frozen=True)
class BuildOutcome:
    """A finished build; `compiled` is the SQL of every node that was compiled, by unique id."""

    ok: bool
    seconds: float
    results: tuple[NodeResult, ...] = ()
    error: str | None = None
    """What stopped dbt before or beside its nodes."""
    compiled: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """The nodes that failed, with their messages."""
        return tuple(result for result in self.results if result.is_failed)


def run_build(
    prepared: PreparedSet,
    target: BuildTarget,
    *,
    log_dir: Path,
    select: Sequence[str] = (),
    threads: int = THREADS,
    statement_seconds: int | None = None,
) -> BuildOutcome:
    """Build and test the set as the tenant's builder; a failure is data, an unreachable database is retryable."""
    started = time.monotonic()
    manifest = retarget(prepared.manifest, target)
    return build_manifest(
        manifest,
        prepared.directory,
        target,
        log_dir=log_dir,
        select=select,
        threads=threads,
        statement_seconds=statement_seconds,
        started=started,
    )


def build_manifest(
    manifest: "Manifest",
    directory: Path,
    target: BuildTarget,
    *,
    log_dir: Path,
    select: Sequence[str] = (),
    threads: int = THREADS,
    statement_seconds: int | None = None,
    started: float | None = None,
) -> BuildOutcome:
    """Build a manifest that is the target's already; one that is not is refused before any SQL."""
    started = time.monotonic() if started is None else started
    assert_inside(manifest, target)
    _reach(target).close()
    command = ["build", "--exclude-resource-type", "unit_test"]
    for selector in select:
        command += ["--select", selector]
    settings = {} if statement_seconds is None else {"statement_timeout": f"{statement_seconds}s"}
    result = invoke(command, directory, target, log_dir=log_dir, threads=threads, manifest=manifest, settings=settings)
    runs: Sequence[RunResult] = getattr(result.result, "results", None) or ()
    results = tuple(_node_result(run, target) for run in runs)
    error = None if result.exception is None else without_secrets(str(result.exception), target)
    outcome = BuildOutcome(result.success, time.monotonic() - started, results, error, _compiled(manifest))
    _raise_if_lost(outcome)
    return outcome


def count_staging(compiled: Mapping[str, str], target: BuildTarget) -> dict[str, int]:
    """Rows of each staging model by name, counted by its compiled SQL in one snapshot as the builder."""
    staging = {name.rpartition(".")[2]: text for name, text in compiled.items() if name.startswith(STAGING)}
    with _reach(target) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return {name: _count(connection, text) for name, text in sorted(staging.items())}


def _count(connection: psycopg.Connection, text: str) -> int:
    statement = sql.SQL("select count(*) from (\n{}\n) as staged").format(sql.SQL(text))
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _reach(target: BuildTarget) -> psycopg.Connection:
    keys = {"database": target.database, "build_schema": target.build_schema}
    try:
        return psycopg.connect(target.url, connect_timeout=10, application_name="sluice")
    except psycopg.OperationalError as error:
        reason = without_secrets(" ".join(str(error).split()), target)
        if REFUSED_LOGIN.search(reason):
            raise PermanentError(
                "The tenant's builder cannot log in; run `sluice doctor`.", **keys, reason=reason
            ) from None
        raise RetryableError("The database cannot be reached; try again later.", **keys, reason=reason) from None


def _raise_if_lost(outcome: BuildOutcome) -> None:
    messages = [outcome.error or "", *(result.message for result in outcome.failed)]
    lost = next((message for message in messages if LOST_CONNECTION.search(message)), None)
    if not outcome.ok and lost is not None:
        raise RetryableError("The connection was lost during the build; try again later.", reason=lost)


def _compiled(manifest: "Manifest") -> dict[str, str]:
    compiled = {unique_id: getattr(node, "compiled_code", None) for unique_id, node in manifest.nodes.items()}
    return {unique_id: text for unique_id, text in compiled.items() if text}


def _node_result(run: "RunResult", target: BuildTarget) -> NodeResult:
    kind = run.node.resource_type.value
    rows = run.adapter_response.get("rows_affected")
    return NodeResult(
        unique_id=run.node.unique_id,
        name=run.node.name,
        resource_type=kind,
        status=run.status.value,
        seconds=run.execution_time,
        rows=rows if kind == "model" and isinstance(rows, int) and rows >= 0 else None,
        failures=run.failures,
        message=without_secrets(run.message or "", target),
        attached_to=tuple(name.rpartition(".")[2] for name in run.node.depends_on_nodes if name.startswith("model.")),
    )

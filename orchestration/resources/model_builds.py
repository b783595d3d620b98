"""Model sets mounted under the home, and built with dbt as one tenant's builder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.modelling import ModelSet
from orchestration.resources.declared_history import declared_history
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import PROJECT_ROOT
from orchestration.tenancy.history.spec import HistorySpec
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.schemas import grant_raw_read

if TYPE_CHECKING:
    from orchestration.resources.dbt_runner import BuildOutcome

SHARED_PACKAGE = PROJECT_ROOT / "dbt_project"


def sets_folder(home: Path) -> Path:
    """Where sets are mounted, each in a folder of its name."""
    return home / "model_sets"


def log_folder(home: Path, tenant: str) -> Path:
    """Where dbt writes what it did for a tenant."""
    return home / "logs" / "dbt" / TenantNames(TenantId(tenant)).raw


@dataclass(frozen=True)
class SetBuild:
    """What dbt built of a set in one schema, how many rows each staging query gives, and what history is declared."""

    outcome: BuildOutcome
    staging_rows: dict[str, int]
    history: dict[str, HistorySpec] = field(default_factory=dict)


class ModelBuilds:
    """Mounts sets by their content's name and builds them where it is told."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def build(self, tenant: str, model_set: ModelSet, raw_schema: str, build_schema: str) -> SetBuild:
        """Build and test a set from one schema into another; failed models and tests are in the outcome."""
        from orchestration.resources.dbt_runner import BuildTarget, count_staging, prepare_set, run_build

        home = self._warehouse.settings.home
        directory = model_set.write(sets_folder(home), SHARED_PACKAGE)
        prepared = prepare_set(directory, home / "manifests")
        history = declared_history(prepared.manifest)
        with self._warehouse.control.begin() as connection:
            grant_raw_read(connection, tenant)
        target = BuildTarget(self._warehouse.builder_url(tenant), raw_schema, build_schema)
        outcome = run_build(prepared, target, log_dir=log_folder(home, tenant))
        counts = count_staging(outcome.compiled, target) if outcome.ok else {}
        return SetBuild(outcome, counts, history)

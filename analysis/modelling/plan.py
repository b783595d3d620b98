"""The model plan: a typed description of every model and test of a tenant, and apart from it who chose what and why."""

from typing import Literal

import orjson

from analysis.errors import PermanentError
from analysis.profiling.profile import Frozen, Path

PLAN_VERSION = 1


class RawColumn(Frozen):
    """A column of a raw table with its SQL type there."""

    name: str
    sql_type: str


class SourceStream(Frozen):
    """A stream and its raw table."""

    name: str
    table: str
    """The raw table's name in PostgreSQL."""
    model_name: str
    """The table's name in dbt, which is also a safe word for file names."""
    description: str
    columns: tuple[RawColumn, ...]
    key: tuple[Path, ...] = ()
    """The declared or inferred key, as raw paths; empty if no key is known."""
    is_key_declared: bool = False
    is_deduplicated: bool = False
    """Whether the raw table already holds one row per declared key."""
    cursor: Path = ()


class Source(Frozen):
    """One source of the tenant with its streams in order of name."""

    name: str
    model_name: str
    description: str
    streams: tuple[SourceStream, ...]

    def stream(self, name: str) -> SourceStream:
        """The stream of this name; a KeyError names one that is not there."""
        for found in self.streams:
            if found.name == name:
                return found
        raise KeyError(name)


class StagingColumn(Frozen):
    """One staged column: the value at a raw path after a transform of the catalogue."""

    name: str
    path: Path
    """The raw column, then keys inside its JSON."""
    transform: str
    arguments: tuple[Path, ...] = ()
    sql_type: str
    description: str


class ModelTest(Frozen):
    """A test on a model; only what a catalog declares may fail a build."""

    kind: Literal["unique", "not_null", "unique_combination", "accepted_values"]
    columns: tuple[str, ...]
    severity: Literal["error", "warn"]
    values: tuple[str, ...] = ()


class StagingModel(Frozen):
    """One stream's rows, each once: renamed, typed, with their origin."""

    name: str
    source: str
    stream: str
    description: str
    columns: tuple[StagingColumn, ...]
    tests: tuple[ModelTest, ...] = ()

    def column(self, name: str) -> StagingColumn:
        """The column of this name; a KeyError names one that is not there."""
        for found in self.columns:
            if found.name == name:
                return found
        raise KeyError(name)


class UnionField(Frozen):
    """A canonical field and the staged column that feeds it; fields without one are null."""

    field: str
    column: str


class UnionMember(Frozen):
    """One staging model's part of a union."""

    staging: str
    fields: tuple[UnionField, ...]


class EntityUnion(Frozen):
    """Every row of a canonical entity, from all of the tenant's sources; without members it is typed and empty."""

    entity: str
    name: str
    members: tuple[UnionMember, ...] = ()


class OwnModel(Frozen):
    """The tenant's own table of a stream that feeds no canonical entity."""

    name: str
    staging: str
    description: str
    tests: tuple[ModelTest, ...] = ()


class Decision(Frozen):
    """Who made a choice of the plan, how sure, and on what grounds."""

    subject: str
    """The chosen thing's place, as `staging/<model>/<column>` or `union/<entity>/<model>/<field>`."""
    choice: str
    made_by: str
    """rule, registry, nearest, llm:<model> or person."""
    confidence: float
    evidence: str


class ModelPlan(Frozen):
    """Everything that code renders to dbt files, and the decisions that led to it."""

    version: int = PLAN_VERSION
    sources: tuple[Source, ...] = ()
    staging: tuple[StagingModel, ...] = ()
    unions: tuple[EntityUnion, ...] = ()
    own: tuple[OwnModel, ...] = ()
    decisions: tuple[Decision, ...] = ()

    def source(self, name: str) -> Source:
        """The source of this name; a KeyError names one that is not there."""
        for found in self.sources:
            if found.name == name:
                return found
        raise KeyError(name)

    def staging_model(self, name: str) -> StagingModel:
        """The staging model of this name; a KeyError names one that is not there."""
        for found in self.staging:
            if found.name == name:
                return found
        raise KeyError(name)

    def stream_of(self, staging: StagingModel) -> SourceStream:
        """The stream that a staging model reads."""
        return self.source(staging.source).stream(staging.stream)


def executable_part(plan: ModelPlan) -> bytes:
    """The part of a plan that decides what is built, as canonical JSON: equal bytes mean equal models."""
    return orjson.dumps(plan.model_dump(mode="json", exclude={"decisions"}), option=orjson.OPT_SORT_KEYS)


def dump_plan(plan: ModelPlan) -> str:
    """The whole plan as JSON, from which `load_plan` makes an equal plan."""
    return plan.model_dump_json()


def load_plan(text: str | bytes) -> ModelPlan:
    """A plan from its JSON; anything that is no plan of this version is an error."""
    try:
        plan = ModelPlan.model_validate_json(text)
    except ValueError as error:
        raise PermanentError("The text is not a model plan.", problem=str(error)) from error
    if plan.version != PLAN_VERSION:
        raise PermanentError("The plan has another version; plan the tenant again.", version=plan.version)
    return plan

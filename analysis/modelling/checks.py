"""The gates before dbt: the plan against the profile, and every rendered model by its text."""

from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from analysis.modelling.findings import Finding
from analysis.modelling.fragments import identifier, literal
from analysis.modelling.model_set import ModelSet
from analysis.modelling.plan import ModelPlan
from analysis.modelling.plan_checks import check_plan
from analysis.modelling.rendering import render
from analysis.modelling.static_check import Relation, check_sql

__all__ = ["Finding", "check_plan", "check_set", "check_sql", "expand"]

_RAW = "sluice_raw"
_MODELS = "sluice_models"


def check_set(model_set: ModelSet, plan: ModelPlan) -> tuple[Finding, ...]:
    """Everything wrong with a rendered set: that it is not its plan's, or a model that may not run."""
    expected = render(plan)
    if model_set.name != expected.name or dict(model_set.files) != dict(expected.files):
        return (Finding(place=model_set.name, sentence="The model set is not what its plan renders to."),)
    relations = _relations(plan)
    findings: list[Finding] = []
    for path, content in model_set.files.items():
        if path.startswith("models/") and path.endswith(".sql"):
            findings += _check_model(path, content, relations)
    return tuple(findings)


def _relations(plan: ModelPlan) -> dict[Relation, Relation]:
    """What `source` and `ref` may name, and the relation that stands for it in the check."""
    tables = {
        (source.model_name, stream.model_name): (_RAW, stream.table)
        for source in plan.sources
        for stream in source.streams
    }
    return tables | {(model.name,): (_MODELS, model.name) for model in plan.staging}


def _check_model(path: str, content: str, relations: dict[Relation, Relation]) -> tuple[Finding, ...]:
    try:
        sql = expand(content, relations)
    except (TemplateError, KeyError, TypeError) as error:
        return (Finding(place=path, sentence=f"The model names something that it may not use: {str(error)[:200]}"),)
    return check_sql(sql, set(relations.values()), path)


class _Macros:
    """The catalogue's macros, spelt as SQL that the check can read; any other name is undefined."""

    @staticmethod
    def try_cast(expression: str, type: str) -> str:
        return f"cast(({expression}) as {type})"

    @staticmethod
    def minor_units_to_amount(amount: str, currency: str) -> str:
        return f"coalesce({amount}, {currency})"

    @staticmethod
    def epoch_seconds_to_timestamp(expression: str) -> str:
        return f"to_timestamp({expression})"

    @staticmethod
    def epoch_milliseconds_to_timestamp(expression: str) -> str:
        return f"to_timestamp({expression})"

    @staticmethod
    def json_text(expression: str, path_list: list[str]) -> str:
        return f"(({expression}) #>> cast(array[{', '.join(literal(key) for key in path_list)}] as text[]))"


def expand(content: str, relations: dict[Relation, Relation]) -> str:
    """A model's SQL with the macros spelt out and its sources and refs replaced by relations."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    context: dict[str, Any] = {
        "source": lambda *names: _sql(relations[names]),
        "ref": lambda *names: _sql(relations[names]),
        "sluice": _Macros(),
    }
    return environment.from_string(content).render(context)


def _sql(relation: Relation) -> str:
    return ".".join(identifier(part) for part in relation)

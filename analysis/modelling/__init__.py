"""Model plans, and their rendering to dbt projects."""

from analysis.modelling.example import example_plan
from analysis.modelling.model_set import ModelSet
from analysis.modelling.plan import ModelPlan, dump_plan, executable_part, load_plan
from analysis.modelling.planning import plan_models
from analysis.modelling.rendering import render

__all__ = [
    "ModelPlan",
    "ModelSet",
    "dump_plan",
    "example_plan",
    "executable_part",
    "load_plan",
    "plan_models",
    "render",
]

"""The example plan: what every tenant's model set has, and nothing else."""

from analysis.modelling.plan import ModelPlan
from analysis.modelling.planning import plan_models
from analysis.profiling.profile import SampleProfile


def example_plan() -> ModelPlan:
    """The plan of a tenant without sources: every union typed and empty, from which Dagster learns the marts."""
    return plan_models(SampleProfile(streams=()), ())

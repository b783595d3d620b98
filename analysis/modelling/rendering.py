"""From a plan to the files of a dbt project: pure text, equal bytes for equal plans."""

import hashlib
from itertools import groupby

from analysis.modelling.model_set import ModelSet
from analysis.modelling.plan import ModelPlan, executable_part
from analysis.modelling.properties import dump_yml, own_yml, source_yml, staging_yml, union_yml
from analysis.modelling.staging_sql import render_staging
from analysis.modelling.union_sql import render_own, render_union

RENDERER_VERSION = 1
"""Counts up with every change of what a plan renders to."""

PROJECT = "sluice_set"
PACKAGE = "sluice"

_SCHEMA_MACRO = """\
{#- A package's macro of this name does not apply to the root project: without it dbt would add a schema of its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}
{%- endmacro %}
"""


def set_name(plan: ModelPlan) -> str:
    """What names a model set: a hash of the plan's executable part and the renderer's version."""
    return hashlib.sha256(b"%d\n" % RENDERER_VERSION + executable_part(plan)).hexdigest()[:24]


def render(plan: ModelPlan) -> ModelSet:
    """Render a plan to its model set."""
    files = _project_files(plan) | _staging_files(plan) | _union_files(plan) | _own_files(plan)
    return ModelSet(name=set_name(plan), files=dict(sorted(files.items())))


def _project_files(plan: ModelPlan) -> dict[str, str]:
    packages = {"packages": [{"local": f"dbt_packages/{PACKAGE}"}]}
    digest = hashlib.sha1(dump_yml(packages).encode(), usedforsecurity=False).hexdigest()
    return {
        "dbt_project.yml": dump_yml(_project(plan)),
        "packages.yml": dump_yml(packages),
        "package-lock.yml": dump_yml({**packages, "sha1_hash": digest}),
        "macros/generate_schema_name.sql": _SCHEMA_MACRO,
    }


def _project(plan: ModelPlan) -> dict[str, object]:
    kinds = {"intermediate": {"+materialized": "ephemeral"}}
    if plan.staging:
        kinds["staging"] = {"+materialized": "ephemeral"}
    if plan.own:
        kinds["own"] = {"+materialized": "table"}
    return {
        "name": PROJECT,
        "version": "1.0.0",
        "config-version": 2,
        "profile": PACKAGE,
        "model-paths": ["models"],
        "macro-paths": ["macros"],
        "flags": {"send_anonymous_usage_stats": False, "require_ref_prefers_node_package_to_root": True},
        # The package's macros take the place of dbt's own that read a whole database's catalogue.
        "dispatch": [{"macro_namespace": "dbt", "search_order": [PROJECT, PACKAGE, "dbt"]}],
        "models": {PROJECT: kinds},
    }


def _staging_files(plan: ModelPlan) -> dict[str, str]:
    files = {}
    for name, found in groupby(plan.staging, key=lambda model: model.source):
        source = plan.source(name)
        folder = f"models/staging/{source.model_name}"
        models = list(found)
        files[f"{folder}/_{source.model_name}__sources.yml"] = source_yml(source)
        files[f"{folder}/_{source.model_name}__models.yml"] = staging_yml(models)
        files |= {f"{folder}/{model.name}.sql": render_staging(plan, model) for model in models}
    return files


def _union_files(plan: ModelPlan) -> dict[str, str]:
    files = {f"models/intermediate/{union.name}.sql": render_union(union) for union in plan.unions}
    return files | {"models/intermediate/_intermediate__models.yml": union_yml(plan.unions)}


def _own_files(plan: ModelPlan) -> dict[str, str]:
    if not plan.own:
        return {}
    files = {f"models/own/{model.name}.sql": render_own(model) for model in plan.own}
    return files | {"models/own/_own__models.yml": own_yml(plan)}

import pytest
import yaml
from sqlfluff.core import FluffConfig, Linter

from analysis.mapping import propose_mappings
from analysis.modelling import ModelSet, example_plan, plan_models, render
from analysis.modelling.sql_text import HEADER
from analysis.profiling import profile_sample


@pytest.fixture(scope="module")
def model_set(read_connector) -> ModelSet:
    streams = {"stripe": ("customers", "charges"), "github": ("tags", "reviews", "pull_requests")}
    samples = [sample for connector, names in streams.items() for sample in read_connector(connector, names)]
    profile = profile_sample(samples)
    return render(plan_models(profile, propose_mappings(profile)))


def test_a_set_has_the_layout_of_a_dbt_project(model_set):
    assert set(model_set.files) >= {
        "dbt_project.yml",
        "packages.yml",
        "package-lock.yml",
        "macros/generate_schema_name.sql",
        "models/staging/stripe/_stripe__sources.yml",
        "models/staging/stripe/_stripe__models.yml",
        "models/staging/stripe/stg_stripe__charges.sql",
        "models/intermediate/int_payment__union.sql",
        "models/own/github__tags.sql",
        "models/own/_own__models.yml",
    }
    assert len(model_set.name) == 24


def test_rendered_sql_passes_the_linter_of_the_house(model_set, package_folder):
    linter = Linter(config=FluffConfig.from_path(str(package_folder)))
    models = {name: text for name, text in model_set.files.items() if name.endswith(".sql") and "models" in name}
    violations = {
        name: [f"{found.rule_code()} {found.desc()}" for found in linter.lint_string(text).violations]
        for name, text in models.items()
    }
    assert {name: found for name, found in violations.items() if found} == {}
    assert all(text.startswith(f"{HEADER}\nwith\n") for text in models.values())


def test_yml_describes_every_model_and_types_every_column(model_set):
    for name, text in model_set.files.items():
        if not name.endswith("__models.yml"):
            continue
        for model in yaml.safe_load(text)["models"]:
            assert model["description"]
            assert all(column["data_type"] for column in model["columns"])


def test_text_carries_neither_tenant_nor_name_of_the_set(model_set):
    text = "".join(model_set.files.values())
    assert "tenant" not in text
    assert model_set.name not in text


def test_the_example_set_has_nothing_but_unions():
    names = [name for name in render(example_plan()).files if name.startswith("models/")]
    assert len(names) == 8
    assert all(name.startswith("models/intermediate/") for name in names)

"""The canonical models are the vocabulary, word for word."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.mapping.vocabulary import CANONICAL_ENTITIES, load_vocabulary
from orchestration.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "dbt_project" / "models" / "canonical"
META = [("_source", "text"), ("_source_record_id", "text"), ("_extracted_at", "timestamptz")]


@pytest.fixture(scope="module")
def contracts() -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((FOLDER / "_canonical__models.yml").read_text("utf-8"))
    return {model["name"]: model for model in content["models"]}


def test_every_canonical_entity_has_a_model_and_no_other(contracts: dict[str, dict[str, Any]]):
    expected = {f"canonical_{entity}" for entity in CANONICAL_ENTITIES}
    assert set(contracts) == expected
    assert {path.stem for path in FOLDER.glob("*.sql")} == expected


@pytest.mark.parametrize("entity", CANONICAL_ENTITIES)
def test_a_contract_has_the_fields_of_the_vocabulary_in_order(contracts: dict[str, dict[str, Any]], entity: str):
    fields = [(field.name, field.sql_type) for field in load_vocabulary()[entity].fields]
    contract = contracts[f"canonical_{entity}"]
    assert [(column["name"], column["data_type"]) for column in contract["columns"]] == fields + META
    assert contract["description"].startswith(load_vocabulary()[entity].description)


@pytest.mark.parametrize("entity", CANONICAL_ENTITIES)
def test_a_model_lists_the_columns_of_its_contract(contracts: dict[str, dict[str, Any]], entity: str):
    text = Path(FOLDER / f"canonical_{entity}.sql").read_text("utf-8")
    listed = [line.strip().rstrip(",") for line in text.rpartition("select\n")[2].splitlines()[:-1]]
    assert listed == [column["name"] for column in contracts[f"canonical_{entity}"]["columns"]]


def test_everything_has_a_description():
    for path in (PROJECT_ROOT / "dbt_project" / "models").rglob("*__models.yml"):
        for model in yaml.safe_load(path.read_text("utf-8"))["models"]:
            assert model["description"], model["name"]
            assert "Grain: one row per" in model["description"], model["name"]
            if "canonical" not in path.name:
                assert all(column["description"] for column in model["columns"]), model["name"]

from pathlib import Path

import pytest

from analysis.errors import PermanentError
from orchestration.tenancy.sources import parse_source


def test_a_source_is_a_name_a_type_and_settings():
    spec = parse_source("shop=shopify:store=acme,start=2024-01-01,count=5,debug=true")
    assert (spec.name, spec.connector) == ("shop", "shopify")
    assert spec.airbyte_configuration == {
        "sourceType": "shopify",
        "store": "acme",
        "start": "2024-01-01",
        "count": 5,
        "debug": True,
    }


def test_a_source_needs_no_settings():
    assert parse_source("demo=faker").configuration == {}


def test_paths_of_files_become_absolute_since_airbyte_runs_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = parse_source("shop=file:path=exports/shop,catalog=shop.json,note=a/b")
    assert spec.configuration == {
        "path": str(tmp_path / "exports/shop"),
        "catalog": str(tmp_path / "shop.json"),
        "note": "a/b",
    }


def test_a_repeated_key_makes_a_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = parse_source("shop=file:path=a.jsonl,path=b.jsonl,path=c.jsonl")
    assert spec.configuration["path"] == [str(Path(tmp_path, name)) for name in ("a.jsonl", "b.jsonl", "c.jsonl")]


@pytest.mark.parametrize(
    "text", ["", "shop", "shop=", "=file", "shop=file:path", "shop=file:=x", "Shop=file", "a__b=file"]
)
def test_a_malformed_source_is_refused_in_a_sentence(text):
    with pytest.raises(PermanentError):
        parse_source(text)

"""The manifest from which Dagster learns the marts."""

import json
from pathlib import Path

from orchestration.resources.example_manifest import main, write_example_manifest


def test_the_example_manifest_names_marts_and_canonical_models(tmp_path: Path):
    manifest = json.loads(write_example_manifest(tmp_path / "made" / "manifest.json").read_text("utf-8"))
    models = {tuple(node["fqn"][:2]): [] for node in manifest["nodes"].values()}
    for node in manifest["nodes"].values():
        models[tuple(node["fqn"][:2])].append(node["name"])
    marts = {"unified_customers", "revenue_analytics", "developer_activity", "dashboard_summary"}
    assert marts <= set(models["sluice", "marts"])
    assert sum(name.startswith("canonical_") for name in models["sluice", "canonical"]) >= 7
    assert not manifest["sources"]
    assert manifest["parent_map"]["model.sluice.dashboard_summary"]


def test_a_missing_path_is_a_sentence_and_exit_code_2(capsys):
    assert main([]) == 2
    assert "Give the one path" in capsys.readouterr().err

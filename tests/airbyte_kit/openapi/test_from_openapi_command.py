"""`sluice connector from-openapi`, as it is typed."""

import shutil
from pathlib import Path

import pytest
from airbyte_kit.commands import app
from airbyte_server.connectors.folders import read_folders
from typer.testing import CliRunner

HERE = Path(__file__).parent


@pytest.fixture
def say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "airflow.yaml", tmp_path / "openapi.yaml")
    return lambda *words: CliRunner().invoke(app, ["from-openapi", *words])


def test_a_draft_says_what_it_made_and_what_to_look_at(say, tmp_path):
    said = say("openapi.yaml", "--into", ".", "--resource", "dagRuns", "--resource", "/api/v2/pools")
    assert said.exit_code == 0, said.output
    lines = said.output.splitlines()
    assert lines[0] == "source-airflow: 3 streams (dags, pools, dag_runs)."
    assert "  - The document names no host: `base_url` is required." in lines
    assert lines[-1] == "Next: sluice connector check ./source-airflow"
    (folder,) = read_folders(tmp_path)
    assert folder.name == "Airflow API" and folder.source_type == "airflow"
    # The embedded server knows a definition by its id, which stays when the draft is made again.
    shutil.rmtree(folder.path)
    assert say("openapi.yaml", "--into", ".").exit_code == 0
    assert read_folders(tmp_path)[0].definition_id == folder.definition_id


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.yaml"], "none.yaml cannot be read: No such file or directory."),
        (["openapi.yaml", "--resource", "dagz"], "No list is called dagz; there are "),
        (["openapi.yaml", "--name", "../x"], "'../x' is no connector's name"),
        (["openapi.yaml", "--into", "none"], "none is no directory"),
    ],
    ids=["file", "resource", "name", "into"],
)
def test_what_cannot_be_done_is_a_sentence(say, tmp_path, words, sentence):
    said = say(*words, *(["--into", "."] if "--into" not in words else []))
    assert said.exit_code == 2 and sentence in " ".join(said.output.split())
    assert [each.name for each in tmp_path.iterdir()] == ["openapi.yaml"]

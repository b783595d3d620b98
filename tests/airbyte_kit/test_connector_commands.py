"""`sluice connector`: what a developer types, and what comes back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from airbyte_kit.commands import app
from typer.testing import CliRunner

from tests.airbyte_kit.small_api import small_api

SLUICE = Path(sys.executable).with_name("sluice")


def test_new_says_what_to_do_next(tmp_path):
    made = CliRunner().invoke(app, ["new", "acme-crm", "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert f"sluice connector check {tmp_path / 'source-acme-crm'}" in made.output


def test_list_is_there_for_programs():
    listed = CliRunner().invoke(app, ["list", "--json"])
    found = {each["connector"]: each for each in json.loads(listed.output)}
    assert found["stripe"]["runs"] == "embedded, low-code"
    assert found["postgres"]["definition_id"] == "decd338e-5647-4c0b-adf4-da0e75f5a750"


@pytest.mark.slow
def test_a_check_that_fails_exits_with_two_and_says_each_finding(fresh):
    manifest = fresh / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("amount: *number", "amount: *text"))
    done = subprocess.run([SLUICE, "connector", "check", fresh, "--json"], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {(each["step"], each["stream"]): each["reason"] for each in findings if each["outcome"] == "failed"}
    assert failed.keys() == {("replay", "invoices"), ("schema", "invoices")}
    assert failed["schema", "invoices"].startswith("amount is no null or string")


@pytest.mark.slow
def test_a_configuration_is_checked_at_its_real_pace(fresh, tmp_path):
    with small_api() as api:
        file = tmp_path / "config.json"
        file.write_text(json.dumps(api.configuration))
        words = [SLUICE, "connector", "check", fresh, "--config", file, "--streams", "customers"]
        done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "read customers                           ok  7 records" in done.stdout
    assert "read invoices" not in done.stdout
    for step in ("rate_limit", "server_errors"):
        assert re.search(rf"{step} +ok  1 ", done.stdout), done.stdout
    assert api.configuration["api_key"] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "nothing"], "There is no connector 'nothing'"),
        (["check", "stripe", "--config", "/nowhere"], "Configuration /nowhere cannot be read"),
        (["check", "stripe", "--streams", ","], "--streams names no stream"),
        (["new", "No Name"], "is no connector's name"),
        (["new", "acme", "--into", "/proc"], "Nothing can be made in /proc"),
    ],
)
def test_what_is_refused_is_one_sentence(words, says):
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert says in refused.stderr and refused.stderr.startswith("error: ")
    assert "Traceback" not in refused.output

"""The files of the sandbox, and the command that writes them."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from airbyte_sandbox import TOOLS, World, write_world
from airbyte_sandbox.__main__ import main

SMALL = World(seed=3, customers=20, start=date(2026, 6, 1), end=date(2026, 6, 30))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_command_writes_every_stream_and_its_catalog(tmp_path):
    arguments = ["--out", str(tmp_path), "--seed", "3", "--customers", "20", "--days", "30", "--end", "2026-06-30"]
    done = subprocess.run(
        [sys.executable, "-m", "airbyte_sandbox", *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("stripe: customers ")
    for name, tool in TOOLS.items():
        catalog = json.loads((tmp_path / f"{name}.catalog.json").read_text())
        assert {stream["name"] for stream in catalog["streams"]} == {stream.name for stream in tool.streams}
        assert {path.stem for path in (tmp_path / name).iterdir()} == {stream.name for stream in tool.streams}
    assert json.loads((tmp_path / "truth.json").read_text())["seed"] == 3
    again = tmp_path / "again"
    write_world(again, SMALL)
    assert files(again) == {name: content for name, content in files(tmp_path).items() if not name.startswith("again")}


def test_only_the_asked_tools_are_written(tmp_path):
    assert main(["--out", str(tmp_path), "--tools", "github", "--customers", "5", "--days", "40"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"github", "github.catalog.json", "truth.json"}
    assert {found["tool"] for found in json.loads((tmp_path / "truth.json").read_text())["anomalies"]} <= {"github"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_world(tmp_path, SMALL, ["stripe"])
    before = files(tmp_path)

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_world(tmp_path, World(4, 20, SMALL.start, SMALL.end), ["stripe"])
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tools", "salesforce"],
        ["--tools", ""],
        ["--customers", "0"],
        ["--days", "-1"],
        ["--end", "yesterday"],
        ["--days", "9999999"],
    ],
    ids=["unknown tool", "no tool", "no customers", "no days", "no date", "days before all days"],
)
def test_bad_arguments_are_one_clear_error(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path), *arguments])
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path / "taken"), "--customers", "2", "--days", "2"])
    assert stopped.value.code == 2
    assert "choose another --out" in capsys.readouterr().err


def test_a_world_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="ends on or after its first day"):
        World(1, 10, date(2026, 2, 1), date(2026, 1, 31))

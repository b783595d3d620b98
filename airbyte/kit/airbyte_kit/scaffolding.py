"""A new connector from the template."""

import shutil
from pathlib import Path
from uuid import uuid4

from airbyte_kit.new_folders import checked_name, new_folder

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "connector"


def scaffold(name: str, into: Path) -> Path:
    """The new folder `source-<name>` with a definition id of its own; KitError where it exists or has a wrong name."""
    plain = checked_name(name)
    with new_folder(into, plain) as (made, folder):
        shutil.copytree(TEMPLATE, made, dirs_exist_ok=True)
        for file in made.rglob("*.*"):
            file.write_text(_filled(file.read_text(), plain))
    return folder


def _filled(text: str, name: str) -> str:
    title = " ".join(word.capitalize() for word in name.split("-"))
    for word, value in {"NAME": name, "TITLE": title, "DEFINITION_ID": str(uuid4())}.items():
        text = text.replace(f"__{word}__", value)
    return text

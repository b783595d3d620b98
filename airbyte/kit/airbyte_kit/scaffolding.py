"""A new connector from the template."""

import re
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

from airbyte_kit.connector import PREFIX
from airbyte_kit.errors import KitError

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "connector"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 40


def scaffold(name: str, into: Path) -> Path:
    """The new folder `source-<name>` with a definition id of its own; KitError where it exists or has a wrong name."""
    name = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise KitError(
            f"{name[:100]!r} is no connector's name; use small letters, digits and hyphens, such as acme-crm."
        )
    folder = into / f"{PREFIX}{name}"
    if folder.exists() or folder.is_symlink():
        raise KitError(f"{folder} exists already; choose another name, or remove it first.")
    if not into.is_dir():
        raise KitError(f"{into} is no directory; make it first, or give another with --into.")
    # All of it or nothing: half a connector would be read by the server.
    try:
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=into))
    except OSError as error:
        raise KitError(f"Nothing can be made in {into}: {error.strerror}.") from None
    try:
        shutil.copytree(TEMPLATE, made, dirs_exist_ok=True)
        for file in made.rglob("*.*"):
            file.write_text(_filled(file.read_text(), name))
        made.chmod(0o755)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return folder


def _filled(text: str, name: str) -> str:
    title = " ".join(word.capitalize() for word in name.split("-"))
    for word, value in {"NAME": name, "TITLE": title, "DEFINITION_ID": str(uuid4())}.items():
        text = text.replace(f"__{word}__", value)
    return text

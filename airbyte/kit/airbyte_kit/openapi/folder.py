"""A draft as a folder that the server and the check read."""

import re
import shutil
import tempfile
import uuid
from pathlib import Path

from airbyte_kit.errors import KitError
from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.drafting import Draft
from airbyte_kit.openapi.readme import readme
from airbyte_kit.openapi.trimming import trimmed
from airbyte_kit.openapi.writing import written

_IDS = uuid.UUID("0c5f3d2e-6b0a-5c9a-9c53-3f1f3e0f4b7e")
_PREFIX = "source-"


def write_folder(draft: Draft, into: Path, name: str | None = None) -> Path:
    """The new folder `source-<name>`; KitError where it exists already, or the name cannot be one."""
    if not into.is_dir():
        raise KitError(f"{into} is no directory; give one with --into.")
    folder = into / f"{_PREFIX}{connector_name(name, draft.document.title)}"
    if folder.exists() or folder.is_symlink():
        raise KitError(f"{folder} exists already; remove it, or choose another name with --name.")
    # All of it or nothing: an interrupted draft would look like a connector.
    made = Path(tempfile.mkdtemp(prefix=".draft-", dir=into))
    try:
        (made / "manifest.yaml").write_text(_heading(draft) + written(draft.manifest))
        (made / "metadata.yaml").write_text(written(_metadata(folder.name, draft.document.title)))
        (made / "README.md").write_text(readme(draft, folder.name))
        document = trimmed(draft.document, {each.path for each in draft.streams})
        (made / "openapi.yaml").write_text(written(document))
        made.chmod(0o755)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return folder


def connector_name(given: str | None, title: str) -> str:
    """The name given, or one made of the API's title."""
    if given is None:
        plain = words.snake(re.sub(r"(?i)\b(rest|openapi|open|api|v\d+)\b", " ", title.lower()))
        return plain.replace("_", "-")[:30].strip("-") or "api"
    name = given.removeprefix(_PREFIX)
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
        raise KitError(f"{given[:100]!r} is no connector's name; use small letters, digits and hyphens.")
    return name


def _heading(draft: Draft) -> str:
    return f"# {draft.document.title}, drafted from its OpenAPI document; README.md says what was guessed.\n"


def _metadata(folder: str, title: str) -> Json:
    return {
        "data": {
            "connectorType": "source",
            "definitionId": str(uuid.uuid5(_IDS, folder)),
            "dockerImageTag": "0.1.0",
            "dockerRepository": f"sluice/{folder}",
            "name": title,
        },
        "metadataSpecVersion": "1.0",
    }

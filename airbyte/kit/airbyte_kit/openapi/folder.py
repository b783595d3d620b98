"""A draft as a folder that the server and the check read."""

import re
import uuid
from pathlib import Path

from airbyte_kit.new_folders import checked_name, new_folder
from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.drafting import Draft
from airbyte_kit.openapi.readme import readme
from airbyte_kit.openapi.trimming import trimmed
from airbyte_kit.openapi.writing import written

_IDS = uuid.UUID("0c5f3d2e-6b0a-5c9a-9c53-3f1f3e0f4b7e")
_LONGEST_TITLE = 30


def write_folder(draft: Draft, into: Path, name: str | None = None) -> Path:
    """The new folder `source-<name>`; KitError where it exists already, or the name cannot be one."""
    plain = connector_name(draft.document.title) if name is None else checked_name(name)
    with new_folder(into, plain) as (made, folder):
        (made / "manifest.yaml").write_text(_heading(draft) + written(draft.manifest))
        (made / "metadata.yaml").write_text(written(_metadata(folder.name, draft.document.title)))
        (made / "README.md").write_text(readme(draft, folder.name))
        document = trimmed(draft.document, {each.path for each in draft.streams})
        (made / "openapi.yaml").write_text(written(document))
    return folder


def connector_name(title: str) -> str:
    """A name made of the API's title."""
    plain = words.snake(re.sub(r"(?i)\b(rest|openapi|open|api|v\d+)\b", " ", title.lower()))
    name = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_TITLE].strip("-")
    return name if name[:1].isalpha() else f"api-{name}".strip("-")


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

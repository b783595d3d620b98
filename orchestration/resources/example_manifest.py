"""The manifest from which dagster-dbt learns the marts: that of a tenant without sources.

`python -m orchestration.resources.example_manifest PATH` writes it; `make` runs that, so that loading the definitions
needs no dbt.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from analysis.errors import SluiceError
from analysis.modelling import example_plan, render
from orchestration.resources.prepared_sets import prepare_set
from orchestration.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "dbt_project"


def write_example_manifest(path: Path) -> Path:
    """Parse the example set and write its manifest.json, whole or not at all; reaches no database."""
    from dbt.artifacts.schemas.manifest import WritableManifest

    with tempfile.TemporaryDirectory(prefix="sluice-example-") as scratch:
        directory = render(example_plan()).write(Path(scratch) / "sets", PACKAGE)
        prepared = prepare_set(directory, Path(scratch) / "parsed")
        content: WritableManifest = prepared.manifest.writable_manifest()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content.to_dict(omit_none=True), file, default=str)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    return path


def main(arguments: list[str]) -> int:
    """Write the manifest to the one path given; 2 and a sentence on bad input."""
    if len(arguments) != 1:
        print("Give the one path to write the manifest to.", file=sys.stderr)
        return 2
    try:
        write_example_manifest(Path(arguments[0]))
    except SluiceError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

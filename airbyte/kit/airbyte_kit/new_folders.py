"""Where a new connector stands: its name, and a folder that is there whole or not at all."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airbyte_kit.connector import PREFIX
from airbyte_kit.errors import KitError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40


def checked_name(name: str) -> str:
    """The connector's name without `source-`; KitError for what cannot be one."""
    plain = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(plain) or len(plain) > LONGEST_NAME:
        raise KitError(
            f"{name[:100]!r} is no connector's name; begin with a letter and use small letters, digits and hyphens, "
            "such as acme-crm."
        )
    return plain


@contextmanager
def new_folder(into: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """A folder to fill, and `source-<name>`, which it is called in the end; where filling it fails nothing is left.

    KitError where there is such a folder already, or none can be made. Half a connector would be read by the server.
    """
    folder = into / f"{PREFIX}{name}"
    if folder.exists() or folder.is_symlink():
        raise KitError(f"{folder} exists already; choose another name, or remove it first.")
    if not into.is_dir():
        raise KitError(f"{into} is no directory; make it first, or give another with --into.")
    try:
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=into))
    except OSError as error:
        raise KitError(f"Nothing can be made in {into}: {error.strerror}.") from None
    try:
        yield made, folder
        made.chmod(0o755)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise

"""Where the embedded PostgreSQL's files lie: under the home, or in a shelter when its account cannot reach the home."""

import hashlib
import os
import secrets
import shutil
import stat
from pathlib import Path

from analysis.errors import PermanentError
from orchestration.stack.accounts import Account, can_enter

SHELTERS = (Path("/var/lib/sluice"), Path("/opt/sluice"), Path("/srv/sluice"))
POINTER = "location"
OWNER_NOTE = "home"


def make_home(home: Path) -> None:
    """Create the home if it is absent; one that exists keeps its mode."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(
            "The home directory cannot be made; set SLUICE_HOME to a place you may write to.",
            home=str(home),
            reason=error.strerror,
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise PermanentError("The home directory is not writable; set SLUICE_HOME to another place.", home=str(home))


def find_place(home: Path) -> Path | None:
    """The folder of this home's cluster, or None when none was made yet."""
    inside = home / "postgres"
    pointer = inside / POINTER
    if not pointer.is_file():
        return inside if inside.is_dir() else None
    place = Path(pointer.read_text().strip())
    if not place.is_dir():
        raise PermanentError(
            "The folder that holds this home's PostgreSQL is gone; restore it, or remove the home to start afresh.",
            home=str(home),
            missing=str(place),
        )
    note = (place / OWNER_NOTE).read_text().strip()
    if note != str(home) and _points_to(Path(note), place):
        raise PermanentError(
            "This home is a copy: its PostgreSQL belongs to another one; remove the copy's `postgres` folder.",
            home=str(home),
            owner=note,
        )
    return place


def make_place(home: Path, account: Account | None) -> Path:
    """The folder of this home's cluster, made on first use where the account can reach it."""
    place = find_place(home)
    if place is None:
        place = home / "postgres"
        place.mkdir(mode=0o711 if account else 0o700)
    if not can_enter(account, place):
        place = _move_to_shelter(home, place, account)
    return place


def require_room(place: Path, mebibytes: int) -> None:
    """A PermanentError where the disk under this folder is as good as full: PostgreSQL's own words hide it."""
    free = shutil.disk_usage(place).free // 1024**2
    if free < mebibytes:
        raise PermanentError(
            f"The disk of {place} is full: {free} MiB are free and PostgreSQL needs {mebibytes} to start;"
            " free some space."
        )


def find_shelter(account: Account | None) -> Path | None:
    """A folder of root's own that the account can reach; None for an ordinary user, who needs none."""
    if account is None:
        return None
    for shelter in SHELTERS:
        try:
            shelter.mkdir(mode=0o755, exist_ok=True)
        except OSError:  # read-only here: the next one
            continue
        if _is_roots_own(shelter) and can_enter(account, shelter):
            return shelter
    raise PermanentError(
        f"No folder that the account `{account.name}` can reach is writable; put SLUICE_HOME where it can reach it.",
        tried=[str(shelter) for shelter in SHELTERS],
    )


def _move_to_shelter(home: Path, place: Path, account: Account | None) -> Path:
    shelter = find_shelter(account)
    if shelter is None or (place / "data").exists() or place.parent != home:
        raise PermanentError(
            "PostgreSQL's account can no longer reach its data; let it pass through every parent directory.",
            account=account.name if account else None,
            directory=str(place),
        )
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    sheltered = shelter / f"{digest}-{secrets.token_hex(4)}"  # a home made anew must not meet the old one's data
    sheltered.mkdir(mode=0o711)
    (sheltered / OWNER_NOTE).write_text(f"{home}\n")
    fresh = place / f".{POINTER}"
    fresh.write_text(f"{sheltered}\n")
    fresh.replace(place / POINTER)
    return sheltered


def _points_to(home: Path, place: Path) -> bool:
    pointer = home / "postgres" / POINTER
    return pointer.is_file() and pointer.read_text().strip() == str(place)


def _is_roots_own(folder: Path) -> bool:
    state = folder.lstat()
    return stat.S_ISDIR(state.st_mode) and state.st_uid == 0 and not state.st_mode & 0o022

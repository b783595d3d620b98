"""Ports on the loopback: a wanted one must be free; otherwise the last one again, or any."""

import errno
import socket
from pathlib import Path

from analysis.errors import PermanentError

HOST = "127.0.0.1"


def choose_port(home: Path, name: str, wanted: int) -> int:
    """The wanted port, else the one this program had last time if it is free, else a free one; it is noted."""
    note = home / "run" / f"{name}.port"
    if wanted:
        require_free(wanted, f"SLUICE_{name.upper()}_PORT")
        port = wanted
    else:
        last = noted_port(home, name)
        port = last if last and is_free(last) else _any_free()
    note.parent.mkdir(mode=0o700, exist_ok=True)
    note.write_text(f"{port}\n")
    return port


def noted_port(home: Path, name: str) -> int | None:
    """The port that this program was last started on."""
    try:
        return int((home / "run" / f"{name}.port").read_text())
    except (FileNotFoundError, ValueError):
        return None


def require_free(port: int, variable: str) -> None:
    """A PermanentError that names the port, and the setting that chooses it, unless a server could listen on it."""
    code = _refusal(port)
    if code == errno.EADDRINUSE:
        raise PermanentError(
            f"Port {port} is in use by another program; free it or choose another {variable}.", port=port
        )
    if code:
        raise PermanentError(
            f"Port {port} cannot be opened; choose another {variable}.", port=port, reason=errno.errorcode[code]
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    return _refusal(port) == 0


def _refusal(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
            candidate.listen(1)
        except OSError as error:
            return error.errno or errno.EIO
    return 0


def _any_free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.bind((HOST, 0))
        port: int = candidate.getsockname()[1]
        return port

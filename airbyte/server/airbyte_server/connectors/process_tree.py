"""Ends processes with everything below them, also what left their session."""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 50


def keep_descendants() -> None:
    """Make orphans below this process its own children, so that they stay findable; a no-op without prctl."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent_thread() -> None:
    """Ask the kernel to kill this process when the thread that forked it ends; a no-op where there is no prctl."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_tree(root: int) -> None:
    """Kill a process and all below it; the root waits, stopped, until the last of its descendants is gone."""
    _signal(root, signal.SIGSTOP)
    kill_descendants(root)
    _signal_group(root)
    _signal(root, signal.SIGKILL)


def kill_descendants(root: int) -> None:
    """Kill all below a process; what appears meanwhile is killed too."""
    for _ in range(_ROUNDS):
        found = descendants(root)
        if not found:
            return
        for how in (signal.SIGSTOP, signal.SIGKILL):  # first stopped, all of them: what is stopped starts nothing
            for pid in found:
                _signal(pid, how)


def descendants(root: int) -> list[int]:
    """The living processes below one; none where there is no /proc."""
    parents = dict(_living())
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _living() -> list[tuple[int, int]]:
    """(pid, parent) of each process that is no zombie."""
    pairs = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                pairs.append((int(stat.parent.name), int(parent)))
    return pairs


def _signal(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, how)


def _signal_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value)

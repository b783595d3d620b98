"""What an installer's output says of why it failed, in one sentence."""

import errno
import re
import sys
from collections.abc import Sequence

from airbyte_server.errors import PermanentError, RetryableError, ServerError

_LONGEST = 300
_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_NOISE = re.compile(r"^(error|ERROR|cause|Caused by)[:\s]*")
_DISK = re.compile(r"no space left on device|disk quota exceeded|not enough free space|os error 28\b", re.IGNORECASE)
_PYTHON = re.compile(
    r"requires? a different python|current python version \([^)]*\) does not satisfy|requires python [<>=!~]",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"retrying \(retry\(|connection (refused|reset|aborted)|connection broken|failed to fetch|error sending request|"
    r"read timed out|timed out|temporary failure in name resolution|name or service not known|dns error|"
    r"newconnectionerror|proxyerror|ssl: |certificate verify failed|(http error|status code|error:) 5\d\d|"
    r"\b(429|50[0234]) (client|server) error|too many requests|incompleteread|protocolerror",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"no matching distribution found|there is no version of|was not found in the|were unusable|resolutionimpossible|"
    r"only .* is available|no solution found|we can conclude",
    re.IGNORECASE,
)


def installation_failure(requirement: str, output: Sequence[str], code: int) -> ServerError:
    """Permanent where the same would fail again (version, Python, a build), retryable for the machine and network."""
    said = "\n".join(output)
    asked = [line for line in output if requirement in line]
    if _DISK.search(said):
        return RetryableError(f"The disk is full, so {requirement} was not installed; make room and try again.")
    if code < 0:
        return RetryableError(f"Installing {requirement} was ended by signal {-code}; try again.")
    # An index that does not answer looks empty, so the network is asked about first.
    if _NETWORK.search(said) and not _lists_versions(asked):
        return RetryableError(f"{requirement} cannot be fetched now: {_quoted(output, _NETWORK)}")
    # pip looks past versions that do not support this Python, and names them.
    passed_over = f" {requirement.rpartition('==')[2]} Requires-Python"
    if _PYTHON.search(said) or passed_over in said:
        running = ".".join(map(str, sys.version_info[:3]))
        return PermanentError(
            f"{requirement} does not support Python {running}, which this server runs; ask for a version that does."
        )
    if any(_ABSENT.search(line) for line in asked):
        return PermanentError(f"There is no {requirement} to install; ask for another version.")
    return PermanentError(f"{requirement} cannot be installed: {_quoted(output, _ABSENT)}")


def disk_failure(requirement: str, error: OSError) -> ServerError:
    """A folder that cannot be written: a full disk may pass, rights do not."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RetryableError(f"The disk is full, so {requirement} was not installed; make room and try again.")
    kind = RetryableError if error.errno in (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM) else PermanentError
    return kind(f"{requirement} cannot be installed in its folder: {error.strerror}.", folder=error.filename)


def _lists_versions(asked: Sequence[str]) -> bool:
    return any("(from versions: " in line and "(from versions: none)" not in line for line in asked)


def _quoted(output: Sequence[str], telling: re.Pattern[str]) -> str:
    """The line that tells most, without its prefix and without credentials."""
    lines = [_NOISE.sub("", line.strip()) for line in output if line.strip()]
    found = [line for line in lines if telling.search(line)] or lines or ["the installer said nothing."]
    text = _CREDENTIALS.sub("://***@", found[-1])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

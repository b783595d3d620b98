"""The count of requests that every answer carries."""

import time
from collections import Counter
from collections.abc import Mapping
from threading import Lock

_LIMIT = 5000
_HOUR = 3600
_lock = Lock()
_requests: Counter[tuple[str, int]] = Counter()


def count(account: str) -> Mapping[str, str]:
    """Count a request of an account; the hour's limit is told but never used up: faults refuse, this does not."""
    hour = int(time.time()) // _HOUR
    with _lock:
        for past in [key for key in _requests if key[1] < hour]:
            del _requests[past]
        _requests[account, hour] += 1
        used = min(_requests[account, hour], _LIMIT - 1)
    return {
        "x-ratelimit-limit": str(_LIMIT),
        "x-ratelimit-remaining": str(_LIMIT - used),
        "x-ratelimit-used": str(used),
        "x-ratelimit-reset": str((hour + 1) * _HOUR),
        "x-ratelimit-resource": "core",
    }

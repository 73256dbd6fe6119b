"""Signs of life of the workers: each queue's tasks say here that they ran.

Kept in the cache, because it is worth nothing after a restart and must cost nothing.
"""

from __future__ import annotations

import time

from django.core.cache import cache

# Queue -> how long it may be silent, in seconds. `sweep` runs every few seconds on
# ingest; on the others the slowest tick comes once a minute and may wait behind long
# calls.
SILENT_S = {"ingest": 60.0, "urgent": 150.0, "sync": 150.0}
_KEEP_S = 24 * 3600


def mark(queue: str) -> None:
    """Say that a task of this queue runs now. A cache that is away is no matter."""
    cache.set(_key(queue), time.time(), _KEEP_S)


def silent_s(queue: str) -> float | None:
    """Return for how long nothing of the queue ran, None when nobody remembers."""
    marked = cache.get(_key(queue))
    return None if marked is None else max(0.0, time.time() - marked)


def memory_works() -> bool:
    """Tell whether marks are kept at all: the cache swallows its own errors."""
    cache.set(_key("probe"), 1, 60)
    return bool(cache.get(_key("probe")))


def _key(queue: str) -> str:
    return f"heartbeat-{queue}"

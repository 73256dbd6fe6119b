"""Trying failed work again: one row, chosen rows, or all that a filter leaves."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.core import queue
from crmsync.core.models import WorkItem
from integrations.webhooks import inbox
from integrations.webhooks.store import PROCESS

# Keeps the list of ids in a query short of what SQLite takes.
_CHUNK = 500


def retry(items: Iterable[WorkItem]) -> int:
    """Make work of the current workspace due at once; return how many were asked for.

    What is done or being worked on is left alone. The caller wakes the workers.
    """
    asked = 0
    pushes: list[int] = []
    deliveries: list[int] = []
    for item in items:
        if item.kind == PROCESS:
            deliveries.append(int(item.key))
        else:
            pushes.append(item.pk)
    for start in range(0, len(pushes), _CHUNK):
        asked += queue.retry(pushes[start : start + _CHUNK])
    for start in range(0, len(deliveries), _CHUNK):
        asked += inbox.replay(deliveries[start : start + _CHUNK])
    return asked

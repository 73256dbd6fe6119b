"""Repairs what a crash or a race between two workers left waiting."""

from __future__ import annotations

from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.sync import outbox


@scopes_disabled()
def release_orphans() -> int:
    """Make ready the rows whose parent is no longer under way.

    A parent may finish between a child's look and its going to wait; nobody would
    wake the child then.
    """
    waiting = WorkItem.objects.filter(state=State.WAITING).exclude(waits_for="")
    keys = set(waiting.values_list("waits_for", flat=True)[:1000])
    if not keys:
        return 0
    busy = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys).exclude(
        state=State.DONE
    )
    return queue.released(keys - set(busy.values_list("key", flat=True)))

"""Repairs what a crash or a race between two workers left waiting."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.models import ObjectMapping
from integrations.sync import outbox


@scopes_disabled()
def release_orphans(*, recent: timedelta | None = None) -> int:
    """Make ready the rows whose parent is no longer under way.

    A parent may finish between a child's look and its going to wait; nobody would
    wake the child then. recent: look only at what went to wait within this time, which
    finds these; None looks at everything, for what no one thought of.
    """
    waiting = WorkItem.objects.filter(state=State.WAITING).exclude(waits_for="")
    if recent is not None:
        waiting = waiting.filter(updated_at__gte=queue.now() - recent)
    under_way = WorkItem.objects.filter(
        kind=outbox.KIND, key=OuterRef("waits_for")
    ).exclude(state=State.DONE)
    return queue.set_free(waiting.exclude(Exists(under_way)))


@scopes_disabled()
def end_unmapped() -> int:
    """End the rows whose mapping has been deleted: nothing can send them any more."""
    rows = WorkItem.objects.filter(kind=outbox.KIND).exclude(
        state__in=[State.DONE, State.LEASED]
    )
    groups = rows.order_by().values_list("group", flat=True).distinct()
    mapped = {str(pk) for pk in ObjectMapping.objects.values_list("pk", flat=True)}
    return queue.abandon(rows.filter(group__in=set(groups) - mapped))

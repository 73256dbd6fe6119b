"""Sending what others wait for: the parent first, its child follows by itself."""

from __future__ import annotations

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.services import Actor, Refused, audit
from integrations import awaited
from integrations.awaited import Awaited
from integrations.sync import outbox

# A deal waits for its person, who waits for their company.
DEEPEST = 4


def create_there(item: WorkItem, actor: Actor) -> Awaited:
    """Ask for what a row waits for, and for what that waits for, at once.

    Raises Refused, with field "state" when it waits no longer. The caller wakes the
    workers.
    """
    with transaction.atomic():
        row = WorkItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        first = awaited.awaited_of(row)
        if first is None:
            raise Refused("state", "It does not wait for another record any more.")
        if not first.can_create:
            raise Refused("parent", first.state)
        chain = _chain(first)
        for one in chain:
            outbox.queue_records(one.mapping.workspace, one.mapping, [one.record_id])
        queue.retry([one.item.pk for one in chain if one.item is not None])
        details = {"for": row.pk, "records": [one.name for one in chain]}
        audit(
            row.workspace, actor, "parent.asked_for", target=first.name, details=details
        )
    return first


def _chain(first: Awaited) -> list[Awaited]:
    """Return what is awaited, and in turn what that waits for."""
    chain = [first]
    while len(chain) < DEEPEST and (item := chain[-1].item) is not None:
        above = awaited.awaited_of(item)
        if above is None or not above.can_create:
            break
        chain.append(above)
    return chain

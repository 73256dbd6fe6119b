"""Sending a record to every CRM now, because a person asks for it."""

from __future__ import annotations

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.sync import outbox


def send_now(workspace: Workspace, record_type: str, record_id: int) -> int:
    """Ask for a record under every active mapping; return how many there are.

    What failed is tried again too. The caller wakes the workers.
    """
    mappings = [one for one in outbox.push_mappings() if one.record_type == record_type]
    for mapping in mappings:
        outbox.queue_records(workspace, mapping, [record_id])
    keys = [outbox.key_of(one.pk, record_id) for one in mappings]
    items = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys)
    queue.retry(items.values_list("pk", flat=True))
    return len(mappings)

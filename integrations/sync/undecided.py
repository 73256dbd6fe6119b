"""Lets what waits for somebody to say who it is go on once that has been settled."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from leads.facts import RecordChange


def follow_merges(changes: Iterable[RecordChange]) -> int:
    """Try again what could have been either of two records that are one now.

    Where others are left that it could be, it is parked again and names those.
    """
    merged = {
        frozenset({one.record_id, one.fields["merged_into"][1]})
        for one in changes
        if one.action == "merged"
    }
    if not merged:
        return 0
    parked = WorkItem.objects.filter(
        state=State.PARKED, error_class="ambiguous", error_about__isnull=False
    )
    settled = [
        pk
        for pk, about in parked.values_list("pk", "error_about")
        if about and any(pair <= set(about.get("here") or ()) for pair in merged)
    ]
    return queue.retry(settled) if settled else 0

"""Polls that a person paused or cancelled: they end at a page, and go on from it."""

from __future__ import annotations

from integrations.models import Cursor, ObjectMapping, Run


def is_paused(mapping: ObjectMapping) -> bool:
    """Tell whether a person paused the poll that is under way; resuming it asks."""
    rows = Cursor.objects.filter(mapping=mapping, run__state=Run.State.PAUSED)
    return rows.exists()


def is_told_to_stop(cursor: Cursor) -> bool:
    """Tell whether a person has paused or cancelled the poll meanwhile."""
    return _state_of(cursor) in (Run.State.PAUSED, Run.State.CANCELLED)


def let_go(cursor: Cursor) -> bool:
    """Leave a run that was cancelled; return whether it was.

    The next poll goes on at its page, and is a run of its own.
    """
    if _state_of(cursor) != Run.State.CANCELLED:
        return False
    cursor.run = None
    cursor.save(update_fields=["run"])
    return True


def _state_of(cursor: Cursor) -> str | None:
    if cursor.run_id is None:
        return None
    rows = Run.objects.filter(pk=cursor.run_id)
    return rows.values_list("state", flat=True).first()

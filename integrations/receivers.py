"""Turns changes of records into outbox rows, inside the transaction that wrote them."""

from __future__ import annotations

from django.dispatch import receiver

from crmsync.core.models import Workspace
from crmsync.core.wake import wake_after_commit
from integrations.sync import moved, optouts, outbox, passing, undecided
from leads.facts import RecordChange
from leads.signals import records_changed


@receiver(records_changed)
def queue_push(
    sender: object, workspace: Workspace, changes: list[RecordChange], **_: object
) -> None:
    """Store the outbox rows; look at them once the change is durable."""
    moved.follow_our_merges(changes)
    optouts.follow_merges(workspace, changes)
    passing.forget(changes)
    undecided.follow_merges(changes)
    if outbox.queue_changes(workspace, changes):
        wake_after_commit("integrations.tasks.rush", "urgent")

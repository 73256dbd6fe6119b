"""What the API's steps of a sync share: the workers are woken, too late is a 409."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crmsync.core.api.errors import Conflict
from crmsync.core.services import Refused
from crmsync.core.wake import wake_after_commit


def wake_workers() -> None:
    """Have what was asked for looked at once the transaction is durable."""
    wake_after_commit("integrations.tasks.take_in", "sync")
    wake_after_commit("integrations.tasks.drain", "sync")


@contextmanager
def too_late_is_a_conflict() -> Iterator[None]:
    """Answer 409 where a service says that what is asked for comes too late."""
    try:
        yield
    except Refused as refusal:
        if refusal.field != "state":
            raise
        raise Conflict(refusal.message, code="too_late") from refusal

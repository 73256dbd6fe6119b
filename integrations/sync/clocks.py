"""The clocks of the CRMs, set against ours by what their answers say."""

from __future__ import annotations

from datetime import datetime, timedelta

from crmsync.core import queue
from integrations.connectors import session
from integrations.models import Connection

# Smaller moves of the estimate are noise.
WORTH_NOTING_S = 0.5


def offset_of(connection: Connection) -> float | None:
    """Return their clock minus ours in seconds, None until an answer told."""
    learnt = session.clock_offset_s(connection)
    return connection.clock_offset_s if learnt is None else learnt


def their_now(connection: Connection) -> datetime:
    """Return the time by the CRM's clock."""
    return queue.now() + ahead_of_ours(connection)


def ahead_of_ours(connection: Connection) -> timedelta:
    """Return how far their clock is ahead of ours; nothing until that is known."""
    return timedelta(seconds=offset_of(connection) or 0)


def on_ours(stamp: datetime, connection: Connection) -> datetime:
    """Return a time of theirs on our clock."""
    return stamp - ahead_of_ours(connection)


def note(connection: Connection) -> None:
    """Keep what was learnt, for workers that have not spoken with it yet."""
    learnt, known = session.clock_offset_s(connection), connection.clock_offset_s
    if learnt is None or (known is not None and abs(learnt - known) < WORTH_NOTING_S):
        return
    Connection.objects.filter(pk=connection.pk).update(clock_offset_s=learnt)
    connection.clock_offset_s = learnt

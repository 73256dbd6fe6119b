"""What cannot wait: edits on their way to a CRM, and records that a webhook named.

A worker of its own does it, so that no backlog, however large, is before it. Where
there is more of it than one worker can do, the others take their part.
"""

from __future__ import annotations

from django.conf import settings

from crmsync.core import crew, queue
from crmsync.core.wake import wake
from integrations.sync import failures_in, fetches, outbox, push

# For how long it is left to that worker. One that is behind, or not there, is helped.
LEFT_S = 1.0


def work_off() -> int:
    """Do what is urgent until nothing is, or the time slice is over.

    Returns how many rows were taken on.
    """
    return crew.work(
        _turn,
        hands=settings.WORK_HANDS,
        for_s=settings.WORK_TIME_SLICE_S,
        busy_from=push.BUSY_FROM,
    )


def is_due() -> bool:
    """Tell whether there is anything to rush for."""
    return bool(queue.urgent_turns(outbox.KIND) or queue.turns(failures_in.KIND))


def _turn() -> int:
    done = push.urgent_turn()
    if done >= push.BUSY_FROM:
        wake("integrations.tasks.drain", "sync")
    if done:
        return done
    done = fetches.fetch_turn()
    if done >= push.BUSY_FROM:
        wake("integrations.tasks.take_in", "sync")
    return done

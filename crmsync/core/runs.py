"""What is waiting for a run: held while it is paused, freed, cancelled and counted.

A run asks for its items (`Ask.run`), which makes them its own. A million of them are
changed a few thousand at a time, so that nobody else waits for long.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django_scopes import scopes_disabled

from crmsync.core.clock import now
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import RUN_HOLD, abandon

BATCH = 2000
# Asked for by others as well: more than one ask is not settled.
_SHARED = Q(wanted__gt=F("applied") + F("coalesced") + F("skipped") + F("dead") + 1)
UNFINISHED = (State.READY, State.LEASED, State.WAITING)


def hold_key(run_id: int) -> str:
    """Return what the items of a paused run wait for."""
    return f"{RUN_HOLD}{run_id}"


@scopes_disabled()
def hold_run(run_id: int) -> int:
    """Put aside what the run asked for and is not under way; return how many.

    An urgent item that others asked for as well goes on. What is under way now comes
    back as ready if it fails, and a run may still be asking: call it again from the
    sweep while the run is paused, it is cheap when there is nothing to do.
    """
    urgent = _SHARED & Q(lane=0)
    rows = WorkItem.objects.filter(~urgent, run=run_id, state=State.READY)
    return _in_batches(rows, lambda some: _hold(some, run_id))


def _hold(rows: QuerySet[WorkItem], run_id: int) -> int:
    return rows.update(
        state=State.WAITING, waits_for=hold_key(run_id), updated_at=now()
    )


@scopes_disabled()
def release_run(run_id: int) -> int:
    """Let go on what `hold_run` put aside; return how many."""
    held = WorkItem.objects.filter(state=State.WAITING, waits_for=hold_key(run_id))
    return _in_batches(held, _free)


def _free(rows: QuerySet[WorkItem]) -> int:
    return rows.update(state=State.READY, waits_for="", updated_at=now())


@scopes_disabled()
def cancel_run(run_id: int) -> int:
    """End as skipped what the run alone asked for; return how many.

    What others asked for as well leaves the run and goes on. An item under way is not
    taken from its worker.
    """
    waiting = [State.READY, State.WAITING]
    rows = WorkItem.objects.filter(run=run_id, state__in=waiting)
    _in_batches(rows.filter(_SHARED), _leave)
    return _in_batches(rows.filter(~_SHARED), abandon)


def _leave(rows: QuerySet[WorkItem]) -> int:
    held = rows.filter(state=State.WAITING, waits_for__startswith=RUN_HOLD)
    held.update(state=State.READY, waits_for="")
    return rows.update(run=None, updated_at=now())


@scopes_disabled()
def run_counts(run_id: int) -> dict[State, int]:
    """Return how many items of the run are unfinished, by their state.

    All zero: the run has nothing left to do, though items of it may be parked.
    """
    rows = WorkItem.objects.filter(run=run_id, state__in=UNFINISHED)
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    return {state: counted.get(state, 0) for state in UNFINISHED}


def _in_batches(
    rows: QuerySet[WorkItem], change: Callable[[QuerySet[WorkItem]], int]
) -> int:
    """Apply to all that nobody has locked what makes a row no longer match."""
    total = 0
    while True:
        with transaction.atomic():
            free = rows.order_by().select_for_update(skip_locked=True)
            ids = list(free.values_list("pk", flat=True)[:BATCH])
            if not ids:
                return total
            total += change(WorkItem.objects.filter(pk__in=ids))

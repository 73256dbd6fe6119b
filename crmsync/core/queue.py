"""The one mechanism for all that waits: ask, claim, extend, finish, fail, rescue.

All times are the database's: two hosts whose clocks differ still agree on a lease.
Each change of a leased item is guarded by its token; one that is no longer ours is
left alone, and the caller learns how many it really changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django_scopes import scopes_disabled

from crmsync.core.asking import Ask, ask
from crmsync.core.channels import (
    block,
    channel,
    note_daily,
    note_outcomes,
    pause,
    pause_batch,
    slow_down,
    unblock,
)
from crmsync.core.claiming import (
    COMPANY_WAIT_S,
    LONELY_RESCUES,
    Turn,
    claim,
    due,
    due_channels,
    due_groups,
    groups_of,
    one_by_one,
    turns,
    urgent_turns,
)
from crmsync.core.clock import now
from crmsync.core.leases import (
    RELEASED,
    change,
    extend,
    in_order,
    lock,
    ours,
    run_served,
)
from crmsync.core.ledger import ledger
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.retry import Again, decide

__all__ = [
    "COMPANY_WAIT_S",
    "LONELY_RESCUES",
    "MAX_RESCUES",
    "Ask",
    "Failure",
    "Turn",
    "abandon",
    "again",
    "ask",
    "block",
    "channel",
    "claim",
    "due",
    "due_channels",
    "due_groups",
    "extend",
    "fail",
    "finish",
    "give_back",
    "groups_of",
    "ledger",
    "lock",
    "missed",
    "note_daily",
    "note_outcomes",
    "now",
    "one_by_one",
    "pause",
    "pause_batch",
    "released",
    "rescue",
    "retry",
    "set_free",
    "slow_down",
    "turns",
    "unblock",
    "urgent_turns",
    "wait_for",
]

# What an item of a paused run waits for begins with this.
RUN_HOLD = "run:"
# How often an item may take its worker down before it is given up.
MAX_RESCUES = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item failed, in words a person can act on.

    detail: what the other side said, word for word; kept in the journal only; about:
    the records a person has to choose among, as JSON.
    """

    error_class: str
    message: str
    code: str = ""
    field: str = ""
    detail: str = ""
    about: Mapping[str, object] | None = None


# --- while leased ---------------------------------------------------------------------

_NO_ERROR: dict[str, object] = {
    "error_class": "",
    "error_code": "",
    "error_field": "",
    "error": "",
    "error_about": None,
    "failed_at": None,
    "failing_since": None,
    "waits_for": "",
    "attempts": 0,
    "rescues": 0,
}


@scopes_disabled()
def finish(
    items: Sequence[WorkItem], *, skipped: bool = False, locked: bool = False
) -> int:
    """Mark items done; one asked for again meanwhile becomes ready. Return how many.

    locked: the caller's transaction has locked them already.
    """
    at = now()
    counter = "skipped" if skipped else "applied"
    settled = F("applied") + F("skipped") + F("dead") + 1
    again = Case(
        When(wanted__gt=F("leased_wanted"), then=Value(State.READY)),
        default=Value(State.DONE),
    )
    changes = {
        counter: F(counter) + 1,
        "coalesced": F("leased_wanted") - settled,
        "state": again,
        "not_before": at,
        "updated_at": at,
        "finished_at": at,
        **run_served(items),
    }
    return change(items, RELEASED | _NO_ERROR | changes, locked=locked)


@scopes_disabled()
def fail(item: WorkItem, failure: Failure, rng: random.Random) -> State | None:
    """Plan another try, or park the item; return its new state, None if not ours.

    One that was asked for again during the try is tried at once instead of parked.
    """
    at = now()
    since = item.failing_since or at
    step = decide(
        failure.error_class,
        attempts=item.attempts + 1,
        rng=rng,
        failing_s=(at - since).total_seconds(),
    )
    changes: dict[str, object] = {
        **RELEASED,
        **_error(failure, at),
        "attempts": F("attempts") + 1,
        "failing_since": since,
        "updated_at": at,
    }
    if isinstance(step, Again):
        changes |= {
            "state": State.READY,
            "not_before": at + timedelta(seconds=step.wait_s),
        }
        changed = WorkItem.objects.filter(ours([item])).update(**changes)
        return State.READY if changed else None
    return _give_up(item, changes, at)


def _give_up(item: WorkItem, changes: dict[str, object], at: datetime) -> State | None:
    """Park the item, unless what it is about was changed during the try."""
    mine = WorkItem.objects.filter(ours([item]))
    if mine.filter(wanted=F("leased_wanted")).update(**changes | _parked()):
        return State.PARKED
    # It may be right by now: the try that failed settles only what it carried.
    settled = F("applied") + F("skipped") + F("dead") + 1
    newer: dict[str, object] = {
        "state": State.READY,
        "not_before": at,
        "attempts": 0,
        "rescues": 0,
        "failing_since": None,
        "dead": F("dead") + 1,
        "coalesced": F("leased_wanted") - settled,
        **run_served([item]),
    }
    return State.READY if mine.update(**changes | newer) else None


def _error(failure: Failure, at: datetime) -> dict[str, object]:
    return {
        "error_class": failure.error_class,
        "error_code": failure.code[:80],
        "error_field": failure.field[:120],
        "error": failure.message[:4000],
        "error_about": failure.about,
        "failed_at": at,
    }


def _parked() -> dict[str, object]:
    """Return the changes that give an item up and settle all asks it carried."""
    settled = F("applied") + F("skipped") + F("dead") + 1
    return {
        "state": State.PARKED,
        "dead": F("dead") + 1,
        "coalesced": F("wanted") - settled,
        "finished_at": now(),
    }


@scopes_disabled()
def give_back(
    items: Sequence[WorkItem], *, failure: Failure | None = None, wait_s: float = 0
) -> int:
    """Return leased items untouched, e.g. when their channel must wait."""
    at = now()
    error = _error(failure, at) if failure else {}
    changes = {
        "state": State.READY,
        "not_before": at + timedelta(seconds=wait_s),
        "updated_at": at,
    }
    return change(items, RELEASED | error | changes)


@scopes_disabled()
def wait_for(item: WorkItem, key: str, reason: str) -> int:
    """Put an item aside until `released(key)`; no attempt is used."""
    return WorkItem.objects.filter(ours([item])).update(
        **RELEASED,
        state=State.WAITING,
        waits_for=key,
        error_class="waiting",
        error=reason[:4000],
        error_about=None,
        updated_at=now(),
    )


@scopes_disabled()
def released(keys: Iterable[str]) -> int:
    """Make ready what waited for these keys.

    What another transaction is about to change is left to it, or to the sweep.
    """
    waiting = WorkItem.objects.filter(state=State.WAITING, waits_for__in=list(keys))
    return set_free(waiting)


@scopes_disabled()
def missed(kind: str, keys: Iterable[str]) -> int:
    """Make ready what began to wait for these just when they were finished.

    Call it when `wait_for` has been committed, and hold no other lock: it waits for
    whoever is finishing one of them.
    """
    with transaction.atomic():
        rows = in_order(WorkItem.objects.filter(kind=kind, key__in=set(keys)))
        states = rows.select_for_update(no_key=True).values_list("key", "state")
        done = [key for key, state in states if state == State.DONE]
    return released(done) if done else 0


@scopes_disabled()
def set_free(waiting: QuerySet[WorkItem]) -> int:
    """Make ready those of the waiting items that nobody else holds.

    What a paused run holds stays; see `runs.release_run`.
    """
    waiting = waiting.exclude(waits_for__startswith=RUN_HOLD)
    with transaction.atomic():
        free = waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)
        return WorkItem.objects.filter(pk__in=list(free)).update(
            state=State.READY, waits_for="", error_class="", error=""
        )


# --- channels, retries, repair --------------------------------------------------------


def retry(parked: Iterable[int]) -> int:
    """Try parked or delayed items of the current workspace again, at once."""
    failed = WorkItem.objects.filter(pk__in=list(parked))
    # First, or it would find and count what was parked until now as well.
    delayed = Q(state=State.READY, failed_at__isnull=False) | Q(state=State.WAITING)
    sooner = failed.filter(delayed).update(
        state=State.READY, waits_for="", not_before=now()
    )
    asked = failed.filter(state=State.PARKED).update(
        state=State.READY,
        wanted=F("wanted") + 1,
        attempts=0,
        rescues=0,
        failing_since=None,
        not_before=now(),
    )
    return asked + sooner


@scopes_disabled()
def again(parked: QuerySet[WorkItem]) -> int:
    """Try parked items again though nobody looked; what they failed of stays told.

    Unlike `retry` it forgets neither tries nor since when they fail, so that what goes
    on failing is parked again at once.
    """
    rows = parked.filter(state=State.PARKED)
    return rows.update(state=State.READY, wanted=F("wanted") + 1, not_before=now())


def abandon(rows: QuerySet[WorkItem]) -> int:
    """End rows that nothing can be done about any more, as skipped."""
    settled = F("applied") + F("skipped") + F("dead") + 1
    ended: dict[str, object] = {
        "state": State.DONE,
        "failed_at": None,
        "waits_for": "",
        "finished_at": now(),
    }
    given_up = rows.filter(state=State.PARKED).update(**ended)
    open_ = rows.filter(state__in=[State.READY, State.WAITING])
    return given_up + open_.update(
        **ended, skipped=F("skipped") + 1, coalesced=F("wanted") - settled
    )


@scopes_disabled()
def rescue() -> int:
    """Free what dead workers held; park what keeps killing them. Return how many."""
    at = now()
    lapsed = WorkItem.objects.filter(state=State.LEASED, leased_until__lte=at)
    failure = Failure("crashed_worker", "The worker stopped each time it took this on.")
    with transaction.atomic():
        free = lapsed.select_for_update(skip_locked=True).values_list("pk", flat=True)
        lost = lapsed.filter(pk__in=list(free))
        hopeless = lost.filter(rescues__gte=MAX_RESCUES).update(
            **RELEASED, **_error(failure, at), **_parked()
        )
        freed = lost.update(
            **RELEASED, state=State.READY, rescues=F("rescues") + 1, not_before=at
        )
    return hopeless + freed

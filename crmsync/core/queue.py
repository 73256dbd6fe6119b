"""The one mechanism for all that waits: ask, claim, extend, finish, fail, rescue.

All times are the database's: two hosts whose clocks differ still agree on a lease.
Each change of a leased item is guarded by its token; one that is no longer ours is
left alone, and the caller learns how many it really changed.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Collate, Length
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State
from crmsync.core.retry import Again, decide

# A poison item kills its worker each time: from here on it is claimed alone ...
LONELY_RESCUES = 2
# ... and from here on not at all.
MAX_RESCUES = 6
# How long what is due waits at most for others to share its call.
COMPANY_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that must happen.

    channel_id: whose turn it takes; group: what it can share a call with; lane: 0
    before 1 before 2; not_before: never earlier than this, None for at once.
    """

    workspace_id: int
    kind: str
    key: str
    channel_id: int
    group: str = ""
    lane: int = 0
    not_before: datetime | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item failed, in words a person can act on.

    detail: what the other side said, word for word; kept in the journal only.
    """

    error_class: str
    message: str
    code: str = ""
    field: str = ""
    detail: str = ""


def now() -> datetime:
    """Return the database's clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (value,) = cursor.fetchone()
    return value


def channel(name: str, *, cap: int = 4) -> Channel:
    """Return the channel of this name, made when it is new."""
    found, _ = Channel.objects.get_or_create(name=name, defaults={"cap": cap})
    return found


# The row is inserted, or the one that is there is told that it is wanted once more.
# What is leased keeps its state: finishing sees the higher `wanted`. What waits for
# another looks again: it may belong to a different one by now. What was given up and
# may have been sent all the same keeps one attempt, so that the next try still knows.
# One parameter carries all rows: a thousand of them would cost more to parse than to
# store.
_ASK_SQL = """
INSERT INTO core_workitem (
  workspace_id, kind, key, channel_id, "group", lane, not_before, trace_id,
  created_at, updated_at, state, waits_for, wanted, applied, coalesced, skipped, dead,
  attempts, rescues, leased_wanted, error_class, error_code, error_field, error
)
{rows}
ON CONFLICT (kind, key) DO UPDATE SET
  wanted = core_workitem.wanted + 1,
  channel_id = excluded.channel_id,
  "group" = excluded."group",
  lane = CASE WHEN excluded.lane < core_workitem.lane
    OR core_workitem.state IN ('done', 'parked')
    THEN excluded.lane ELSE core_workitem.lane END,
  not_before = CASE WHEN core_workitem.state IN ('done', 'parked')
    THEN excluded.not_before ELSE core_workitem.not_before END,
  attempts = CASE WHEN core_workitem.state NOT IN ('done', 'parked')
    THEN core_workitem.attempts
    WHEN core_workitem.state = 'parked' AND core_workitem.error_class IN
      ('unknown', 'ambiguous', 'crashed_worker', 'bug') THEN 1 ELSE 0 END,
  rescues = CASE WHEN core_workitem.state IN ('done', 'parked')
    THEN 0 ELSE core_workitem.rescues END,
  state = CASE WHEN core_workitem.state = 'leased' THEN 'leased' ELSE 'ready' END,
  waits_for = '',
  error_class = CASE WHEN core_workitem.state = 'waiting'
    THEN '' ELSE core_workitem.error_class END,
  error = CASE WHEN core_workitem.state = 'waiting'
    THEN '' ELSE core_workitem.error END,
  trace_id = excluded.trace_id,
  updated_at = excluded.updated_at
"""
_ROWS = {
    "postgresql": """
SELECT (r->>0)::bigint, r->>1, r->>2, (r->>3)::bigint, r->>4, (r->>5)::smallint,
  (r->>6)::timestamptz, r->>7, (r->>8)::timestamptz, (r->>8)::timestamptz,
  'ready', '', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', ''
FROM jsonb_array_elements(%s::jsonb) AS r
""",
    # "WHERE true" tells SQLite that ON CONFLICT belongs to the INSERT.
    "sqlite": """
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
  json_extract(value, '$[2]'), json_extract(value, '$[3]'),
  json_extract(value, '$[4]'), json_extract(value, '$[5]'),
  json_extract(value, '$[6]'), json_extract(value, '$[7]'),
  json_extract(value, '$[8]'), json_extract(value, '$[8]'),
  'ready', '', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', ''
FROM json_each(%s) WHERE true
""",
}


def ask(asks: Iterable[Ask]) -> int:
    """Store what must happen, in the caller's transaction; return how many asks.

    The same (kind, key) twice in one call counts once.
    """
    unique = {(item.kind, item.key): item for item in asks}
    if unique:
        # In one order everywhere, or two that touch the same rows would lock each
        # other out. Of keys that are numbers it is their own order; see `lock`.
        order = sorted(unique, key=lambda name: (name[0], len(name[1]), name[1]))
        _insert([unique[name] for name in order], now())
    return len(unique)


def _insert(asks: Sequence[Ask], at: datetime) -> None:
    stamp = _text(at)
    rows = [
        (
            item.workspace_id,
            item.kind,
            item.key,
            item.channel_id,
            item.group,
            item.lane,
            _text(item.not_before) if item.not_before else stamp,
            item.trace_id,
            stamp,
        )
        for item in asks
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _ASK_SQL.format(rows=_ROWS[connection.vendor]), [json.dumps(rows)]
        )


def _text(at: datetime) -> str:
    """Return a time the way the database stores it."""
    return str(connection.ops.adapt_datetimefield_value(at))


# --- claiming -------------------------------------------------------------------------


def due(kind: str, at: datetime | None = None) -> Q:
    """Match what may be claimed by its time and state."""
    at = at or now()
    return Q(kind=kind, state=State.READY, not_before__lte=at)


@scopes_disabled()
def due_channels(kind: str) -> list[int]:
    """Return the channels in which something is due, the least served first.

    Those that are paused, blocked or at their cap are left out.
    """
    at = now()
    waiting = WorkItem.objects.filter(due(kind, at), channel=OuterRef("pk"))
    channels = Channel.objects.filter(Exists(waiting), blocked_because="").filter(
        Q(paused_until=None) | Q(paused_until__lte=at)
    )
    out = _leases_out(at)
    caps = channels.order_by("vtime").values_list("id", "cap")
    return [pk for pk, cap in caps if out.get(pk, 0) < cap]


@scopes_disabled()
def due_groups(kind: str) -> list[tuple[int, int, str]]:
    """Return (workspace, channel, group) of what is due, the least served first.

    Reads all that is due: with a long backlog ask for the channels alone.
    """
    ids = due_channels(kind)
    rank = {channel_id: place for place, channel_id in enumerate(ids)}
    groups = (
        WorkItem.objects.filter(due(kind), channel_id__in=ids)
        .order_by()
        .values_list("workspace_id", "channel_id", "group")
        .distinct()
    )
    return sorted(groups, key=lambda row: (rank[row[1]], row[2]))


def _leases_out(at: datetime) -> dict[int, int]:
    """Return channel -> leases that are out. Reads what is leased and nothing else."""
    leased = WorkItem.objects.filter(state=State.LEASED, leased_until__gt=at)
    counted = leased.order_by().values("channel_id")
    leases = counted.annotate(out=Count("lease_token", distinct=True))
    return dict(leases.values_list("channel_id", "out"))


@scopes_disabled()
def claim(
    kind: str,
    *,
    channel_id: int,
    group: str = "",
    limit: int,
    full_if_busy: bool = False,
) -> list[WorkItem]:
    """Lease up to `limit` due items of one channel and group; all share one token.

    full_if_busy: while another lease of the group is out, take only a full batch, so
    that what arrives meanwhile shares the next call; never for longer than
    COMPANY_WAIT_S. An empty list means there is
    nothing for us: nothing due, the channel's cap reached, or another is claiming.
    """
    at = now()
    with transaction.atomic():
        turn = _take_turn(channel_id, at)
        if turn is None:
            return []
        mine = WorkItem.objects.filter(
            due(kind, at), channel_id=channel_id, group=group
        )
        ordered = mine.select_for_update(skip_locked=True, of=("self",))
        items = list(ordered.order_by("lane", "not_before", "id")[:limit])
        if not items:
            return []
        if full_if_busy and len(items) < limit and _expects_company(items[0], at):
            return []
        items = _without_poison(items)
        _lease(items, at)
        _count_turn(turn, kind, len(items))
    return items


def _take_turn(channel_id: int, at: datetime) -> Channel | None:
    locked = Channel.objects.select_for_update(skip_locked=True)
    turn = locked.filter(pk=channel_id, blocked_because="").first()
    if turn is None or (turn.paused_until and turn.paused_until > at):
        return None
    out = (
        WorkItem.objects.filter(
            channel_id=channel_id, state=State.LEASED, leased_until__gt=at
        )
        .values("lease_token")
        .distinct()
        .count()
    )
    return turn if out < turn.cap else None


def _expects_company(first: WorkItem, at: datetime) -> bool:
    """Tell whether more should share the call; one that hangs is not waited for."""
    if first.not_before < at - timedelta(seconds=COMPANY_WAIT_S):
        return False
    return WorkItem.objects.filter(
        channel_id=first.channel_id,
        group=first.group,
        state=State.LEASED,
        leased_until__gt=at,
    ).exists()


def _without_poison(items: list[WorkItem]) -> list[WorkItem]:
    """Keep an item that may have killed its worker away from the others."""
    suspects = [item for item in items if item.rescues >= LONELY_RESCUES]
    return suspects[:1] or items


def _lease(items: Sequence[WorkItem], at: datetime) -> None:
    token = secrets.randbits(62)
    until = at + timedelta(seconds=settings.WORK_LEASE_S)
    WorkItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=State.LEASED,
        lease_token=token,
        leased_until=until,
        leased_wanted=F("wanted"),
        updated_at=at,
    )
    for item in items:
        item.state, item.lease_token, item.leased_until = State.LEASED, token, until
        item.leased_wanted = item.wanted


def _count_turn(turn: Channel, kind: str, items: int) -> None:
    """Charge the channel; one that was idle does not bring old credit along."""
    ready = WorkItem.objects.filter(
        kind=kind, channel=OuterRef("pk"), state=State.READY
    )
    active = Channel.objects.filter(Exists(ready))
    floor = active.aggregate(low=Min("vtime"))["low"] or 0
    turn.vtime = max(turn.vtime, floor) + items
    turn.save(update_fields=["vtime"])


# --- while leased ---------------------------------------------------------------------


def _ours(items: Iterable[WorkItem]) -> Q:
    """Match the items that are still leased under the token they were claimed with."""
    by_token: dict[int | None, list[int]] = {}
    for item in items:
        by_token.setdefault(item.lease_token, []).append(item.pk)
    mine = Q(pk__in=[])
    for token, ids in by_token.items():
        mine |= Q(pk__in=ids, lease_token=token, state=State.LEASED)
    return mine


@scopes_disabled()
def lock(items: Iterable[WorkItem]) -> None:
    """Lock rows before several are changed in one transaction, in the order of `ask`.

    Does nothing on SQLite, where a transaction that writes is alone.
    """
    ids = [item.pk for item in items]
    if connection.vendor == "postgresql" and len(ids) > 1:
        rows = WorkItem.objects.filter(pk__in=ids).select_for_update()
        list(_in_order(rows).values_list("pk", flat=True))


def _in_order(rows: QuerySet[WorkItem]) -> QuerySet[WorkItem]:
    """Sort as Python sorts text, whatever the database's own collation is."""
    return rows.order_by("kind", Length("key"), Collate("key", "C"))


def _change(items: Sequence[WorkItem], changes: dict[str, object]) -> int:
    """Change those of the items that are still ours; return how many."""
    if len(items) == 1:
        return WorkItem.objects.filter(_ours(items)).update(**changes)
    with transaction.atomic():
        lock(items)
        return WorkItem.objects.filter(_ours(items)).update(**changes)


@scopes_disabled()
def extend(items: Sequence[WorkItem]) -> list[WorkItem]:
    """Renew the lease before a call; return the items that are still ours.

    A worker that was paused past its lease learns here that others have its items,
    before it sends anything.
    """
    at = now()
    with transaction.atomic():
        lock(items)
        kept = WorkItem.objects.filter(_ours(items), leased_until__gt=at)
        kept_ids = set(kept.select_for_update().values_list("pk", flat=True))
        until = at + timedelta(seconds=settings.WORK_LEASE_S)
        WorkItem.objects.filter(pk__in=kept_ids).update(leased_until=until)
    return [item for item in items if item.pk in kept_ids]


_RELEASED: dict[str, object] = {"lease_token": None, "leased_until": None}
_NO_ERROR: dict[str, object] = {
    "error_class": "",
    "error_code": "",
    "error_field": "",
    "error": "",
    "failed_at": None,
    "waits_for": "",
    "attempts": 0,
    "rescues": 0,
}


@scopes_disabled()
def finish(items: Sequence[WorkItem], *, skipped: bool = False) -> int:
    """Mark items done; one asked for again meanwhile becomes ready. Return how many."""
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
    }
    return _change(items, _RELEASED | _NO_ERROR | changes)


@scopes_disabled()
def fail(item: WorkItem, failure: Failure, rng: random.Random) -> State | None:
    """Plan another try, or park the item; return its new state, None if not ours.

    One that was asked for again during the try is tried at once instead of parked.
    """
    at = now()
    step = decide(failure.error_class, attempts=item.attempts + 1, rng=rng)
    changes: dict[str, object] = {
        **_RELEASED,
        **_error(failure, at),
        "attempts": F("attempts") + 1,
        "updated_at": at,
    }
    if isinstance(step, Again):
        changes |= {
            "state": State.READY,
            "not_before": at + timedelta(seconds=step.wait_s),
        }
        changed = WorkItem.objects.filter(_ours([item])).update(**changes)
        return State.READY if changed else None
    return _give_up(item, changes, at)


def _give_up(item: WorkItem, changes: dict[str, object], at: datetime) -> State | None:
    """Park the item, unless what it is about was changed during the try."""
    mine = WorkItem.objects.filter(_ours([item]))
    if mine.filter(wanted=F("leased_wanted")).update(**changes | _parked()):
        return State.PARKED
    # It may be right by now: the try that failed settles only what it carried.
    settled = F("applied") + F("skipped") + F("dead") + 1
    newer: dict[str, object] = {
        "state": State.READY,
        "not_before": at,
        "attempts": 0,
        "rescues": 0,
        "dead": F("dead") + 1,
        "coalesced": F("leased_wanted") - settled,
    }
    return State.READY if mine.update(**changes | newer) else None


def _error(failure: Failure, at: datetime) -> dict[str, object]:
    return {
        "error_class": failure.error_class,
        "error_code": failure.code[:80],
        "error_field": failure.field[:120],
        "error": failure.message[:4000],
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
    return _change(items, _RELEASED | error | changes)


@scopes_disabled()
def wait_for(item: WorkItem, key: str, reason: str) -> int:
    """Put an item aside until `released(key)`; no attempt is used."""
    return WorkItem.objects.filter(_ours([item])).update(
        **_RELEASED,
        state=State.WAITING,
        waits_for=key,
        error_class="waiting",
        error=reason[:4000],
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
def set_free(waiting: QuerySet[WorkItem]) -> int:
    """Make ready those of the waiting items that nobody else holds."""
    with transaction.atomic():
        free = waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)
        return WorkItem.objects.filter(pk__in=list(free)).update(
            state=State.READY, waits_for="", error_class="", error=""
        )


# --- channels, retries, repair --------------------------------------------------------


def pause(channel_id: int, wait_s: float) -> None:
    """Let nothing leave the channel for a while; never shortens a longer pause."""
    until = now() + timedelta(seconds=wait_s)
    longer = Q(paused_until=None) | Q(paused_until__lt=until)
    Channel.objects.filter(longer, pk=channel_id).update(paused_until=until)


def block(channel_id: int, reason: str) -> None:
    """Let nothing leave the channel until `unblock`, e.g. while signed out."""
    Channel.objects.filter(pk=channel_id).update(blocked_because=reason[:200])


def unblock(channel_id: int) -> None:
    """Open a channel again and end its pause."""
    Channel.objects.filter(pk=channel_id).update(blocked_because="", paused_until=None)


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
        not_before=now(),
    )
    return asked + sooner


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
            **_RELEASED, **_error(failure, at), **_parked()
        )
        freed = lost.update(
            **_RELEASED, state=State.READY, rescues=F("rescues") + 1, not_before=at
        )
    return hopeless + freed


def ledger() -> dict[str, int]:
    """Return the conservation law of the current workspace; `difference` must be 0."""
    names = ("applied", "coalesced", "skipped", "dead")
    sums = WorkItem.objects.aggregate(
        received=Sum("wanted"), **{name: Sum(name) for name in names}
    )
    totals = {name: value or 0 for name, value in sums.items()}
    unfinished = WorkItem.objects.exclude(state__in=[State.DONE, State.PARKED])
    settled = sum(totals[name] for name in names)
    waiting = unfinished.aggregate(
        n=Sum(F("wanted") - F("applied") - F("coalesced") - F("skipped") - F("dead"))
    )["n"]
    totals["waiting"] = waiting or 0
    totals["difference"] = totals["received"] - settled - totals["waiting"]
    return totals

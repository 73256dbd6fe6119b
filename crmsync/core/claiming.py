"""Claiming: what is due, whose turn it is, and a lease on as much as fits one call."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.base import ModelState
from django_scopes import scopes_disabled

from crmsync.core import lookups
from crmsync.core.clock import now
from crmsync.core.lanes import LANES, REALTIME, after_turn, in_order, next_lane
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.places import Place, groups_in, is_urgent, open_places, take_place

# A poison item kills its worker each time: from here on it is claimed alone.
LONELY_RESCUES = 2
# How long what is due waits at most for others to share its call.
COMPANY_WAIT_S = 5.0
# Calls that must be under way for it to wait, by lane: what is urgent and came alone
# does not wait for the answer of one other.
COMPANY_FROM = {REALTIME: 2}
# Items by which a channel that was idle may go ahead of those that were not.
CREDIT = 500
# Items by which a channel with urgent work may go ahead of those without. Above CREDIT,
# or what comes after a pause would pass it.
URGENT_CREDIT = 600
# Items at most that one call is charged for: a bulk job is one, too.
MAX_CHARGE = 200
# Items that are leased while the channel is locked. What is urgent waits for that lock,
# and thousands would take longer than all else that it is held for.
MOST_LOCKED = 200

# What nobody asks of an item that is being worked on; times are dear to read.
_UNREAD = frozenset(
    {
        "created_at",
        "updated_at",
        "finished_at",
        "failed_at",
        "error_about",
        "not_before",
        "leased_until",
    }
)
_READ = tuple(
    field.attname
    for field in WorkItem._meta.concrete_fields  # noqa: SLF001 - Django's own public name
    if field.attname not in _UNREAD
)

# Written out: composing them anew for each claim costs more than running them.
_LEASE_SQL = """UPDATE core_workitem SET state = 'leased', lease_token = %s,
  leased_until = %s, leased_wanted = wanted, updated_at = %s WHERE id"""
_TURN_SQL = """UPDATE core_channel SET vtime = %s, lane_turns = %s,
  breaker = CASE WHEN breaker = 'open' THEN 'half' ELSE breaker END WHERE id = %s"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: a channel, and the lane of it that is next."""

    channel_id: int
    lane: int


def due(kind: str, at: datetime | None = None, *, lane: int | None = None) -> Q:
    """Match what may be claimed by its time and state."""
    at = at or now()
    # All lanes by name: the index finds what is due in each without reading the rest.
    lanes = LANES if lane is None else [lane]
    return Q(kind=kind, state=State.READY, lane__in=lanes, not_before__lte=at)


@scopes_disabled()
def turns(kind: str, *, leave_s: float = 0) -> list[Turn]:
    """Return what may be served, the next first.

    leave_s: what is urgent is left, for that long, to those who do nothing else.

    Channels that are paused, blocked, at their cap or stopped by their breaker are left
    out. First the lane of each channel whose turn it is, then the others, for one who
    finds nothing to take there. Serve one, then ask again: what is urgent and came
    meanwhile goes first.
    """
    found = []
    for place in open_places(kind, now(), leave_s=leave_s):
        channel = place.channel
        lanes = in_order(channel.lane_turns, place.waiting)
        for rank, lane in enumerate(lanes):
            ahead = URGENT_CREDIT if lane == REALTIME else 0
            found.append((rank, channel.vtime - ahead, channel.pk, lane))
    return [Turn(channel_id, lane) for _, _, channel_id, lane in sorted(found)]


@scopes_disabled()
def urgent_turns(kind: str) -> list[Turn]:
    """Return those turns that are urgent; that there are none costs one short look."""
    if not is_urgent(kind, now()):
        return []
    return [one for one in turns(kind) if one.lane == REALTIME]


@scopes_disabled()
def due_channels(kind: str) -> list[int]:
    """Return the channels in which something is due; see `turns`."""
    return list(dict.fromkeys(turn.channel_id for turn in turns(kind)))


def one_by_one(kind: str, *, until: float) -> Iterator[WorkItem]:
    """Claim and yield due rows singly, channel by channel.

    until: the monotonic time after which none is claimed.
    """
    for channel_id in due_channels(kind):
        while time.monotonic() < until:
            items = claim(kind, channel_id=channel_id, limit=1)
            if not items:
                break
            yield items[0]


def groups_of(kind: str, turn: Turn) -> list[str]:
    """Return the groups in which something is due in the turn's lane."""
    found = groups_in(kind, turn.channel_id, turn.lane, now())
    return [group for _, group in found]


def due_groups(kind: str) -> list[tuple[int, int, str]]:
    """Return (workspace, channel, group) of what is due, the next first."""
    at = now()
    found = (
        (workspace_id, turn.channel_id, group)
        for turn in turns(kind)
        for workspace_id, group in groups_in(kind, turn.channel_id, turn.lane, at)
    )
    return list(dict.fromkeys(found))


@scopes_disabled()
def claim(
    kind: str,
    *,
    channel_id: int,
    group: str = "",
    limit: int,
    lane: int | None = None,
    full: int = 0,
) -> list[WorkItem]:
    """Lease up to `limit` due items of one channel, group and lane under one token.

    lane: None for whichever has something due in the group and is next. full: how many
    one call takes; while other leases of the group and lane are out, no fewer are
    taken, so that what arrives meanwhile shares the next call, and never for longer
    than COMPANY_WAIT_S. Without it all that is taken is one call.
    A large turn is leased in two steps, so that the channel is soon free for others,
    unless a transaction is open. An empty list means there is nothing for us: nothing
    due, or no room.
    """
    outermost = not connection.in_atomic_block
    token = secrets.randbits(62)
    with transaction.atomic():
        at = _now_not_to_disk() if outermost else now()
        place = take_place(kind, channel_id, at)
        if place is None:
            return []
        mine = WorkItem.objects.filter(channel_id=channel_id, group=group)
        if lane is None:
            lane = _lane_in(mine.filter(kind=kind), place, at)
        if lane not in place.waiting:
            return []
        limit = min(limit, place.room.items or limit)
        rows = mine.filter(due(kind, at, lane=lane))
        most = min(limit, MOST_LOCKED) if outermost else limit
        items, waited = _first_due(rows, most, at)
        if not items:
            return []
        found = len(items)
        if found == MOST_LOCKED < limit and outermost:
            found = max(found, len(rows.values_list("pk")[:limit]))
        alone = found < min(limit, full) and not waited
        if alone and _expects_company(items[0], at):
            return []
        if suspect := _suspect(items):
            items, found = [suspect], 1
        _lease(items, token, at)
        _count_turn(place, lane, found, ceil(found / full) if full else 1)
    more = found - len(items)
    return items + _lease_more(rows, more, token) if more else items


def _lease_more(rows: QuerySet[WorkItem], most: int, token: int) -> list[WorkItem]:
    """Lease more for a turn that has begun, while others may begin theirs."""
    with transaction.atomic():
        at = _now_not_to_disk()
        items, _ = _first_due(rows.filter(rescues__lt=LONELY_RESCUES), most, at)
        if items:
            _lease(items, token, at)
    return items


def _now_not_to_disk() -> datetime:
    """Return the clock, and let this transaction's commit not wait for the disk.

    A lease that a crash of the database forgets is found missing by `extend`, before
    anything is sent; the wait would be longer than all the rest of a claim.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp(), set_config('synchronous_commit', 'off', true)"
        )
        return cast("datetime", cursor.fetchone()[0])


def _lane_in(group: QuerySet[WorkItem], place: Place, at: datetime) -> int | None:
    """Return the next lane of those in which something of the group is due."""
    firsts = {lane: _first_of(group, lane) for lane in place.waiting}
    here = {lane for lane, first in firsts.items() if first and first <= at}
    return next_lane(place.channel.lane_turns, here) if here else None


def _first_of(group: QuerySet[WorkItem], lane: int) -> datetime | None:
    """Return when the first item of a lane is due, as one look into an index."""
    ready = group.filter(state=State.READY, lane=lane).order_by("not_before")
    return ready.values_list("not_before", flat=True).first()


def _first_due(
    items: QuerySet[WorkItem], limit: int, at: datetime
) -> tuple[list[WorkItem], bool]:
    """Lock and return the items that are due first, and whether the first waited long.

    Long is COMPANY_WAIT_S: nothing is waited for any more then.
    """
    free = items.select_for_update(skip_locked=True)
    long = Q(not_before__lt=at - timedelta(seconds=COMPANY_WAIT_S))
    waited = ExpressionWrapper(long, output_field=BooleanField())
    rows = free.order_by("not_before", "id").values_list(*_READ, waited)[:limit]
    found = list(rows)
    return [_item(row) for row in found], bool(found and found[0][-1])


def _item(row: Sequence[object]) -> WorkItem:
    """Return a row as an object. What was not read is fetched when it is asked for.

    As Django's own way of it does, in a third of the time: a turn is a thousand rows.
    """
    item = WorkItem.__new__(WorkItem)
    # The row has one value more: whether it waited.
    item.__dict__.update(zip(_READ, row, strict=False), _state=ModelState())
    item._state.adding, item._state.db = False, connection.alias  # noqa: SLF001
    return item


def _expects_company(first: WorkItem, at: datetime) -> bool:
    """Tell whether more should share the call."""
    out = WorkItem.objects.filter(
        channel_id=first.channel_id,
        group=first.group,
        lane=first.lane,
        state=State.LEASED,
        leased_until__gt=at,
    )
    enough = COMPANY_FROM.get(first.lane, 1)
    tokens = out.values_list("lease_token", flat=True).distinct()
    return len(tokens[:enough]) == enough


def _suspect(items: Sequence[WorkItem]) -> WorkItem | None:
    """Return one that may have killed its worker: it is kept away from the others."""
    return next((one for one in items if one.rescues >= LONELY_RESCUES), None)


def _lease(items: Sequence[WorkItem], token: int, at: datetime) -> None:
    until = at + timedelta(seconds=settings.WORK_LEASE_S)
    ids = [item.pk for item in items]
    times = [connection.ops.adapt_datetimefield_value(one) for one in (until, at)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One parameter costs less to write than a thousand.
            sql = f"{_LEASE_SQL} = ANY(%s::bigint[])"
            cursor.execute(sql, [token, *times, lookups.numbers(ids)])
        else:
            marks = ", ".join(["%s"] * len(ids))
            cursor.execute(f"{_LEASE_SQL} IN ({marks})", [token, *times, *ids])
    for item in items:
        item.state, item.lease_token, item.leased_until = State.LEASED, token, until
        item.leased_wanted = item.wanted


def _count_turn(place: Place, lane: int, items: int, calls: int) -> None:
    """Charge the channel and the lane; see CREDIT for one that was idle."""
    channel = place.channel
    floor = channel.vtime if place.low is None else place.low - CREDIT
    vtime = max(channel.vtime, floor) + min(items, MAX_CHARGE * calls)
    account = after_turn(channel.lane_turns, place.waiting, lane, calls=calls)
    with connection.cursor() as cursor:
        cursor.execute(_TURN_SQL, [vtime, json.dumps(account), channel.pk])

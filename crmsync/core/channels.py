"""Channels of work: made, paused, blocked, opened again, and stopped when all fails."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from crmsync.core import breaker
from crmsync.core.breaker import Breaker, Outcomes, Room
from crmsync.core.clock import now
from crmsync.core.lanes import LANES, REALTIME
from crmsync.core.models import Channel

# Waits when we are slowed down and not told for how long; and at most when told.
UNTOLD_WAIT_S = 10.0
LONGEST_UNTOLD_S = 900.0
LONGEST_TOLD_S = 86_400.0


def channel(name: str, *, cap: int = 4) -> Channel:
    """Return the channel of this name, made when it is new."""
    found, _ = Channel.objects.get_or_create(name=name, defaults={"cap": cap})
    return found


# --- holding --------------------------------------------------------------------------


def pause(channel_id: int, wait_s: float) -> None:
    """Let nothing leave the channel for a while; never shortens a longer pause."""
    until = now() + timedelta(seconds=wait_s)
    longer = Q(paused_until=None) | Q(paused_until__lt=until)
    Channel.objects.filter(longer, pk=channel_id).update(paused_until=until)


def pause_batch(channel_id: int, wait_s: float) -> None:
    """Let only the urgent lane leave for a while, e.g. until a daily budget is new."""
    until = now() + timedelta(seconds=min(wait_s, LONGEST_TOLD_S))
    longer = Q(batch_paused_until=None) | Q(batch_paused_until__lt=until)
    Channel.objects.filter(longer, pk=channel_id).update(batch_paused_until=until)


def slow_down(channel_id: int, told_s: float | None, rng: random.Random) -> float:
    """Pause the channel as the other side asks; return for how many seconds.

    told_s: what it said, None when nothing: ten seconds then, twice that each time in
    a row. A little longer than told, so that two do not come back in one moment.
    """
    if told_s is not None:
        wait_s = min(told_s * (1 + rng.random() / 20), LONGEST_TOLD_S)
    else:
        rows = Channel.objects.filter(pk=channel_id)
        times = rows.values_list("slowed", flat=True).first() or 0
        rows.update(slowed=F("slowed") + 1)
        wait_s = min(UNTOLD_WAIT_S * 2 ** min(times, 10), LONGEST_UNTOLD_S)
    pause(channel_id, wait_s)
    return wait_s


def block(channel_id: int, reason: str) -> None:
    """Let nothing leave the channel until `unblock`, e.g. while signed out."""
    Channel.objects.filter(pk=channel_id).update(blocked_because=reason[:200])


def unblock(channel_id: int) -> None:
    """Open a channel again; end its pauses and close its breaker."""
    fresh = _columns(Breaker())
    Channel.objects.filter(pk=channel_id).update(
        blocked_because="", paused_until=None, batch_paused_until=None, **fresh
    )


def lanes_open(channel: Channel, at: datetime) -> tuple[int, ...]:
    """Return the lanes that may be served now."""
    held = channel.batch_paused_until
    return (REALTIME,) if held is not None and held > at else LANES


# --- the breaker ----------------------------------------------------------------------

_COLUMNS = {
    "state": "breaker",
    "until": "breaker_until",
    "opened": "breaker_opened",
    "failures": "breaker_failures",
    "successes": "breaker_successes",
    "ramp": "breaker_ramp",
}


def breaker_of(channel: Channel) -> Breaker:
    """Return where the channel's breaker stands."""
    return Breaker(
        **{one.name: getattr(channel, _column(one.name)) for one in fields(Breaker)}
    )


def room_of(channel: Channel, at: datetime) -> Room:
    """Return how much of the channel may be under way now."""
    return breaker.room(breaker_of(channel), cap=channel.cap, at=at)


def note_outcomes(
    channel_id: int, *, ok: int = 0, failed: int = 0, rng: random.Random | None = None
) -> None:
    """Tell the breaker of calls that have ended, in a transaction of its own.

    ok: answered, be it with a refusal; failed: no answer or a server error. Leave out
    those that were slowed down or need a sign-in.
    """
    if not ok and not failed:
        return
    with transaction.atomic():
        locked = Channel.objects.select_for_update(no_key=True)
        found = locked.filter(pk=channel_id).first()
        if found is not None:
            _note(found, Outcomes(ok=ok, failed=failed), rng or random.Random())


def _note(found: Channel, told: Outcomes, rng: random.Random) -> None:
    before = breaker_of(found)
    after = breaker.after(before, told, cap=found.cap, at=now(), rng=rng)
    changes = _columns(after) if after != before else {}
    if told.ok and found.slowed:
        changes["slowed"] = 0
    if changes:
        Channel.objects.filter(pk=found.pk).update(**changes)


def _columns(state: Breaker) -> dict[str, object]:
    return {_column(one.name): getattr(state, one.name) for one in fields(Breaker)}


def _column(name: str) -> str:
    return _COLUMNS.get(name, name)


# --- the daily budget -----------------------------------------------------------------


def note_daily(name: str, *, used: int, limit: int) -> None:
    """Keep what was told of a channel's daily budget, and when it is a new one.

    Whoever tells it does not say when; the next midnight in UTC is assumed until a day
    is seen to begin.
    """
    at = now()
    rows = Channel.objects.filter(name=name)
    before = rows.values_list("daily_used", "daily_reset_at").first()
    if before is None:
        return
    rows.update(
        daily_used=used,
        daily_limit=limit,
        daily_seen_at=at,
        daily_reset_at=_reset_at(*before, used=used, at=at),
    )


def _reset_at(
    used_before: int | None, expected: datetime | None, *, used: int, at: datetime
) -> datetime:
    if used_before is not None and used < used_before / 2:
        return at + timedelta(days=1)
    if expected is not None and expected > at:
        return expected
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)

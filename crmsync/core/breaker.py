"""A breaker for each channel: stop calling what is down, then come back step by step.

PURE. Open after many failures; after a while half open, which lets one item through at
a time; closed again after some successes, with room for 1, 2, 4 ... leases at once, so
that what waited does not return as a herd.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

MAX_IN_A_ROW = 10
WINDOW_S = 60
MIN_CALLS = 20
MAX_FAILED_SHARE = 0.5
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
SUCCESSES_TO_CLOSE = 5


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a channel's breaker stands.

    until: closed to all before then. opened: how often in a row it opened. failures:
    in a row. successes: since it is half open. ramp: leases at once on the way back,
    0 = no bound of its own. window_*: calls since a failure at most WINDOW_S ago.
    """

    state: Literal["closed", "open", "half"] = "closed"
    until: datetime | None = None
    opened: int = 0
    failures: int = 0
    successes: int = 0
    ramp: int = 0
    window_since: datetime | None = None
    window_calls: int = 0
    window_failed: int = 0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of some calls: answered at all, or failed for want of an answer."""

    ok: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be under way: leases at once, items in one; None = any number."""

    leases: int
    items: int | None = None


def room(breaker: Breaker, *, cap: int, at: datetime) -> Room:
    """Return how much may be under way now. cap: leases at once in good times."""
    if breaker.state == "closed":
        return Room(min(breaker.ramp or cap, cap))
    if breaker.until is not None and breaker.until > at:
        return Room(0)
    return Room(1, items=1)


def after(
    breaker: Breaker, told: Outcomes, *, cap: int, at: datetime, rng: random.Random
) -> Breaker:
    """Return the breaker after some calls have ended; failures count as the newest."""
    if breaker.state == "closed":
        return _after_closed(breaker, told, cap=cap, at=at, rng=rng)
    if told.failed:
        # What was under way when it opened tells nothing new.
        still_shut = breaker.until is not None and breaker.until > at
        return breaker if still_shut else _opened(breaker, at, rng)
    return _after_success(breaker, told.ok, at)


def _after_closed(
    breaker: Breaker, told: Outcomes, *, cap: int, at: datetime, rng: random.Random
) -> Breaker:
    counted = _counted(breaker, told, at)
    if _too_many(counted):
        return _opened(counted, at, rng)
    if not breaker.ramp or not told.ok + told.failed:
        return counted
    ramp = max(breaker.ramp // 2, 1) if told.failed else breaker.ramp * 2
    if ramp >= cap:
        return replace(counted, ramp=0, opened=0)
    return replace(counted, ramp=ramp)


def _counted(breaker: Breaker, told: Outcomes, at: datetime) -> Breaker:
    """Count a window from its first failure: while all goes well nothing changes."""
    failures = (0 if told.ok else breaker.failures) + told.failed
    since = breaker.window_since
    if since is None or at - since >= timedelta(seconds=WINDOW_S):
        begins = bool(told.failed)
        return replace(
            breaker,
            failures=failures,
            window_since=at if begins else None,
            window_calls=told.ok + told.failed if begins else 0,
            window_failed=told.failed,
        )
    return replace(
        breaker,
        failures=failures,
        window_calls=breaker.window_calls + told.ok + told.failed,
        window_failed=breaker.window_failed + told.failed,
    )


def _too_many(breaker: Breaker) -> bool:
    if breaker.failures >= MAX_IN_A_ROW:
        return True
    enough = breaker.window_calls >= MIN_CALLS
    return enough and (breaker.window_failed >= MAX_FAILED_SHARE * breaker.window_calls)


def _opened(breaker: Breaker, at: datetime, rng: random.Random) -> Breaker:
    wait_s = min(FIRST_WAIT_S * 2 ** min(breaker.opened, 10), LONGEST_WAIT_S)
    # Never sooner than it says; two connections of one vendor come back apart.
    wait_s = min(wait_s * (1 + rng.random() / 5), LONGEST_WAIT_S)
    until = at + timedelta(seconds=wait_s)
    return Breaker(state="open", until=until, opened=breaker.opened + 1)


def _after_success(breaker: Breaker, ok: int, at: datetime) -> Breaker:
    """Count towards closing; what was under way when it opened does not count."""
    if not ok or (breaker.until is not None and breaker.until > at):
        return breaker
    successes = breaker.successes + ok
    if successes < SUCCESSES_TO_CLOSE:
        return replace(breaker, state="half", successes=successes)
    return Breaker(opened=breaker.opened, ramp=1)

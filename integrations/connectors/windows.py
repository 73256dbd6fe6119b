"""Counts the calls of an account in rolling windows, for the threads of one process.

`shared_windows` counts them for all processes by the same rules.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

# After an urgent call the others leave its reserve free for this many windows.
RESERVED_WINDOWS = 2
# How long others step back for an urgent call that waits.
STEP_BACK_S = 0.05
# After a refusal calls go one at a time at first, so that one of them is refused when
# the limit is still used up, and not as many as there are workers.
WARY_S = 2.0
WARY_CALLS = 4


@dataclass(frozen=True, slots=True)
class Window:
    """At most `amount` calls in any `per_s` seconds; `left_over` while urgent calls
    are about, for those that are not urgent."""

    amount: int
    per_s: float
    left_over: int


@dataclass(frozen=True, slots=True)
class Request:
    """A call that wants to go. scope: the account; cost: calls it counts as."""

    scope: str
    bucket: str
    windows: Sequence[Window]
    urgent: bool
    cost: int = 1

    @property
    def keep_s(self) -> float:
        """How long calls are remembered."""
        return max((one.per_s for one in self.windows), default=0)


class Store(Protocol):
    """Where calls are counted."""

    def take(self, request: Request) -> float:
        """Count a call that may go and return 0.0, else the seconds to wait."""

    def hold(
        self, scope: str, bucket: str, wait_s: float, *, wary: bool = False
    ) -> None:
        """Let nothing go for a while; never shortens a longer hold.

        wary: what goes after that goes one at a time at first.
        """


def wary_s(wait_s: float) -> float:
    """Return how long calls go one at a time after a hold."""
    return min(wait_s, WARY_S)


@dataclass(slots=True)
class _Bucket:
    calls: list[float] = field(default_factory=list)
    held_until: float = 0.0
    urgent_until: float = 0.0
    stepping_back_until: float = 0.0
    # Calls go `gap_s` apart until then, and the next one not before.
    wary_until: float = 0.0
    gap_s: float = 0.0
    next_at: float = 0.0

    def held_s(self, now: float) -> float:
        """Return how long nothing goes, 0.0 when a call may."""
        until = max(self.held_until, self.next_at if self.wary_until > now else 0.0)
        return max(until - now, 0.0)


class LocalStore:
    """Counts for the threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, request: Request) -> float:
        """Count a call that may go and return 0.0, else the seconds to wait."""
        now = time.monotonic()
        place = (request.scope, request.bucket)
        with self._lock:
            known = self._buckets.setdefault(place, _Bucket())
            every = self._buckets.get((request.scope, ""), known)
            wait_s = every.held_s(now) or _take(known, request, now)
            if not wait_s:
                known.next_at, every.next_at = now + known.gap_s, now + every.gap_s
            return wait_s

    def hold(
        self, scope: str, bucket: str, wait_s: float, *, wary: bool = False
    ) -> None:
        """Let nothing go for a while; never shortens a longer hold."""
        until = time.monotonic() + wait_s
        with self._lock:
            known = self._buckets.setdefault((scope, bucket), _Bucket())
            known.held_until = max(known.held_until, until)
            if wary:
                known.gap_s = wary_s(wait_s) / WARY_CALLS
                known.wary_until = max(known.wary_until, until + wary_s(wait_s))


def _take(known: _Bucket, request: Request, now: float) -> float:
    if wait_s := known.held_s(now):
        return wait_s
    if not request.urgent and known.stepping_back_until > now:
        return STEP_BACK_S
    gone = bisect_right(known.calls, now - request.keep_s)
    del known.calls[:gone]
    reserved = not request.urgent and known.urgent_until > now
    wait_s = 0.0
    for one in request.windows:
        room = (one.left_over if reserved else one.amount) - request.cost
        wait_s = max(wait_s, _wait_s(known.calls, room, one.per_s, now))
    if request.urgent:
        known.stepping_back_until = now + wait_s + STEP_BACK_S if wait_s else 0.0
        known.urgent_until = now + RESERVED_WINDOWS * request.keep_s
    if not wait_s:
        known.calls += [now] * request.cost
    return wait_s


def _wait_s(calls: Sequence[float], room: int, per_s: float, now: float) -> float:
    """Return when at most `room` calls are within the window, in seconds."""
    first = bisect_right(calls, now - per_s)
    over = len(calls) - first - room
    if over <= 0:
        return 0.0
    # What costs more than the window holds waits for all of it.
    place = min(first + over, len(calls)) - 1
    until = calls[place] if place >= first else now
    return max(until + per_s - now, 0.001)

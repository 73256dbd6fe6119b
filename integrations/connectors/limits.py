"""One call budget for all workers of a connection, shared by urgent and other work.

A moving window in Redis where there is one, in this process where there is none.
What the vendor's headers say wins over what its documents say. Whoever works for a lane
says so with `in_lane`; what says nothing is urgent.
"""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Protocol

from redis import RedisError

from integrations.connectors import daily
from integrations.connectors.daily import Daily
from integrations.connectors.shared_windows import LOCAL, store_at
from integrations.connectors.spec import DailyHeaders, RateHeaders, RateLimit
from integrations.connectors.windows import Request, Window

logger = logging.getLogger(__name__)

URGENT = 0
# What is left of each burst window for urgent calls while there are any.
RESERVE_SHARE = 0.1
# How much faster than its even share work that is not urgent may go, so that it does
# not use a window up at once and an urgent call finds a gap soon.
_PACE = 1.1
# A window is counted as that much longer: a call may be under way for longer than a
# later one, so that more of them arrive within the vendor's window than left in ours.
_SLACK_S = 0.25
_STORE_RETRY_S = 30.0
_TELL_EVERY_S = 5.0

_lane: ContextVar[int] = ContextVar("lane", default=URGENT)


@contextlib.contextmanager
def in_lane(lane: int) -> Iterator[None]:
    """Make this thread's calls count as those of a lane; 0 is the urgent one."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


def current_lane() -> int:
    """Return the lane this thread works for."""
    return _lane.get()


class Limiter(Protocol):
    """What HttpClient asks before, and tells after, each call."""

    def acquire(self, bucket: str, cost: int = 1) -> float:
        """Return 0.0 when the call may go, else the seconds to wait and ask again."""

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from a response's headers (names are matched without case)."""

    def hold(self, bucket: str, wait_s: float) -> None:
        """Let nothing go for as long as a refusal said; bucket "" is all of them."""


class Unlimited:
    """A Limiter that never waits, for vendors and tests without limits."""

    def acquire(self, bucket: str, cost: int = 1) -> float:
        return 0.0

    def observe(self, headers: Mapping[str, str]) -> None:
        return None

    def hold(self, bucket: str, wait_s: float) -> None:
        return None


class Budget:
    """The windows of one connection; `scope` is shared by everyone who uses it.

    `redis_url` None keeps the windows in this process. When the store fails, the
    budget goes on with this process's own window and says so once. `on_daily` is told
    the daily budget now and then, with the scope; it must not raise.
    """

    def __init__(
        self,
        limits: Sequence[RateLimit],
        *,
        scope: str,
        redis_url: str | None = None,
        rate_headers: Sequence[RateHeaders] = (),
        daily_headers: DailyHeaders | None = None,
        on_daily: Callable[[str, Daily], None] | None = None,
    ) -> None:
        self._scope = scope
        self._url = redis_url or LOCAL
        self._rate_headers = tuple(rate_headers)
        self._daily_headers = daily_headers
        self._on_daily = on_daily
        self._lock = threading.Lock()
        self._amounts: dict[str, dict[int, int]] = {}
        self._windows: dict[tuple[str, bool], tuple[Window, ...]] = {}
        self._store_down_until = 0.0
        self._daily: Daily | None = None
        self._daily_seen = self._daily_told = -math.inf
        for limit in limits:
            self._amounts.setdefault(limit.bucket, {})[limit.per_s] = limit.amount

    @property
    def daily(self) -> Daily | None:
        """The daily budget as this process saw it last, None before it has."""
        return self._daily

    def acquire(self, bucket: str, cost: int = 1) -> float:
        """Return 0.0 when the call may go, else the seconds to wait and ask again."""
        urgent = current_lane() == URGENT
        if not urgent and (wait_s := self._kept_for_urgent_s()):
            return wait_s
        windows = self._windows_of(bucket, urgent=urgent)
        return self._take(Request(self._scope, bucket, windows, urgent, cost))

    def hold(self, bucket: str, wait_s: float) -> None:
        """Let nothing go for as long as a refusal said; bucket "" is all of them."""
        self._hold(bucket, wait_s, wary=True)

    def _hold(self, bucket: str, wait_s: float, *, wary: bool) -> None:
        if self._store_is_up():
            try:
                return store_at(self._url).hold(self._scope, bucket, wait_s, wary=wary)
            except RedisError:
                self._mark_store_down()
        return store_at(LOCAL).hold(self._scope, bucket, wait_s, wary=wary)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take over the limit the vendor names; pause when it says none are left."""
        lower = {name.lower(): value for name, value in headers.items()}
        for known in self._rate_headers:
            amount = _number(lower.get(known.amount.lower()))
            interval_ms = _number(lower.get(known.interval_ms.lower()))
            if amount and interval_ms and interval_ms >= 1000:
                self._relearn(known.bucket, amount, interval_ms // 1000)
            if interval_ms and _number(lower.get(known.remaining.lower())) == 0:
                # A tenth of the window: it rolls, so some calls are free again by
                # then; waiting for all of it would leave most of it unused.
                self._hold(known.bucket, interval_ms / 1000 / 10, wary=False)
        if self._daily_headers is not None:
            self._observe_daily(daily.read(lower, self._daily_headers))

    # --- the day ----------------------------------------------------------------------

    def _observe_daily(self, told: Daily | None) -> None:
        if told is None:
            return
        now = time.monotonic()
        self._daily, self._daily_seen = told, now
        if self._on_daily is None or now - self._daily_told < _TELL_EVERY_S:
            return
        self._daily_told = now
        self._on_daily(self._scope, told)

    def _kept_for_urgent_s(self) -> float:
        """Return how long the rest of the day's budget is kept for urgent calls."""
        if self._daily is None or not self._daily.batch_stops:
            return 0.0
        left_s = daily.STALE_S - (time.monotonic() - self._daily_seen)
        if left_s > 0:
            return left_s
        # One call asks whether it is a new day; the others wait for its answer.
        self._daily_seen = time.monotonic()
        return 0.0

    # --- windows ----------------------------------------------------------------------

    def _windows_of(self, bucket: str, *, urgent: bool) -> tuple[Window, ...]:
        found = self._windows.get((bucket, urgent))
        if found is None:
            amounts = self._amounts.get(bucket, {})
            found = tuple(
                window
                for per_s, amount in amounts.items()
                for window in _shared_out(
                    self._usable(bucket, amount), per_s, urgent=urgent
                )
            )
            self._windows[bucket, urgent] = found
        return found

    def _usable(self, bucket: str, amount: int) -> int:
        """Leave one where the vendor tells what remains: none left is to mean that
        others use the account as well."""
        told = any(one.bucket == bucket and one.remaining for one in self._rate_headers)
        return max(amount - 1, 1) if told else amount

    def _relearn(self, bucket: str, amount: int, per_s: int) -> None:
        with self._lock:
            known = self._amounts.setdefault(bucket, {})
            if known.get(per_s) == amount:
                return
            known[per_s] = amount
            for urgent in (True, False):
                self._windows.pop((bucket, urgent), None)

    # --- the store --------------------------------------------------------------------

    def _take(self, request: Request) -> float:
        if self._store_is_up():
            try:
                wait_s = store_at(self._url).take(request)
            except RedisError:
                self._mark_store_down()
            else:
                self._store_down_until = 0.0
                return wait_s
        return store_at(LOCAL).take(request)

    def _store_is_up(self) -> bool:
        return self._url != LOCAL and time.monotonic() >= self._store_down_until

    def _mark_store_down(self) -> None:
        if not self._store_down_until:
            logger.warning(
                "rate limit store unreachable, counting in this process alone",
                extra={"scope": self._scope},
            )
        self._store_down_until = time.monotonic() + _STORE_RETRY_S


def _shared_out(amount: int, per_s: int, *, urgent: bool) -> Iterator[Window]:
    """Yield a window for one kind of work; what is not urgent is paced within it."""
    reserve = max(math.ceil(amount * RESERVE_SHARE), 1)
    counted_s = per_s + _SLACK_S
    yield Window(amount, counted_s, max(amount - reserve, 1))
    if not urgent and per_s > 1:
        pace = max(math.ceil(amount / counted_s * _PACE), 1)
        yield Window(pace, 1, pace)


@lru_cache(maxsize=1024)
def shared_budget(
    scope: str,
    redis_url: str | None,
    limits: tuple[RateLimit, ...],
    rate_headers: tuple[RateHeaders, ...],
    daily_headers: DailyHeaders | None = None,
    on_daily: Callable[[str, Daily], None] | None = None,
) -> Budget:
    """Return this process's one Budget of a scope, so that what it learnt stays."""
    return Budget(
        limits,
        scope=scope,
        redis_url=redis_url,
        rate_headers=rate_headers,
        daily_headers=daily_headers,
        on_daily=on_daily,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None

"""One call budget for all workers of a connection.

A moving window in Redis where there is one, in this process where there is none.
What the vendor's headers say wins over what its documents say.
"""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from integrations.connectors.spec import RateHeaders, RateLimit

logger = logging.getLogger(__name__)

_STORE_RETRY_S = 30.0
_LOCAL_URL = "memory://"


class Limiter(Protocol):
    """What HttpClient asks before, and tells after, each call."""

    def acquire(self, bucket: str, cost: int = 1) -> float:
        """Return 0.0 when the call may go, else the seconds to wait and ask again."""

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from a response's headers (names are matched without case)."""


class Unlimited:
    """A Limiter that never waits, for vendors and tests without limits."""

    def acquire(self, bucket: str, cost: int = 1) -> float:
        return 0.0

    def observe(self, headers: Mapping[str, str]) -> None:
        return None


class _Window(RateLimitItemPerSecond):
    """A window counted under its length alone, so that a corrected amount goes on
    with the calls already counted."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return "/".join(["crmsync", *map(str, identifiers), str(self.multiples)])


@lru_cache(maxsize=16)
def _limiter(url: str) -> MovingWindowRateLimiter:
    """One storage per process and URL: a pool of sockets, or the shared memory."""
    if url == _LOCAL_URL:
        return MovingWindowRateLimiter(MemoryStorage())
    # No retries in the client: its back-off takes seconds, and without the store
    # we count alone at once.
    pool = ConnectionPool.from_url(
        re.sub(r"^redis\+(socket|unix)://", "unix://", url),
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )
    storage = RedisStorage("redis://", connection_pool=pool, wrap_exceptions=True)
    return MovingWindowRateLimiter(storage)


class Budget:
    """The windows of one connection; `scope` is shared by everyone who uses it.

    `redis_url` None keeps the windows in this process. When the store fails, the
    budget goes on with this process's own window and says so once.
    """

    def __init__(
        self,
        limits: Sequence[RateLimit],
        *,
        scope: str,
        redis_url: str | None = None,
        rate_headers: Sequence[RateHeaders] = (),
    ) -> None:
        self._scope = scope
        self._url = redis_url or _LOCAL_URL
        self._rate_headers = tuple(rate_headers)
        self._lock = threading.Lock()
        self._windows: dict[str, list[_Window]] = {}
        self._blocked_until: dict[str, float] = {}
        self._store_down_until = 0.0
        for limit in limits:
            item = _Window(_usable(limit.amount), limit.per_s)
            self._windows.setdefault(limit.bucket, []).append(item)

    def acquire(self, bucket: str, cost: int = 1) -> float:
        """Return 0.0 when the call may go, else the seconds to wait and ask again."""
        blocked = self._blocked_until.get(bucket, 0.0) - time.monotonic()
        if blocked > 0:
            return blocked
        for item in self._windows.get(bucket, ()):
            if wait_s := self._hit(item, bucket, cost):
                return wait_s
        return 0.0

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
                self._block(known.bucket, interval_ms / 1000 / 10)

    def _relearn(self, bucket: str, amount: int, per_s: int) -> None:
        told = _Window(_usable(amount), per_s)
        with self._lock:
            others = [
                item
                for item in self._windows.get(bucket, [])
                if item.get_expiry() != per_s
            ]
            self._windows[bucket] = [told, *others]

    def _block(self, bucket: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._blocked_until[bucket] = max(until, self._blocked_until.get(bucket, 0.0))

    def _hit(self, item: _Window, bucket: str, cost: int) -> float:
        if self._url != _LOCAL_URL and time.monotonic() >= self._store_down_until:
            try:
                wait_s = self._hit_in(self._url, item, bucket, cost)
            except StorageError:
                self._mark_store_down()
            else:
                self._store_down_until = 0.0
                return wait_s
        return self._hit_in(_LOCAL_URL, item, bucket, cost)

    def _hit_in(self, url: str, item: _Window, bucket: str, cost: int) -> float:
        limiter = _limiter(url)
        if limiter.hit(item, self._scope, bucket, cost=cost):
            return 0.0
        stats = limiter.get_window_stats(item, self._scope, bucket)
        return max(stats.reset_time - time.time(), 0.05)

    def _mark_store_down(self) -> None:
        if not self._store_down_until:
            logger.warning(
                "rate limit store unreachable, counting in this process alone",
                extra={"scope": self._scope},
            )
        self._store_down_until = time.monotonic() + _STORE_RETRY_S


@lru_cache(maxsize=1024)
def shared_budget(
    scope: str,
    redis_url: str | None,
    limits: tuple[RateLimit, ...],
    rate_headers: tuple[RateHeaders, ...],
) -> Budget:
    """Return this process's one Budget of a scope, so that what it learnt stays."""
    return Budget(limits, scope=scope, redis_url=redis_url, rate_headers=rate_headers)


def _usable(amount: int) -> int:
    """Leave a fiftieth, at least one: a call may arrive sooner after the one before
    than it left here, so that the vendor counts one more in its window."""
    return max(amount - max(amount // 50, 1), 1)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None

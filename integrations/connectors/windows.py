"""Counts the calls of an account in rolling windows, for one process or for all.

Every worker asks the same store before each call. One store is this process's memory,
the other a Redis or Valkey, where one script looks and counts in a single step.
"""

from __future__ import annotations

import math
import re
import secrets
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

# The address of this process's own memory.
LOCAL = "memory://"
# After an urgent call the others leave its reserve free for this many windows.
RESERVED_WINDOWS = 2
# How long others step back for an urgent call that waits.
STEP_BACK_S = 0.05


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

    def hold(self, scope: str, bucket: str, wait_s: float) -> None:
        """Let nothing go for a while; never shortens a longer hold."""


# --- in this process ------------------------------------------------------------------


@dataclass(slots=True)
class _Bucket:
    calls: list[float] = field(default_factory=list)
    held_until: float = 0.0
    urgent_until: float = 0.0
    stepping_back_until: float = 0.0


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
            everything = self._buckets.get((request.scope, ""))
            if everything is not None and everything.held_until > now:
                return everything.held_until - now
            return _take(self._buckets.setdefault(place, _Bucket()), request, now)

    def hold(self, scope: str, bucket: str, wait_s: float) -> None:
        """Let nothing go for a while; never shortens a longer hold."""
        until = time.monotonic() + wait_s
        with self._lock:
            known = self._buckets.setdefault((scope, bucket), _Bucket())
            known.held_until = max(known.held_until, until)


def _take(known: _Bucket, request: Request, now: float) -> float:
    if known.held_until > now:
        return known.held_until - now
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


# --- shared by all processes ----------------------------------------------------------

# KEYS: calls, held, held for the whole scope, urgent, stepping back.
# ARGV: urgent, cost, keep_ms, reserved_ms, step_back_ms, a name for the call that no
# other has, then amount, left over and milliseconds of each window.
# Answers milliseconds.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local held = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if held > 0 then return held end
local urgent, cost, keep = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
local step_back = tonumber(ARGV[5])
if not urgent and redis.call('EXISTS', KEYS[5]) == 1 then return step_back end
local reserved = not urgent and redis.call('EXISTS', KEYS[4]) == 1
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - keep)
local wait = 0
for i = 7, #ARGV, 3 do
  local allowed = tonumber(reserved and ARGV[i + 1] or ARGV[i])
  local since = '(' .. string.format('%.3f', now - ARGV[i + 2])
  local over = redis.call('ZCOUNT', KEYS[1], since, '+inf') + cost - allowed
  if over > 0 then
    local first = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES',
      'LIMIT', over - 1, 1)
    local freed = (first[2] and tonumber(first[2]) or now) + ARGV[i + 2]
    wait = math.max(wait, math.ceil(freed - now), 1)
  end
end
if urgent and keep > 0 then
  redis.call('SET', KEYS[4], 1, 'PX', ARGV[4])
  if wait > 0 then
    redis.call('SET', KEYS[5], 1, 'PX', wait + step_back)
  else
    redis.call('DEL', KEYS[5])
  end
end
if wait == 0 and keep > 0 then
  for i = 1, cost do
    redis.call('ZADD', KEYS[1], string.format('%.3f', now), ARGV[6] .. ':' .. i)
  end
  redis.call('PEXPIRE', KEYS[1], keep)
end
return wait
"""
_HOLD = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
end
"""


class SharedStore:
    """Counts in a Redis or Valkey for everyone who uses it, by its clock.

    Raises redis.RedisError while it cannot be reached, within a second.
    """

    def __init__(self, url: str) -> None:
        client = Redis(connection_pool=_pool(url))
        self._take = client.register_script(_TAKE)
        self._hold = client.register_script(_HOLD)

    def take(self, request: Request) -> float:
        """Count a call that may go and return 0.0, else the seconds to wait."""
        names = ("calls", "held", "urgent", "step-back")
        calls, held, urgent, step_back = (
            _key(request.scope, request.bucket, name) for name in names
        )
        keep_ms = int(request.keep_s * 1000)
        limits = [
            number
            for one in request.windows
            for number in (one.amount, one.left_over, int(one.per_s * 1000))
        ]
        wait_ms = self._take(
            keys=[calls, held, _key(request.scope, "", "held"), urgent, step_back],
            args=[
                int(request.urgent),
                request.cost,
                keep_ms,
                max(keep_ms * RESERVED_WINDOWS, 1),
                int(STEP_BACK_S * 1000),
                secrets.token_hex(8),
                *limits,
            ],
        )
        return float(wait_ms) / 1000

    def hold(self, scope: str, bucket: str, wait_s: float) -> None:
        """Let nothing go for a while; never shortens a longer hold."""
        wait_ms = max(math.ceil(wait_s * 1000), 1)
        self._hold(keys=[_key(scope, bucket, "held")], args=[wait_ms])


def _key(scope: str, bucket: str, name: str) -> str:
    # The braces keep an account's keys on one node of a cluster.
    return f"crmsync/{{{scope}}}/{bucket}/{name}"


@lru_cache(maxsize=16)
def _pool(url: str) -> ConnectionPool:
    # No retries in the client: its back-off takes seconds, and without the store
    # we count alone at once.
    return ConnectionPool.from_url(
        re.sub(r"^redis\+(socket|unix)://", "unix://", url),
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )


@lru_cache(maxsize=16)
def store_at(url: str) -> Store:
    """Return this process's one store at an address; LOCAL for its own memory."""
    return LocalStore() if url == LOCAL else SharedStore(url)

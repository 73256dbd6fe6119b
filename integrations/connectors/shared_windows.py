"""Counts the calls of an account in rolling windows, for all processes.

Every worker asks the same store before each call: a Redis or Valkey, where one script
looks and counts in a single step, or this process's memory where there is none.
"""

from __future__ import annotations

import math
import re
import secrets
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from integrations.connectors.windows import (
    RESERVED_WINDOWS,
    STEP_BACK_S,
    WARY_CALLS,
    LocalStore,
    Request,
    Store,
    wary_s,
)

# The address of this process's own memory.
LOCAL = "memory://"

# KEYS: calls, held, held for the whole scope, urgent, stepping back, then wary and the
# next call's time for the bucket and for the whole scope.
# ARGV: urgent, cost, keep_ms, reserved_ms, step_back_ms, a name for the call that no
# other has, then amount, left over and milliseconds of each window.
# Answers milliseconds.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local held = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if held > 0 then return held end
local wary = redis.call('EXISTS', KEYS[6], KEYS[8]) > 0
if wary then
  local next_in = math.max(redis.call('PTTL', KEYS[7]), redis.call('PTTL', KEYS[9]))
  if next_in > 0 then return next_in end
end
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
if wait == 0 and wary then
  for i = 6, 8, 2 do
    local gap = redis.call('GET', KEYS[i])
    if gap then redis.call('SET', KEYS[i + 1], 1, 'PX', gap) end
  end
end
return wait
"""
# KEYS: held, wary. ARGV: milliseconds of the hold and of what follows it, and between
# two calls then; 0 when nothing follows.
_HOLD = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
end
local wary = tonumber(ARGV[1]) + tonumber(ARGV[2])
if tonumber(ARGV[3]) > 0 and redis.call('PTTL', KEYS[2]) < wary then
  redis.call('SET', KEYS[2], ARGV[3], 'PX', wary)
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
        wary = [
            _key(request.scope, bucket, name)
            for bucket in (request.bucket, "")
            for name in ("wary", "next")
        ]
        every_held = _key(request.scope, "", "held")
        wait_ms = self._take(
            keys=[calls, held, every_held, urgent, step_back, *wary],
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

    def hold(
        self, scope: str, bucket: str, wait_s: float, *, wary: bool = False
    ) -> None:
        """Let nothing go for a while; never shortens a longer hold."""
        wait_ms = max(math.ceil(wait_s * 1000), 1)
        wary_ms = max(int(wary_s(wait_s) * 1000), WARY_CALLS) if wary else 0
        self._hold(
            keys=[_key(scope, bucket, "held"), _key(scope, bucket, "wary")],
            args=[wait_ms, wary_ms, wary_ms // WARY_CALLS],
        )


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

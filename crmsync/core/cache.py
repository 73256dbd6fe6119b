"""The shared cache, failing open: a broker that is away locks nobody out."""

from __future__ import annotations

from typing import Any

from django_redis.cache import RedisCache


class OpenRedisCache(RedisCache):
    """A Redis cache whose locks are free while it cannot be reached.

    With exceptions ignored, `add` answers None when the server is away. Read as
    "taken", as by the rate limit of the sign-in, it would refuse everyone.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Store a value that is not there yet; True when nothing could be asked."""
        added = super().add(*args, **kwargs)
        return True if added is None else bool(added)

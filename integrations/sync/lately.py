"""Which records something was done to within the last hour, told by the minute.

It is kept in the cache: to forget it costs a question to a person, and no record.
"""

from __future__ import annotations

from collections.abc import Collection

from django.core.cache import cache
from django.utils import timezone

from integrations.sync.brake import WINDOW

_MINUTE_S = 60
_MINUTES = int(WINDOW.total_seconds()) // _MINUTE_S
_KEEP_S = (_MINUTES + 1) * _MINUTE_S


def note(name: str, ids: Collection[str]) -> None:
    """Remember what it is done to just now; twice is once."""
    if ids:
        key = _key(name, _minute())
        cache.set(key, {*cache.get(key, ()), *ids}, _KEEP_S)


def ids(name: str) -> set[str]:
    """Return what it was done to within the window."""
    now = _minute()
    keys = [_key(name, one) for one in range(now - _MINUTES + 1, now + 1)]
    return {one for some in cache.get_many(keys).values() for one in some}


def _minute() -> int:
    return int(timezone.now().timestamp()) // _MINUTE_S


def _key(name: str, minute: int) -> str:
    return f"lately:{name}:{minute}"

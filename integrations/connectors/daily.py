"""A vendor's daily budget: read from headers, held against the clock, foretold.

PURE: the time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.connectors.spec import DailyHeaders

# From this share on a person should know.
WARN_SHARE = 0.8
# What is kept for urgent calls; the rest of the work stops before.
RESERVE_SHARE = 0.1
# After this long one call may ask whether the day is a new one.
STALE_S = 900.0
# Too little of the day has passed to tell a rate from.
_LEAST_ELAPSED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Daily:
    """What a vendor last told of its daily budget, in calls."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of it is used, 1.0 = all."""
        return self.used / self.limit

    @property
    def batch_stops(self) -> bool:
        """Whether only urgent calls may still go."""
        return self.share >= 1 - RESERVE_SHARE


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a day will end. runs_out_at: None where the budget will do."""

    used: int
    limit: int
    share: float
    warns: bool
    batch_stops: bool
    runs_out_at: datetime | None


def read(headers: Mapping[str, str], known: DailyHeaders) -> Daily | None:
    """Read a daily budget from headers with lower-case names; None: they tell none.

    >>> facts = DailyHeaders(usage="X-Info", pattern="usage=([0-9]+)/([0-9]+)")
    >>> read({"x-info": "usage=18/5000"}, facts)
    Daily(used=18, limit=5000)
    """
    if known.usage:
        found = re.search(known.pattern, headers.get(known.usage.lower(), "")[:1000])
        return _daily(*found.groups()) if found else None
    limit = headers.get(known.limit.lower(), "")
    remaining = headers.get(known.remaining.lower(), "")
    if not (_is_number(limit) and _is_number(remaining)):
        return None
    return _daily(str(max(int(limit) - int(remaining), 0)), limit)


def _daily(used: str, limit: str) -> Daily | None:
    # A vendor's answer is not believed to make sense: columns hold 31 bits.
    if not (_is_number(used) and _is_number(limit)) or int(limit) == 0:
        return None
    return Daily(int(used), int(limit))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def forecast(
    daily: Daily, *, now: datetime, resets_at: datetime, since: datetime | None = None
) -> Forecast:
    """Foretell a day from its average so far.

    resets_at: when the count is zero again; since: when it last was, by default a day
    before that.
    """
    began = since or resets_at - timedelta(days=1)
    elapsed = now - began
    runs_out_at = None
    if daily.used >= daily.limit:
        runs_out_at = now
    elif daily.used and elapsed >= _LEAST_ELAPSED:
        at = now + elapsed * ((daily.limit - daily.used) / daily.used)
        runs_out_at = at if at < resets_at else None
    return Forecast(
        used=daily.used,
        limit=daily.limit,
        share=daily.share,
        warns=daily.share >= WARN_SHARE or runs_out_at is not None,
        batch_stops=daily.batch_stops,
        runs_out_at=runs_out_at,
    )

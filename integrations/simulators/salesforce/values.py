"""Times and dates as Salesforce writes them."""

import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache


@lru_cache(maxsize=65_536)
def iso(seconds: int) -> str:
    """Return epoch seconds as JSON bodies show them.

    >>> iso(1725976670)
    '2024-09-10T13:57:50.000+0000'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(seconds))


def iso_ms(millis: int) -> str:
    """Return epoch milliseconds, for the ground truth."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000))
    return f"{whole}.{millis % 1000:03d}Z"


@lru_cache(maxsize=65_536)
def epoch(text: str) -> int:
    """Return a date-time as epoch seconds; raises ValueError.

    >>> epoch("2024-09-10T13:57:50Z") == epoch("2024-09-10T15:57:50.900+02:00")
    True
    """
    parsed = datetime.fromisoformat(text.strip().replace(" ", "+"))
    if "T" not in text:
        raise ValueError(f"not a date-time: {text}")
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return int(parsed.timestamp())


def day(text: str) -> str:
    """Return a date as YYYY-MM-DD; raises ValueError."""
    if len(text) == 10:
        return date.fromisoformat(text).isoformat()
    return iso(epoch(text))[:10]


def today(now: float, days: int = 0) -> str:
    """Return the UTC date some days from now."""
    return (datetime.fromtimestamp(now, UTC) + timedelta(days=days)).date().isoformat()

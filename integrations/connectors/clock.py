"""Their clock against ours, learnt from the Date header of each answer.

PURE: both times are given.
"""

import email.utils
from collections import deque
from statistics import median

_KEPT = 15
# Slower exchanges do not tell when within them the header was written.
_SLOWEST_S = 5.0
# Date has whole seconds: on average it was written half a second later.
_HALF_A_SECOND = 0.5


class Clock:
    """A running estimate of a server's clock minus ours, in seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    def observe(self, date: str, *, sent_at: float, answered_at: float) -> None:
        """Learn from one answer. date: its header; times: ours, in epoch seconds."""
        took_s = answered_at - sent_at
        told = _epoch(date)
        if told is None or not 0 <= took_s <= _SLOWEST_S:
            return
        middle = (sent_at + answered_at) / 2
        self._samples.append((took_s, told + _HALF_A_SECOND - middle))

    @property
    def offset_s(self) -> float | None:
        """Return the estimate: the median of the quicker half; None until known."""
        if not self._samples:
            return None
        quickest = sorted(self._samples)[: (len(self._samples) + 1) // 2]
        return median(offset for _, offset in quickest)


def _epoch(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None

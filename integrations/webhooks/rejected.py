"""How many refused requests are kept while they arrive; see also `retention`.

A sender that is refused a thousand times a second must not fill the disk before the
next pruning.
"""

from __future__ import annotations

import time

WINDOW_S = 3600.0


class RejectedBudget:
    """Allows each endpoint so many kept refusals an hour, in this process."""

    def __init__(self) -> None:
        self._spent: dict[int, tuple[float, int]] = {}

    def allows(self, endpoint_id: int, *, per_window: int) -> bool:
        """Tell whether one more may be kept, and count it."""
        now = time.monotonic()
        began, count = self._spent.get(endpoint_id, (now, 0))
        if now - began >= WINDOW_S:
            began, count = now, 0
        self._spent[endpoint_id] = (began, count + 1)
        return count < per_window

"""How many calls' worth of records a worker takes on at a time, by how long calls take.

Taking on more at once shares the fixed cost of a turn; taking on too much would keep
what is urgent waiting. Known to the process alone: to forget it costs a short turn.
"""

from __future__ import annotations

from math import ceil

# About as long as a turn may take, and as many calls as it makes at most.
TURN_S = 1.0
MOST_CALLS = 10
# How much of the estimate the newest turn is.
_WEIGHT = 0.3

# connection -> seconds that a call has taken of late
_call_s: dict[int, float] = {}


def note(connection_id: int, records: int, batch: int, seconds: float) -> None:
    """Remember how long writing took. batch: records in a call at most."""
    took = seconds / max(ceil(records / batch), 1)
    before = _call_s.get(connection_id, took)
    # The slower of what was and what is counts at once: a turn must not get long.
    _call_s[connection_id] = max(took, before + _WEIGHT * (took - before))


def calls_at_once(connection_id: int) -> int:
    """Return for how many calls to take on records: one until the pace is known."""
    took = _call_s.get(connection_id)
    if took is None:
        return 1
    return max(1, min(MOST_CALLS, int(TURN_S / max(took, 0.001))))

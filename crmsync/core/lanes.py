"""Which lane of a channel has the next turn: the urgent first, nobody last for ever.

PURE. Each turn costs a lane the inverse of its share; the lane that has paid least is
next. An account lists what each lane has paid, None for one that had nothing to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

REALTIME, BATCH, REPLAY = LANES = (0, 1, 2)
# Turns of each lane while all of them are waiting.
SHARES = (8, 3, 1)
# Turns the urgent lane takes at once before the others get their share.
BURST_TURNS = 8

# A multiple of every share, so that all costs are whole numbers.
_UNIT = 24
_COSTS = tuple(_UNIT // share for share in SHARES)
_CREDIT = BURST_TURNS * _COSTS[REALTIME]

Account = Sequence[int | None]


def next_lane(account: Account, waiting: Collection[int]) -> int:
    """Return the lane whose turn it is among those that wait.

    >>> next_lane([], {BATCH, REALTIME})
    0
    """
    return in_order(account, waiting)[0]


def in_order(account: Account, waiting: Collection[int]) -> list[int]:
    """Return the lanes that wait, the one whose turn it is first."""
    paid = _entered(account, waiting)
    return sorted(waiting, key=lambda lane: (paid[lane], lane))


def after_turn(
    account: Account, waiting: Collection[int], lane: int, *, calls: int = 1
) -> list[int | None]:
    """Return the account after a turn of `lane`, one of those that wait.

    calls: how many it makes; it counts as that many turns.
    """
    paid = _entered(account, waiting)
    paid[lane] += _COSTS[lane] * calls
    low = min(paid.values())
    return [paid[one] - low if one in paid else None for one in LANES]


def _entered(account: Account, waiting: Collection[int]) -> dict[int, int]:
    """Let in those that come to wait: without credit, but for the urgent lane."""
    before = {
        lane: paid
        for lane, paid in enumerate(account)
        if paid is not None and lane in waiting
    }
    level = min(before.values(), default=0)
    fresh = {lane: level for lane in waiting if lane not in before}
    if REALTIME in fresh:
        fresh[REALTIME] -= _CREDIT
    return before | fresh

"""What an engagement is worth: a function of the rule and of what was given before."""

from __future__ import annotations


def award(points: int, *, cap: int | None, given: int) -> int:
    """Return the points to add now.

    cap: at most so many from this rule, None for no limit; given: so many were.

    >>> award(20, cap=50, given=40), award(20, cap=None, given=400)
    (10, 20)
    """
    if cap is None or points <= 0:
        return points
    return max(0, min(points, cap - given))

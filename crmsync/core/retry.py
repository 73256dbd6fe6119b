"""When failed work is tried again, or never: a function of its error class."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MINUTE_S = 60
HOUR_S = 3600

# Waits before the second, third ... try; together they outlast a day of outage.
TRANSIENT_WAITS_S = (
    5,
    30,
    2 * MINUTE_S,
    10 * MINUTE_S,
    30 * MINUTE_S,
    HOUR_S,
    2 * HOUR_S,
    4 * HOUR_S,
    8 * HOUR_S,
    10 * HOUR_S,
)
# Long enough for a vendor to finish what it may have begun, then look again.
UNKNOWN_WAITS_S = (5, 10, 30, 60, 5 * MINUTE_S, 30 * MINUTE_S, HOUR_S, 4 * HOUR_S)

# Classes absent here are never tried again by themselves.
WAITS_S: Mapping[str, tuple[int, ...]] = {
    "transient": TRANSIENT_WAITS_S,
    "unknown": UNKNOWN_WAITS_S,
    "bug": (10,),
}

# Not the record's fault: the whole channel waits and no attempt is used.
CHANNEL_CLASSES = frozenset({"throttled", "auth"})

# However many tries were used up: an outage of a day must not cost a record.
PATIENCE_S: Mapping[str, int] = {"transient": 24 * HOUR_S}


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `wait_s` seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Park:
    """Do not try again until a person has looked."""

    reason: Literal["never", "used_up"]


def decide(
    error_class: str, *, attempts: int, rng: random.Random, failing_s: float = 0.0
) -> Again | Park:
    """Decide what follows a failure.

    attempts: tries made so far, this one included (>= 1); failing_s: since the first of
    them failed. The wait is jittered between 50 and 100 % of its step, so that what
    failed together does not return together.

    >>> decide("rejected", attempts=1, rng=random.Random(1))
    Park(reason='never')
    """
    waits = WAITS_S.get(error_class)
    if waits is None:
        return Park("never")
    left_s = PATIENCE_S.get(error_class, 0) - failing_s
    if attempts > len(waits) and left_s <= 0:
        return Park("used_up")
    step_s = waits[min(attempts, len(waits)) - 1]
    if attempts > len(waits):
        step_s = min(step_s, max(int(left_s), MINUTE_S))
    return Again(step_s * (0.5 + rng.random() / 2))

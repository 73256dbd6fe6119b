"""Tells a person's change in a CRM from an old picture of it, or from our own echo.

PURE. A CRM's search may still show what was there before our last write; taking that
for news would undo the write. Times are the CRM's clock, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Stamps of whole seconds, and a clock that is known to about a second.
MARGIN = timedelta(seconds=2)
# Without any idea of the CRM's clock.
UNSURE = timedelta(minutes=5)
KEEP = timedelta(hours=24)
MAX_KEPT = 5

# field -> [[value of ours that a newer one of ours replaced, when it was replaced]]
Written = Mapping[str, Sequence[Sequence[object]]]

FLIPS = 4
FLIP_WINDOW = timedelta(minutes=10)
FLIP_VALUES = 3


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An echo that was recognised, and what is left to expect of its field."""

    left: list[list[object]]


def is_stale(stamp: datetime | None, seen: datetime | None) -> bool:
    """Tell whether a record is older than what was already seen or made of it."""
    return stamp is not None and seen is not None and stamp < seen


def version_after_write(
    stamp: datetime | None, written_at: datetime, offset_s: float | None
) -> datetime:
    """Return the stamp below which a picture of the record predates our write.

    stamp: what the CRM answered, if it did; written_at: our clock, before the call;
    offset_s: their clock minus ours.
    """
    if stamp is not None:
        return stamp
    if offset_s is None:
        return written_at - UNSURE
    return written_at + timedelta(seconds=offset_s) - MARGIN


def remember(
    written: Written, replaced: Mapping[str, str], at: datetime
) -> dict[str, list[list[object]]]:
    """Return what to expect after our values `replaced` gave way to newer ones."""
    oldest = (at - KEEP).timestamp()
    kept = {
        name: [list(one) for one in entries if _time(one) >= oldest]
        for name, entries in written.items()
    }
    for name, value in replaced.items():
        entries = [one for one in kept.get(name, []) if one[0] != value]
        kept[name] = [*entries, [value, at.timestamp()]][-MAX_KEPT:]
    return {name: entries for name, entries in kept.items() if entries}


def own_echo(
    entries: Sequence[Sequence[object]], value: str, stamp: datetime | None
) -> Suppressed | None:
    """Recognise an older write of ours, once; None for a person's change.

    A record stamped after we had replaced the value was changed by somebody since,
    be it to the same value again: that is never suppressed.
    """
    for entry in entries:
        if entry[0] == value and _before(stamp, _time(entry)):
            return Suppressed([list(one) for one in entries if one is not entry])
    return None


def _before(stamp: datetime | None, replaced_at: float) -> bool:
    # Without a stamp nothing shows that it is old: better a change twice than lost.
    if stamp is None:
        return False
    return stamp.timestamp() <= replaced_at + MARGIN.total_seconds()


def _time(entry: Sequence[object]) -> float:
    return float(entry[1])  # type: ignore[arg-type]


def turned(
    turns: Sequence[Sequence[object]], value: str, at: datetime
) -> tuple[list[list[object]], bool]:
    """Note that a field came in as `value`; tell whether two sides fight over it.

    They do when it turned more than FLIPS times within FLIP_WINDOW among a few values.
    """
    oldest = (at - FLIP_WINDOW).timestamp()
    recent = [list(one) for one in turns if _time(one) >= oldest]
    if not recent or recent[-1][0] != value:
        # The same again is no turn: an overlap shows a record at every poll.
        recent.append([value, at.timestamp()])
    fights = len(recent) > FLIPS and len({str(one[0]) for one in recent}) <= FLIP_VALUES
    return recent[-(FLIPS + 1) :], fights

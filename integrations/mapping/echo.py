"""Tells a person's change in a CRM from an old picture of it, or from our own echo.

PURE. A CRM's search may still show what was there before our last write; taking that
for news would undo the write. Times are the CRM's clock, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# Stamps of whole seconds, and a clock that is known to about a second.
MARGIN = timedelta(seconds=2)
# Without any idea of the CRM's clock.
UNSURE = timedelta(minutes=5)
KEEP = timedelta(hours=24)
MAX_KEPT = 5

# field -> [[value of ours that a newer one of ours replaced, when it was replaced, and
# True once a record has shown it since]]
Written = Mapping[str, Sequence[Sequence[object]]]

FLIPS = 4
FLIP_WINDOW = timedelta(minutes=10)
FLIP_VALUES = 3

# More answers in a row than this, to what we wrote, are an automation's.
HOPS = 2
# How much one counts that came so soon after our write (s): within seconds it can only
# be a machine's, what takes minutes may be a person's.
_ANSWERS = ((10, 1.0), (60, 0.5), (15 * 60, 0.2))

# [value a field came in as, when, how many answers in a row it was the last of]
Turns = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An echo that was recognised, and what is to expect of its field from now on."""

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
    entries: Sequence[Sequence[object]],
    value: str,
    stamp: datetime | None,
    *,
    read_at: datetime | None = None,
) -> Suppressed | None:
    """Recognise an older write of ours, once; None for a person's change.

    A record stamped after we had replaced the value was changed by somebody since,
    be it to the same value again: that is never suppressed. What was read before we had
    replaced it is old however often it comes, such as by a poll and by a fetch.
    read_at: when the reading began, on our clock; None = just now.
    """
    if stamp is None:
        # Nothing shows that it is old: better a change twice than lost.
        return None
    for entry in entries:
        is_expected = len(entry) < 3 or (
            read_at is not None and read_at.timestamp() < _time(entry)
        )
        if entry[0] == value and is_expected and _before(stamp, _time(entry)):
            known = [value, entry[1], True]
            return Suppressed([known if e is entry else list(e) for e in entries])
    return None


def _before(stamp: datetime, replaced_at: float) -> bool:
    return stamp.timestamp() <= replaced_at + MARGIN.total_seconds()


def _time(entry: Sequence[object]) -> float:
    return float(entry[1])  # type: ignore[arg-type]


class Turned(NamedTuple):
    """A field's turns with the newest. fights: it goes back and forth between two.

    hops: how many answers to our own writes it was the last of, one after the other.
    """

    turns: list[list[object]]
    fights: bool
    hops: float


def turned(
    turns: Turns,
    value: str,
    at: datetime,
    *,
    pushed_at: datetime | None,
    answered_s: float | None = None,
) -> Turned:
    """Note that a field came in as `value`; tell whether two sides fight over it.

    They do when it turned more than FLIPS times within FLIP_WINDOW among a few values,
    and we wrote to the record each time between: one side alone is a person in doubt.
    answered_s: see there.
    """
    oldest = (at - FLIP_WINDOW).timestamp()
    recent = [list(one) for one in turns if _time(one) >= oldest]
    if recent and recent[-1][0] == value:
        # The same again is no turn: an overlap shows a record at every poll.
        hops = hops_of(recent)
    else:
        hops = _hops(turns, answered_s)
        if pushed_at is None or (recent and pushed_at.timestamp() < _time(recent[-1])):
            recent = []
        recent.append([value, at.timestamp(), *([hops] if hops else [])])
    fights = len(recent) > FLIPS and len({str(one[0]) for one in recent}) <= FLIP_VALUES
    return Turned(recent[-(FLIPS + 1) :], fights, hops)


def answered_s(
    turns: Turns, entries: Sequence[Sequence[object]], stamp: datetime
) -> float | None:
    """Return how long after our write of a field it was changed there, in seconds.

    None when we have not written it since it last came in. entries: see `Written`;
    stamp: when the record was changed there, on our clock.
    """
    wrote = max((_time(one) for one in entries), default=0.0)
    if not wrote or (turns and wrote <= _time(turns[-1])):
        return None
    return max(0.0, stamp.timestamp() - wrote)


def hops_of(turns: Turns) -> float:
    """Return how many answers in a row the last turn was the last of."""
    entry = turns[-1] if turns else ()
    return float(entry[2]) if len(entry) > 2 else 0.0  # type: ignore[arg-type]


def _hops(turns: Turns, after_s: float | None) -> float:
    if after_s is None:
        return 0.0
    for within_s, counts in _ANSWERS:
        if after_s <= within_s:
            return round(hops_of(turns) + counts, 1)
    return 0.0

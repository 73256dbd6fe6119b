"""Finds what a person changed in a CRM and changed again before the record was read.

PURE. A webhook tells each change, a read only the last of them. What was told and is
neither there now, nor was known before, nor was written by us, was a person's edit. All
values are in the mapping's one form, all times on one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from integrations.mapping.echo import MARGIN

_NOTHING = timedelta(0)


class Told(NamedTuple):
    """A value that a field was told to have, and since when."""

    value: str
    at: datetime
    trace_id: str = ""


class Step(NamedTuple):
    """A field went from one value to another.

    taken: it was taken in then, and had happened before; else it was told for then.
    """

    old: str
    new: str
    at: datetime
    trace_id: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a field otherwise.

    read: what the CRM has, read_at: as of when; before: what it had when last read;
    agreed: what each side had then; began: when the read was begun to be taken in;
    steps: what history has of this CRM already, in order, that read included.
    """

    read: str
    read_at: datetime
    before: str
    agreed: frozenset[str]
    began: datetime
    steps: Sequence[Step] = ()


def in_order(told: Iterable[Told]) -> list[Told]:
    """Return what was told by time, without what only says the same again.

    >>> at = datetime(2026, 1, 1)
    >>> [one.value for one in in_order([Told("b", at), Told("b", at), Told("c", at)])]
    ['b', 'c']
    """
    found: list[Told] = []
    for one in sorted(told, key=lambda one: one.at):
        if not found or found[-1].value != one.value:
            found.append(one)
    return found


def is_explained(one: Told, known: Known) -> bool:
    """Tell whether a value is there now, or was there before, as far as was read."""
    return one.value == known.read or one.value in known.agreed


def edits(
    told: Sequence[Told], known: Known, is_own: Callable[[Told], bool]
) -> list[Step]:
    """Return the steps of the field that history does not have yet.

    told: in order; is_own: whether we wrote that. Each edit is a step to its value, and
    one from there to what came next, unless that is in history by itself.
    """
    found = [
        not is_explained(one, known) and not _is_kept(one, known) and not is_own(one)
        for one in told
    ]
    steps: list[Step] = []
    for number, one in enumerate(told):
        old = told[number - 1].value if number else _before(one, known)
        if not found[number] or old == one.value:
            continue
        steps.append(Step(old, one.value, one.at, one.trace_id))
        last = number + 1 == len(told)
        then = (
            Told(known.read, known.read_at, one.trace_id) if last else told[number + 1]
        )
        if (last or not found[number + 1]) and not _later(one, known):
            steps.append(Step(one.value, then.value, then.at, then.trace_id))
    return steps


def _is_kept(one: Told, known: Known) -> bool:
    """Tell whether history has the value already, since it was told or about then."""
    return any(
        step.new == one.value and step.at >= one.at - MARGIN for step in known.steps
    )


def _later(one: Told, known: Known) -> list[Step]:
    """Return what history has of the field since, which then says where it went."""
    # Only what was told is of one clock with what is told: see MARGIN.
    return [
        step
        for step in known.steps
        if step.at + (MARGIN if step.taken else _NOTHING) >= one.at
    ]


def _before(one: Told, known: Known) -> str:
    """Return what the field had until then: a read since may have moved the base."""
    since = [step for step in _later(one, known) if step.at < known.began]
    return since[0].old if since else known.before

"""Lets pages that are settled abreast come to what they would one after the other.

Before it writes, a page says what its records were looked for by and what they will be
found by. What of the next page meets that waits until the page is over, and is looked
for again; all else goes on at once. No query is made for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from threading import Event
from typing import NamedTuple

from integrations.models import ObjectMapping
from integrations.sync.cases import Case
from leads.services import incoming


class Words(NamedTuple):
    """What records are looked for by, and what they are found by, as plain words."""

    asks: Collection[str] = ()
    gives: Collection[str] = ()

    def meets(self, other: Words) -> bool:
        """Tell whether it matters which of the two comes first."""
        asks, gives = frozenset(self.asks), frozenset(self.gives)
        return not (asks.isdisjoint(other.gives) and gives.isdisjoint(other.asks))


def together(words: Iterable[Words]) -> Words:
    """Return the words of several as those of one."""
    asks: set[str] = set()
    gives: set[str] = set()
    for one in words:
        asks.update(one.asks)
        gives.update(one.gives)
    return Words(frozenset(asks), frozenset(gives))


class Turn:
    """One page's place among those that are settled abreast."""

    def __init__(self, before: Turn | None = None) -> None:
        self._before = before
        self._words: list[Words] = []
        self._told, self._over = Event(), Event()

    def look(self) -> None:
        """Say that reading begins: what those before have written by now is seen."""
        if self._before is not None and self._before.is_over:
            self._before = None

    def meeting(self, words: Sequence[Words]) -> list[bool]:
        """Tell of each whether it must wait for a page before, and say what these are.

        Waits until that page has said what it is about. What has to wait is said again
        when it is known what became of it, and only then to those behind.
        """
        whole = together(words)
        self._words.append(whole)
        must = [False] * len(words)
        if self._before is not None and whole.gives:
            before = self._before.words
            if whole.meets(before):
                must = _drawn_in(words, before)
        if not any(must):
            self._told.set()
        return must

    def wait_for_before(self) -> None:
        """Wait until the page before is over."""
        if self._before is not None:
            self._before.wait()

    def wait(self) -> None:
        """Wait until this page is over."""
        self._over.wait()

    def end(self) -> None:
        """Let those behind go on, whatever became of this page."""
        self._before = None
        self._told.set()
        self._over.set()

    @property
    def is_over(self) -> bool:
        """Tell whether all of the page is written, or none of it will be."""
        return self._over.is_set()

    @property
    def words(self) -> Words:
        """Return what the page is about, once that is known."""
        self._told.wait()
        return together(self._words)


def _drawn_in(words: Sequence[Words], before: Words) -> list[bool]:
    """Tell which meet what is before, or one of these that does, or one of those."""
    must = [False] * len(words)
    reached = before
    while True:
        new = [n for n, one in enumerate(words) if not must[n] and one.meets(reached)]
        if not new:
            return must
        for n in new:
            must[n] = True
        reached = together(words[n] for n in new)


def words_of(mapping: ObjectMapping, case: Case) -> Words:
    """Return what matters of a record to those that are settled beside it."""
    its = case.known_as
    asks = its.keys + its.asked if its else ()
    gives = its.keys + its.shared if its else ()
    if case.record_id is None:
        return Words(asks, gives)
    if case.link is None:
        found = (f"record {case.record_id}",)
        asks, gives = asks + found, gives + found
    known_by = incoming.KNOWN_BY.get(mapping.record_type, frozenset())
    if case.snapshot is not None and not known_by.isdisjoint(case.values):
        old = case.snapshot.values
        for row in (old, {**old, **case.values}):
            its = incoming.known_as(mapping.workspace, mapping.record_type, row)
            asks, gives = asks + its.keys, gives + its.keys + its.shared
    return Words(asks, gives)

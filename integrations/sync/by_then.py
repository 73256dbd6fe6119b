"""What records of ours are found by, at a point of a run that is only foreseen.

Nothing of such a run is stored: what its earlier pages would have made, changed or
linked is remembered here, and what the tables say is corrected by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crmsync.core.queue import Failure
from integrations.models import ObjectMapping
from integrations.sync.cases import Case
from integrations.sync.seen import Seen
from leads.services import incoming
from leads.services.incoming import Found, KnownAs, Taken


@dataclass(frozen=True, slots=True)
class ByThen:
    """Stands for the records that a run would have made by then, in `seen`.

    The keys stand for them: of millions there are no lists.
    """

    mapping: ObjectMapping
    seen: Seen

    def correct(self, cases: Sequence[Case], found: Sequence[Found]) -> list[Found]:
        """Return what they would be found to be by then; fail what is there twice."""
        told: list[Found] = []
        before: set[str] = set()
        for case, match in zip(cases, found, strict=True):
            known = match.known_as
            ids = tuple(pk for pk in match.candidates if not self._left(known, pk))
            if ids != match.candidates:
                repeats = not ids and not before.isdisjoint(known.asked)
                match = Found(ids[0] if len(ids) == 1 else None, ids, repeats, known)
            if self.is_twice(known, match.record_id):
                case.failure = twice()
                match = Found(None, known_as=known)
            told.append(match)
            before.update(known.shared)
        return told

    def _left(self, known: KnownAs, record_id: int) -> bool:
        return any(_left(word, record_id) in self.seen for word in known.asked)

    def is_twice(self, known: KnownAs | None, record_id: int | None) -> bool:
        """Tell whether it would be found to be what the run made or linked already."""
        words = [*known.keys, *known.asked] if known else []
        if record_id is not None:
            words.append(_met(record_id))
        return any(one in self.seen for one in words)

    def has_met(self, record_id: int) -> bool:
        """Tell whether a record of ours was found to be one of theirs."""
        return _met(record_id) in self.seen

    def learn(self, case: Case, result: Taken | None) -> None:
        """Note whom it meets, and by what our record is found from then on.

        A key that another has by then is refused, and held.
        """
        if case.failure is not None or case.excluded:
            return
        if case.link is None and case.record_id is not None:
            self.seen.add([_met(case.record_id)])
        if result is None or result.stale:
            return
        kept = {n: one for n, one in case.values.items() if n not in result.errors}
        by = incoming.KNOWN_BY.get(self.mapping.record_type, frozenset())
        if by.isdisjoint(kept):
            return
        before = case.snapshot.values if case.snapshot else {}
        old = self._known_as(before) if before else KnownAs()
        new = self._known_as({**before, **kept})
        keys = set(new.keys) - set(old.keys)
        if taken := {one for one in keys if one in self.seen}:
            case.problems[min(taken)] = "Another record has it by then."
        self.seen.add(keys | (set(new.shared) - set(old.shared)))
        if case.record_id is not None:
            left = set(old.shared) - set(new.shared)
            self.seen.add(_left(word, case.record_id) for word in left)

    def _known_as(self, row: incoming.Row) -> KnownAs:
        mapping = self.mapping
        return incoming.known_as(mapping.workspace, mapping.record_type, row)


def twice() -> Failure:
    """Return how it is told that one of ours would be two of theirs."""
    return Failure("duplicate", "It is there twice.", code="TWICE")


def _met(record_id: int) -> str:
    return f"met {record_id}"


def _left(word: str, record_id: int) -> str:
    return f"left {record_id} {word}"

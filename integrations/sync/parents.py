"""Finds what records belong to in the CRM: their company, their person, their deal.

Of a record that is known already, what it belongs to follows the CRM where it was
changed there, and is emptied where it was taken away and the mapping says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping
from integrations.sync import ties
from integrations.sync.cases import Case
from integrations.sync.ties import PARENTS

# What may belong to nothing. An activity without its lead would be nobody's.
_MAY_BE_ALONE = frozenset({"lead", "deal"})


@dataclass(slots=True)
class _There:
    """What a record belongs to in the CRM, of one type of ours.

    any: something, whether we know it or not; ours: those of ours among it.
    """

    any: bool = False
    ours: list[int] = field(default_factory=list)


# (remote id, record type above) -> what it belongs to there
_Answers = dict[tuple[str, str], _There]


def find(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    connector: Connector,
    *,
    known_too: bool = False,
) -> None:
    """Say what becomes of the records' parents; one call per kind of parent at most.

    known_too: also of those that were here before, since the ties of two records can
    change without a change of either. Where a record tells them itself, no call is
    needed, and they are always looked at.
    """
    types = PARENTS.get(mapping.record_type, ())
    wanted = [one for one in cases if _comes_in(one)]
    if not wanted or not types or mapping.direction == ObjectMapping.Direction.PUSH:
        return
    rows = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type__in=types, active=True
    )
    none = connector.spec.no_ties
    above = [o for o in rows if (mapping.remote_object, o.remote_object) not in none]
    answers: _Answers = {}
    for one in above:
        tied = _tied(mapping, wanted, one, connector, known_too=known_too)
        _note(one, tied, answers)
    if answers:
        _decide(mapping, wanted, answers, above, connector)


def _comes_in(case: Case) -> bool:
    return case.failure is None and not case.excluded


def _tied(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    above: ObjectMapping,
    connector: Connector,
    *,
    known_too: bool,
) -> dict[str, list[str]]:
    """Map remote ids to what they are tied to; what nobody asked for is absent."""
    tied: dict[str, list[str]] = {}
    asked: list[str] = []
    for case in cases:
        told = connector.told_ties(case.record, above.remote_object)
        if told is not None:
            tied[case.ref] = told
        elif case.record_id is None or known_too:
            asked.append(case.ref)
    if asked:
        found = connector.associations(
            mapping.remote_object, above.remote_object, asked
        )
        tied |= found
    return tied


def _note(
    above: ObjectMapping, tied: Mapping[str, Sequence[str]], answers: _Answers
) -> None:
    wanted = {one for some in tied.values() for one in some}
    ours = dict(_links(above, remote_id__in=wanted)) if wanted else {}
    for ref, there in tied.items():
        answer = answers.setdefault((ref, above.record_type), _There())
        answer.any = answer.any or bool(there)
        answer.ours += [ours[one] for one in there if one in ours]


def _links(above: ObjectMapping, **which: object) -> Iterable[tuple[str, int]]:
    rows = Link.objects.of(above).filter(state=Link.State.LINKED, **which)
    return rows.values_list("remote_id", "record_id")


# --- what follows ---------------------------------------------------------------------


def _decide(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    answers: _Answers,
    above: Sequence[ObjectMapping],
    connector: Connector,
) -> None:
    types = PARENTS[mapping.record_type]
    known = [c for c in cases if c.record_id and _differs(c, types, answers)]
    changed_here = _changed_here(mapping, known) if known else set()
    emptied: list[tuple[Case, str]] = []
    for case in cases:
        for parent_type in types:
            there = answers.get((case.ref, parent_type))
            if there is None:
                continue
            have = _parent_of(case, parent_type)
            if have in there.ours:
                case.agreed[parent_type] = have
            elif (case.record_id, parent_type) in changed_here:
                continue  # the CRM has still to learn of it: what it has is no news
            elif there.ours:
                case.parents[parent_type] = there.ours[0]
            elif not there.any and _may_empty(mapping, case, parent_type):
                emptied.append((case, parent_type))
    for parent_type in {one for _, one in emptied}:
        some = [case for case, each in emptied if each == parent_type]
        _empty(mapping, some, parent_type, above, connector)


def _differs(case: Case, types: Iterable[str], answers: _Answers) -> bool:
    return any(
        (there := answers.get((case.ref, one))) is not None
        and _parent_of(case, one) not in there.ours
        for one in types
    )


def _changed_here(mapping: ObjectMapping, cases: Sequence[Case]) -> set[ties.Tie]:
    """Return the ties that the CRM has still to learn of."""
    records = {c.record_id: c.snapshot for c in cases if c.record_id and c.snapshot}
    links = {c.record_id: c.link for c in cases if c.record_id and c.link is not None}
    return ties.changed(mapping, records, links)


def _parent_of(case: Case, record_type: str) -> int | None:
    """Return the parent a record has here by now; of several there any one will do."""
    return case.snapshot.parents.get(record_type) if case.snapshot else None


def _may_empty(mapping: ObjectMapping, case: Case, parent_type: str) -> bool:
    """Tell whether a record lost there what both had: else nothing was taken away."""
    have = _parent_of(case, parent_type)
    return (
        mapping.clear_ties
        and mapping.record_type in _MAY_BE_ALONE
        and have is not None
        and case.link is not None
        and ties.agreed(case.link, parent_type) == have
    )


def _empty(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    parent_type: str,
    above: Sequence[ObjectMapping],
    connector: Connector,
) -> None:
    """Take the parent away where it is still there: one that was deleted or merged
    away took its ties with it, which nobody meant."""
    have = {_parent_of(case, parent_type) for case in cases}
    living: set[int] = set()
    for one in above:
        if one.record_type == parent_type:
            by_id = dict(_links(one, record_id__in=have))
            found = connector.fetch(one.remote_object, list(by_id), fields=[])
            living |= {
                by_id[each.remote_id]
                for each in found
                if each.remote_id in by_id and not each.archived
            }
    for case in cases:
        if _parent_of(case, parent_type) in living:
            case.parents[parent_type] = None

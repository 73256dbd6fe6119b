"""Finds what a new record belongs to: its company, its person, its deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping
from integrations.sync import ties
from integrations.sync.cases import Case

# What may be above a record, the way history and mappings name it.
PARENTS: Mapping[str, tuple[str, ...]] = {
    "lead": ("company",),
    "deal": ("lead", "company"),
    "activity": ("lead", "deal"),
}


def find(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    connector: Connector,
    *,
    known_too: bool = False,
) -> None:
    """Give records the parents that are linked here; one call per kind of parent.

    known_too: also those that were here before, since the ties of two records can
    change without a change of either.
    """
    wanted = [one for one in cases if _comes_in(one)]
    if not known_too:
        wanted = [one for one in wanted if one.record_id is None]
    above = PARENTS.get(mapping.record_type, ())
    if not wanted or not above:
        return
    ours = _changed_here(mapping, wanted) if known_too else set()
    mappings = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type__in=above, active=True
    )
    for one in mappings:
        if (mapping.remote_object, one.remote_object) in connector.spec.no_ties:
            continue
        theirs = [c for c in wanted if (c.record_id, one.record_type) not in ours]
        _find_in(mapping, theirs, one, connector)


def _comes_in(case: Case) -> bool:
    return case.failure is None and not case.excluded


def _changed_here(mapping: ObjectMapping, cases: Sequence[Case]) -> set[ties.Tie]:
    """Return the ties that the CRM has still to learn of; what it has is no news."""
    records = {c.record_id: c.snapshot for c in cases if c.record_id and c.snapshot}
    links = {c.record_id: c.link for c in cases if c.record_id and c.link is not None}
    return ties.changed(mapping, records, links)


def _find_in(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    above: ObjectMapping,
    connector: Connector,
) -> None:
    ids = [case.record.remote_id for case in cases]
    tied = connector.associations(mapping.remote_object, above.remote_object, ids)
    wanted = {one for some in tied.values() for one in some}
    rows = Link.objects.filter(
        connection=mapping.connection,
        record_type=above.record_type,
        remote_object=above.remote_object,
        remote_id__in=wanted,
        state=Link.State.LINKED,
    )
    ours = dict(rows.values_list("remote_id", "record_id"))
    for case in cases:
        there = tied.get(case.record.remote_id, ())
        found = [ours[one] for one in there if one in ours]
        if found and _parent_of(case, above.record_type) not in found:
            case.parents.setdefault(above.record_type, found[0])


def _parent_of(case: Case, record_type: str) -> int | None:
    """Return the parent a record has here by now; of several there any one will do."""
    return case.snapshot.parents.get(record_type) if case.snapshot else None

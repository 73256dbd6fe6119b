"""Finds what a new record belongs to: its company, its person, its deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping
from integrations.sync.cases import Case

# What may be above a record, the way history and mappings name it.
PARENTS: Mapping[str, tuple[str, ...]] = {
    "lead": ("company",),
    "deal": ("lead", "company"),
    "activity": ("lead", "deal"),
}


def find(mapping: ObjectMapping, cases: Sequence[Case], connector: Connector) -> None:
    """Give new records the parents that are linked here; one call per kind of parent.

    What a record that was here before belongs to is looked at by full comparisons.
    """
    new = [one for one in cases if one.record_id is None and _comes_in(one)]
    above = PARENTS.get(mapping.record_type, ())
    if not new or not above:
        return
    mappings = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type__in=above, active=True
    )
    for one in mappings:
        _find_in(mapping, new, one, connector)


def _comes_in(case: Case) -> bool:
    return case.failure is None and not case.excluded


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
        found = [
            ours[one] for one in tied.get(case.record.remote_id, ()) if one in ours
        ]
        if found:
            case.parents.setdefault(above.record_type, found[0])

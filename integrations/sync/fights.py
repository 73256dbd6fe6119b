"""Stops two CRMs whose automations change a field after each other's change.

A value that comes soon after our write, again and again, is an answer to it. It is half
of a fight only where what we wrote was such an answer itself, in another CRM: somebody
who enters values there, and an automation here that tidies each, are none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from integrations.mapping import echo
from integrations.mapping.merge import Clash, Outcome
from integrations.models import Conflict, FieldMapping, Link, ObjectMapping
from integrations.sync.cases import Case
from integrations.sync.history import last_changes, stored_name
from integrations.sync.terms import Terms
from leads.snapshots import FIELDS

# An answer to an answer comes on the same day, or is none.
SINCE = timedelta(days=1)
UNKNOWN = "It keeps turning back and forth: two rules fight over it"


@dataclass(frozen=True, slots=True)
class _Side:
    """Where the value that we wrote came from. hops: of its last turn there."""

    mapping: ObjectMapping
    hops: float


def freeze(mapping: ObjectMapping, cases: Sequence[Case], terms: Terms) -> None:
    """Let a person decide the fields that are fought over; the others go on.

    Asks nothing where nothing is suspected.
    """
    suspected = [(case, name) for case in cases for name in case.fights]
    if not suspected:
        return
    others = _others(mapping, suspected, terms)
    for case, name in suspected:
        other = others.get((case.record_id or 0, terms.rules[name].source))
        if case.fights[name] or (other is not None and other.hops >= echo.HOPS):
            told = _words(mapping, case, terms.rules[name].source, other)
            case.outcomes[name] = Outcome(clash=Clash(None, told))
        else:
            del case.fights[name]


def _others(
    mapping: ObjectMapping, suspected: Sequence[tuple[Case, str]], terms: Terms
) -> dict[tuple[int, str], _Side]:
    """Return (record, our field) -> the other CRM that its last value came from."""
    ids = {case.record_id or 0 for case, _ in suspected}
    sources = {terms.rules[name].source for _, name in suspected}
    changed_by = last_changes(mapping, ids, since=timezone.now() - SINCE)
    return {
        (link.record_id, row.source): _Side(
            row.mapping, echo.hops_of(link.turns.get(row.destination, ()))
        )
        for link, row in _linked_rows(mapping, ids, sources)
        if changed_by.get((link.record_id, stored_name(row.source)))
        == row.mapping.connection.name
    }


def _linked_rows(
    mapping: ObjectMapping, record_ids: Collection[int], sources: Collection[str]
) -> Iterator[tuple[Link, FieldMapping]]:
    """Yield the records' links elsewhere, with the rows that bring these fields in."""
    rows = FieldMapping.objects.filter(
        mapping__record_type=mapping.record_type, source__in=sources, active=True
    ).exclude(mapping__connection=mapping.connection_id)
    by_object: dict[tuple[int, str], list[FieldMapping]] = {}
    for row in rows.select_related("mapping__connection"):
        key = (row.mapping.connection_id, row.mapping.remote_object)
        by_object.setdefault(key, []).append(row)
    links = Link.objects.filter(
        record_type=mapping.record_type, record_id__in=list(record_ids)
    )
    for link in links.exclude(connection=mapping.connection_id):
        for row in by_object.get((link.connection_id, link.remote_object), ()):
            yield link, row


def _words(mapping: ObjectMapping, case: Case, source: str, other: _Side | None) -> str:
    """Say who fights over what, and where that can be ended."""
    if other is None:
        return UNKNOWN
    labels = {one.name: one.label for one in FIELDS.get(mapping.record_type, ())}
    field = labels.get(source, source.removeprefix("custom."))
    whose = case.snapshot.label[:60] if case.snapshot else ""
    here, there = mapping.connection.name[:40], other.mapping.connection.name[:40]
    told = (
        f"{here} and {there} keep changing {field} of {whose} after each other’s "
        "change. Switch off one of the two automations there, or let the field go one "
        f"way in the mapping {mapping} ({here}) or {other.mapping} ({there}); then "
        "decide."
    )
    return told[: Conflict.REASON_LENGTH]

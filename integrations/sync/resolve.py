"""Finds which record of ours a remote record is: by link, old id, our key, or match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.core.queue import Failure
from integrations.models import Link, LinkAlias, ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync.cases import Case
from integrations.sync.links import record_of_key
from integrations.sync.terms import Terms
from leads.services import incoming
from leads.snapshots import snapshots


def cases_of(
    mapping: ObjectMapping,
    records: Sequence[RemoteRecord],
    terms: Terms,
    *,
    met: Mapping[str, int],
) -> list[Case]:
    """Return each record with its link or the record of ours that it must be.

    One that may be several of ours fails; it is never the first of them.
    met: remote id -> record of ours, as the caller found.
    """
    cases = [Case(record) for record in records]
    _by_link(mapping, cases)
    _by_own_key(mapping, [one for one in cases if one.link is None])
    for case in cases:
        if case.link is None and case.record_id is None and case.ref in met:
            case.record_id, case.found = met[case.ref], True
    _by_match(
        mapping,
        [one for one in cases if one.link is None and one.record_id is None],
        terms,
    )
    _refuse_taken(mapping, cases)
    ids = {one.record_id for one in cases if one.record_id is not None}
    known = snapshots(mapping.record_type, ids)
    for case in cases:
        case.snapshot = known.get(case.record_id or 0)
        if case.record_id is not None and case.snapshot is None:
            case.excluded = "Its record was deleted here."
    return cases


def _by_link(mapping: ObjectMapping, cases: Sequence[Case]) -> None:
    ids = {case.record.remote_id for case in cases}
    rows = Link.objects.filter(
        connection=mapping.connection,
        remote_object=mapping.remote_object,
        remote_id__in=ids,
    )
    links = {link.remote_id: link for link in rows}
    missing = ids - set(links)
    if missing:
        aliases = LinkAlias.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=missing,
        ).select_related("link")
        links |= {one.remote_id: one.link for one in aliases}
    for case in cases:
        case.link = links.get(case.record.remote_id)
        if case.link is not None:
            case.record_id = case.link.record_id


def _by_own_key(mapping: ObjectMapping, cases: Sequence[Case]) -> None:
    """Know what we made ourselves and whose id was lost on the way back."""
    name = mapping.connection.key_fields.get(mapping.remote_object, "")
    if not name:
        return
    for case in cases:
        key = case.record.fields.get(name) or ""
        case.record_id = record_of_key(mapping.workspace, mapping.record_type, key)


def _by_match(mapping: ObjectMapping, cases: Sequence[Case], terms: Terms) -> None:
    if not cases:
        return
    known_by = incoming.KNOWN_BY.get(mapping.record_type, frozenset())
    names = [
        n for n, one in terms.rules.items() if one.pulls and one.source in known_by
    ]
    values = [_values(case, terms, names) for case in cases]
    found = incoming.find(mapping.workspace, mapping.record_type, values)
    for case, match in zip(cases, found, strict=True):
        case.record_id, case.found = match.record_id, match.record_id is not None
        if len(match.candidates) > 1:
            told = ", ".join(str(one) for one in match.candidates)
            case.failure = Failure(
                "ambiguous",
                f"This may be any of the {mapping.get_record_type_display().lower()}s "
                f"{told}. Merge them or give one of them its own e-mail; then retry.",
            )


def _values(case: Case, terms: Terms, names: Sequence[str]) -> dict[str, object]:
    texts = {
        name: terms.canon[name](case.record.fields.get(name) or "") for name in names
    }
    values, _ = terms.inverse({name: text for name, text in texts.items() if text})
    return values


def _refuse_taken(mapping: ObjectMapping, cases: Sequence[Case]) -> None:
    """Hold a record that would be a second one of the same record of ours.

    One whose remote record was deleted is linked anew, as if they had never met.
    """
    wanted = [c for c in cases if c.link is None and c.record_id is not None]
    rows = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        record_id__in=[case.record_id for case in wanted],
    )
    links = {link.record_id: link for link in rows}
    taken = {
        link.record_id: link.remote_id
        for link in links.values()
        if link.state != Link.State.DELETED
    }
    for case in wanted:
        assert case.record_id is not None
        other = taken.setdefault(case.record_id, case.record.remote_id)
        if other != case.record.remote_id:
            case.failure = _second(mapping, case, other)
        elif old := links.get(case.record_id):
            old.base, old.written, old.turns = {}, {}, {}
            old.remote_version = None
            case.link = old


def _second(mapping: ObjectMapping, case: Case, other: str) -> Failure:
    return Failure(
        "duplicate",
        f"{mapping.get_record_type_display()} {case.record_id} here is {other} in the "
        f"CRM already; {case.record.remote_id} seems to be the same. Merge the two "
        "there.",
        code="ALREADY_LINKED",
    )

"""Finds which record of ours a remote record is: by link, old id, our key, or match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.core.queue import Failure
from integrations.models import Link, LinkAlias, ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync import apart
from integrations.sync.by_then import ByThen
from integrations.sync.cases import Case
from integrations.sync.links import record_of_key
from integrations.sync.terms import Terms
from leads.naming import listed, name_in, names_of
from leads.services import incoming
from leads.snapshots import snapshots

KEPT_APART = "Kept apart by hand from the record it looks like."


def cases_of(
    mapping: ObjectMapping,
    records: Sequence[RemoteRecord],
    terms: Terms,
    *,
    met: Mapping[str, int],
    by_then: ByThen | None = None,
) -> list[Case]:
    """Return each record with its link or the record of ours that it must be.

    One that may be several of ours fails; it is never the first of them.
    met: remote id -> record of ours, as the caller found; by_then: see `planned`.
    """
    cases = [Case(record) for record in records]
    _by_link(mapping, cases)
    new = [one for one in cases if one.link is None]
    others = apart.of_remote(mapping, {one.ref for one in new})
    _by_own_key(mapping, new)
    for case in new:
        if case.record_id is None and case.ref in met:
            case.record_id, case.found = met[case.ref], True
        if case.record_id in others.get(case.ref, ()):
            case.record_id, case.excluded = None, KEPT_APART
    unknown = [one for one in new if one.record_id is None and not one.excluded]
    _by_match(mapping, unknown, terms, others, by_then)
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


def _by_match(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    terms: Terms,
    others: Mapping[str, set[int]],
    by_then: ByThen | None,
) -> None:
    """Find them by what they are known by. others: remote id -> whom it is not."""
    if not cases:
        return
    known_by = incoming.KNOWN_BY.get(mapping.record_type, frozenset())
    names = [
        n for n, one in terms.rules.items() if one.pulls and one.source in known_by
    ]
    values = [_values(case, terms, names) for case in cases]
    found = incoming.find(mapping.workspace, mapping.record_type, values)
    if by_then is not None:
        found = by_then.correct(cases, found)
    unsure: list[tuple[Case, Sequence[int]]] = []
    for case, match in zip(cases, found, strict=True):
        case.known_as, case.repeats = match.known_as, match.repeats
        ids = [one for one in match.candidates if one not in others.get(case.ref, ())]
        if len(ids) > 1:
            unsure.append((case, ids))
        elif ids:
            case.record_id, case.found = ids[0], True
        elif match.candidates:
            case.excluded = KEPT_APART
    _ask_which(mapping, unsure)


def _ask_which(
    mapping: ObjectMapping, unsure: Sequence[tuple[Case, Sequence[int]]]
) -> None:
    """Fail those that may be several records of ours, and name these."""
    names = names_of(mapping.record_type, {one for _, ids in unsure for one in ids})
    for case, ids in unsure:
        told = listed([name_in(names, mapping.record_type, one) for one in ids])
        case.failure = Failure(
            "ambiguous",
            f"This may be any of {told}. Choose the one that is meant, or merge them.",
            about={"here": list(ids)},
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
    rows = Link.objects.of(mapping).filter(
        record_id__in=[case.record_id for case in wanted]
    )
    links = {link.record_id: link for link in rows}
    taken = {
        link.record_id: link.remote_id
        for link in links.values()
        if link.state != Link.State.DELETED
    }
    second: list[tuple[Case, str]] = []
    for case in wanted:
        assert case.record_id is not None
        other = taken.setdefault(case.record_id, case.record.remote_id)
        if other != case.record.remote_id:
            second.append((case, other))
        elif old := links.get(case.record_id):
            old.base, old.written, old.turns = {}, {}, {}
            old.remote_version = None
            case.link = old
    _tell_seconds(mapping, second)


def _tell_seconds(mapping: ObjectMapping, second: Sequence[tuple[Case, str]]) -> None:
    """Fail those whose record of ours is another one there."""
    names = names_of(mapping.record_type, {case.record_id or 0 for case, _ in second})
    for case, _ in second:
        ours = name_in(names, mapping.record_type, case.record_id or 0)
        case.failure = Failure(
            "duplicate",
            f"{ours} is linked to one {mapping.remote_object} of {mapping.connection} "
            "already, and another one there seems to be the same.",
            code="ALREADY_LINKED",
            about={"here": [case.record_id]},
        )

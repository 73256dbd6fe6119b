"""Knows our own write by its value where its answer was lost, or is still to come.

Taken for a person's change it would undo what was entered here since. Only rows whose
push is under way or failed are looked at; a value that ours never had is a person's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.db.models import Q

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.mapping.engine import Problem
from integrations.mapping.merge import Base, Outcome, Sides, merge
from integrations.models import Link, ObjectMapping
from integrations.sync import outbox
from integrations.sync.cases import Case, base_of
from integrations.sync.history import Replaced, replaced, stored_name
from integrations.sync.terms import Terms


def recognise(
    mapping: ObjectMapping, cases: Sequence[Case], terms: Terms, *, sending: bool
) -> None:
    """Decide anew every field that shows what we wrote ourselves.

    sending: the push that asks has claimed its rows and has not written yet.
    """
    known = [(case, case.link) for case in cases if case.link is not None]
    news = [(case, link, name) for case, link in known for name in _news(case)]
    doubted = _in_doubt(mapping, {c.record_id or 0 for c, *_ in news}, sending=sending)
    news = [one for one in news if one[0].record_id in doubted]
    if not news:
        return
    since = min(_since(link) for _, link, _ in news)
    lost = replaced(mapping.record_type, doubted, since=since)
    for case, link, name in news:
        key = (case.record_id or 0, stored_name(terms.rules[name].source))
        recent = [one for one in lost.get(key, ()) if one.at >= _since(link)]
        if case.crm[name] in _texts(case, name, recent, terms):
            _agree(case, name, terms)


def may_have_written(
    mapping: ObjectMapping, fields: Sequence[tuple[Case, Link, str]], terms: Terms
) -> dict[tuple[int, str], set[str]]:
    """Return (record, remote field) -> the values the CRM may have from us untold."""
    doubted = _in_doubt(mapping, {link.record_id for _, link, _ in fields})
    unsure = [one for one in fields if one[1].record_id in doubted]
    if not unsure:
        return {}
    since = min(_since(link) for _, link, _ in unsure)
    lost = replaced(mapping.record_type, doubted, since=since)
    found = {}
    for case, link, name in unsure:
        key = (link.record_id, stored_name(terms.rules[name].source))
        recent = [one for one in lost.get(key, ()) if one.at >= _since(link)]
        found[link.record_id, name] = {
            *_texts(case, name, recent, terms),
            case.hub.get(name, ""),
        }
    return found


def _news(case: Case) -> list[str]:
    """Return the fields that the CRM has changed, and not to what we have."""
    bases = {name: base_of(case.before, name) for name in case.outcomes}
    return [
        name
        for name, base in bases.items()
        if base is not None
        and case.crm.get(name) not in (None, base.crm, case.hub.get(name))
    ]


def _in_doubt(
    mapping: ObjectMapping, record_ids: Collection[int], *, sending: bool = False
) -> set[int]:
    """Return the records of which the CRM may have more than we were told."""
    keys = [outbox.key_of(mapping.pk, one) for one in record_ids]
    tried = Q(attempts__gt=0) | Q(rescues__gt=0)
    doubt = tried if sending else tried | Q(state=State.LEASED)
    rows = WorkItem.objects.filter(doubt, kind=outbox.KIND, key__in=keys)
    found = rows.values_list("key", flat=True) if keys else ()
    return {outbox.record_of(key) for key in found}


def _since(link: Link) -> datetime:
    return link.pushed_at or link.created_at


def _texts(
    case: Case, name: str, values: Sequence[Replaced], terms: Terms
) -> Iterator[str]:
    """Yield what each of our values would be there."""
    if case.snapshot is None:
        return
    source = terms.rules[name].source
    for one in values:
        text = terms.texts.texts({**case.snapshot.values, source: one.value}).get(name)
        if text is not None and not isinstance(text, Problem):
            yield terms.canon[name](str(text))


def _agree(case: Case, name: str, terms: Terms) -> None:
    """Merge as if the write had been answered: it is what both sides had."""
    crm = case.crm[name]
    case.turns.pop(name, None)
    case.fights.pop(name, None)
    sides = Sides(Base(crm, crm), crm, case.hub.get(name, ""))
    outcome = merge(sides, terms.rules[name])
    if outcome == Outcome():
        case.outcomes.pop(name)
    else:
        case.outcomes[name] = outcome

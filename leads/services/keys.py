"""Keeps what leads are known by in step with their e-mail address and LinkedIn id.

An address a lead had before still finds it, until another lead is given that address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Q

from crmsync.core.models import Workspace
from leads.models import Lead, LeadKey
from leads.services import bulk
from leads.services.drafts import Draft

_KIND_OF = {"email": LeadKey.Kind.EMAIL, "linkedin_id": LeadKey.Kind.LINKEDIN}
_COLUMNS = ("workspace_id", "lead_id", "kind", "value", "former")
Pair = tuple[str, str]


class _Holder(NamedTuple):
    """Whose a key is, and whether only from before."""

    key_id: int
    lead_id: int
    former: bool


def check(drafts: Sequence[Draft]) -> None:
    """Refuse a key that another lead has, or that two of these drafts want."""
    wanted = list(_wanted(drafts))
    held = _holders([(kind, value) for _, _, kind, value in wanted])
    claimed: dict[Pair, Draft] = {}
    taken = []
    for draft, name, kind, value in wanted:
        holder = held.get((kind, value))
        first = claimed.setdefault((kind, value), draft)
        if holder and holder.lead_id != draft.record.pk and not holder.former:
            taken.append((draft, name, value, holder.lead_id))
            continue
        if holder:
            draft.held[kind, value] = holder.key_id
        if first is not draft:
            draft.clash(name, value, f"{value} is given to two leads at once.")
    leads = Lead.objects.in_bulk([lead_id for *_, lead_id in taken]) if taken else {}
    for draft, name, value, lead_id in taken:
        who = f"{leads.get(lead_id, 'another')} (lead {lead_id})"
        draft.clash(name, value, f"{value} already belongs to {who}.")


def store(workspace: Workspace, drafts: Sequence[Draft]) -> None:
    """Retire the keys that were left, store the new ones; the drafts are saved.

    They were checked in the same transaction.
    """
    _retire(drafts)
    new = []
    for draft, _, kind, value in _wanted(drafts):
        held = draft.held.get((kind, value))
        if held is None:
            new.append((workspace.pk, draft.record.pk, kind, value, False))
        else:
            mine = LeadKey.objects.filter(pk=held)
            mine.update(lead_id=draft.record.pk, former=False)
    if new:
        # In one order for all, so that two writers of the same keys do not deadlock.
        bulk.insert_rows(LeadKey, _COLUMNS, sorted(new, key=lambda row: row[2:4]))


def _retire(drafts: Sequence[Draft]) -> None:
    """Keep addresses that others took the place of; forget what was cleared."""
    replaced, cleared = Q(), Q()
    for draft in drafts:
        for name, kind in _KIND_OF.items():
            old, new = draft.changed.get(name, ("", ""))
            if not old or draft.is_new:
                continue
            key = Q(lead_id=draft.record.pk, kind=kind, value=old)
            if new and kind == LeadKey.Kind.EMAIL:
                replaced |= key
            else:
                cleared |= key
    if replaced:
        LeadKey.objects.filter(replaced).update(former=True)
    if cleared:
        LeadKey.objects.filter(cleared).delete()


def _wanted(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str, str, str]]:
    for draft in drafts:
        for name, kind in _KIND_OF.items():
            if name in draft.changed and (value := draft.changed[name][1]):
                yield draft, name, kind.value, str(value)


def _holders(pairs: Sequence[Pair]) -> Mapping[Pair, _Holder]:
    if not pairs:
        return {}
    rows = LeadKey.objects.filter(
        kind__in={kind for kind, _ in pairs}, value__in={value for _, value in pairs}
    )
    found = rows.values_list("kind", "value", "pk", "lead_id", "former")
    return {(kind, value): _Holder(*rest) for kind, value, *rest in found}  # type: ignore[arg-type]

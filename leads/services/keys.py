"""Keeps what leads are known by in step with their e-mail address and LinkedIn id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Q

from crmsync.core.models import Workspace
from leads.models import LeadKey
from leads.services.drafts import Draft

_KIND_OF = {"email": LeadKey.Kind.EMAIL, "linkedin_id": LeadKey.Kind.LINKEDIN}


def check(drafts: Sequence[Draft]) -> None:
    """Refuse a key that another lead has, or that two of these drafts want."""
    wanted = list(_wanted(drafts))
    if not wanted:
        return
    held = _holders([(kind, value) for _, _, kind, value in wanted])
    claimed: dict[tuple[str, str], Draft] = {}
    for draft, name, kind, value in wanted:
        holder = held.get((kind, value))
        first = claimed.setdefault((kind, value), draft)
        if holder and holder.lead_id != draft.record.pk:
            who = f"{holder.lead} (lead {holder.lead_id})"
            draft.clash(name, value, f"{value} already belongs to {who}.")
        elif first is not draft:
            draft.clash(name, value, f"{value} is given to two leads at once.")


def store(workspace: Workspace, drafts: Sequence[Draft]) -> None:
    """Drop the keys that were left, store the new ones; the drafts are saved."""
    left = Q(pk__in=[])
    for draft in drafts:
        for name, kind in _KIND_OF.items():
            old, _ = draft.changed.get(name, ("", ""))
            if old and not draft.is_new:
                left |= Q(lead_id=draft.record.pk, kind=kind, value=old)
    if left:
        LeadKey.objects.filter(left).delete()
    wanted = list(_wanted(drafts))
    held = _holders([(kind, value) for _, _, kind, value in wanted])
    LeadKey.objects.bulk_create(
        LeadKey(workspace=workspace, lead_id=draft.record.pk, kind=kind, value=value)
        for draft, _, kind, value in wanted
        if (kind, value) not in held
    )


def _wanted(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str, str, str]]:
    for draft in drafts:
        for name, kind in _KIND_OF.items():
            _, value = draft.changed.get(name, ("", ""))
            if value:
                yield draft, name, kind, str(value)


def _holders(pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], LeadKey]:
    if not pairs:
        return {}
    rows = LeadKey.objects.filter(
        kind__in={kind for kind, _ in pairs}, value__in={value for _, value in pairs}
    )
    return {(row.kind, row.value): row for row in rows.select_related("lead")}

"""Leaves out of drafts what is wrong with them, so that the rest can be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leads.services.drafts import Draft
from leads.services.rules import RULES

# What is wrong with the first can be the fault of the others.
_DUE_TO: Mapping[str, tuple[str, ...]] = {
    "currency": ("amount",),
    "email": ("linkedin_id", "phone", "first_name", "last_name"),
    "name": ("domain",),
    "lead_id": ("deal_id",),
}


def leave_out(drafts: Sequence[Draft]) -> None:
    """Take the fields that do not fit out of the drafts, remembering why."""
    for draft in drafts:
        for name, messages in draft.errors.items():
            draft.drop(name, messages)
        draft.errors = {}


def sift(record_type: str, drafts: Sequence[Draft]) -> None:
    """Take out what the record type's rules refuse, until they refuse nothing.

    A new record that can be stored in no form is `lost`. What was wrong with a known
    one before is no reason to refuse what changes now.
    """
    todo = [draft for draft in drafts if draft.is_new or draft.changed]
    while todo:
        RULES[record_type].check(todo)
        wrong = [draft for draft in todo if draft.errors]
        todo = [draft for draft in wrong if _gave_way(draft)]


def _gave_way(draft: Draft) -> bool:
    """Drop what is at fault; return whether the draft must be checked again."""
    errors, draft.errors = draft.errors, {}
    dropped = False
    for name, messages in errors.items():
        for fault in _faults(draft, name):
            draft.drop(fault, messages)
            dropped = True
        if draft.is_new and not dropped:
            draft.drop(name, messages)
            draft.lost = True
    return dropped and not draft.lost


def _faults(draft: Draft, name: str) -> list[str]:
    if name in draft.changed:
        return [name]
    return [one for one in _DUE_TO.get(name, ()) if one in draft.changed]

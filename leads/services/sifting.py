"""Leaves out of drafts what is wrong with them, so that the rest can be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leads.services.drafts import Draft
from leads.services.rules import RULES

# What is wrong with the first is the fault of the second.
_DUE_TO: Mapping[str, str] = {"currency": "amount"}


def leave_out(drafts: Sequence[Draft]) -> None:
    """Take the fields that do not fit out of the drafts, remembering why."""
    for draft in drafts:
        for name, messages in draft.errors.items():
            draft.drop(name, messages)
        draft.errors = {}


def sift(record_type: str, drafts: Sequence[Draft]) -> None:
    """Take out what the record type's rules refuse, until they refuse nothing.

    What can be stored in no form is `lost`; a known record is then left as it was.
    """
    todo = [draft for draft in drafts if draft.is_new or draft.changed]
    while todo:
        RULES[record_type].check(todo)
        wrong = [draft for draft in todo if draft.errors]
        for draft in wrong:
            _settle(draft)
        todo = [draft for draft in wrong if not draft.lost]


def _settle(draft: Draft) -> None:
    """Drop what is at fault; without any such field, all that was to change."""
    errors, draft.errors = draft.errors, {}
    for name, messages in errors.items():
        fault = name if name in draft.changed else _DUE_TO.get(name, name)
        if fault in draft.changed:
            draft.drop(fault, messages)
            continue
        draft.drop(name, messages)
        draft.lost = draft.is_new
        for other in list(draft.changed):
            draft.drop(other, messages)

"""Asks for those below a record once that is there: their ties, or they themselves."""

from __future__ import annotations

from collections.abc import Collection

from integrations.models import Link, ObjectMapping
from integrations.sync import outbox, ties
from leads.services.fields import MODELS

# Types of parents that something is nothing without.
_NEEDED = frozenset(name for needs in ties.NEEDS.values() for name in needs)


def ask_for_ties(mapping: ObjectMapping, parent_ids: Collection[int]) -> int:
    """Queue those there that belong to these and are not tied to them; return how many.

    Whether there is anything to tie is decided by the push, as for any other edit.
    """
    if not parent_ids:
        return 0
    asked = 0
    for below in outbox.push_mappings():
        is_below = mapping.record_type in ties.PARENTS.get(below.record_type, ())
        if is_below and below.connection_id == mapping.connection_id:
            asked += outbox.queue_records(
                mapping.workspace,
                below,
                _untied(mapping, below, parent_ids),
                not_before=outbox.due_at(below),
            )
    return asked


def ask_for_members(mapping: ObjectMapping, parent_ids: Collection[int]) -> int:
    """Queue those that are nothing without these and were left out for that."""
    if not parent_ids or mapping.record_type not in _NEEDED:
        return 0
    asked = 0
    for below in outbox.push_mappings():
        needs = ties.NEEDS.get(below.record_type, frozenset())
        if (
            mapping.record_type in needs
            and below.connection_id == mapping.connection_id
        ):
            rows = MODELS[below.record_type].objects.filter(
                **{f"{mapping.record_type}_id__in": parent_ids}
            )
            ids = set(rows.values_list("pk", flat=True))
            links = Link.objects.of(below).filter(record_id__in=ids)
            asked += outbox.queue_records(
                mapping.workspace,
                below,
                sorted(ids - set(links.values_list("record_id", flat=True))),
                not_before=outbox.due_at(below),
            )
    return asked


def _untied(
    mapping: ObjectMapping, below: ObjectMapping, parent_ids: Collection[int]
) -> list[int]:
    column = f"{mapping.record_type}_id"
    rows = MODELS[below.record_type].objects.filter(**{f"{column}__in": parent_ids})
    parent_of = dict(rows.values_list("pk", column))
    links = Link.objects.of(below).filter(
        state=Link.State.LINKED, record_id__in=parent_of
    )
    return [
        link.record_id
        for link in links
        if ties.agreed(link, mapping.record_type) != parent_of[link.record_id]
    ]

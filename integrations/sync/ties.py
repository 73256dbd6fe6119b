"""Which ties of records that are linked already were changed here and not there yet.

A link remembers the parent that both sides last had, beside the values of its fields.
Where the record has another one by now, or none any more, or the two never agreed, the
history tells whether that was done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from integrations.models import Link, ObjectMapping
from leads.facts import Snapshot
from leads.models import Change

# (record, record type of the parent)
Tie = tuple[int, str]

# In a base: the CRM could not be told of the parent when the record went there, and can
# by now. It is told by the next push.
_TO_TELL = "?"

# What may be above a record, the way history and mappings name it.
PARENTS: Mapping[str, tuple[str, ...]] = {
    "lead": ("company",),
    "deal": ("lead", "company"),
    "activity": ("lead", "deal"),
}

# What is nothing without these, and stays tied to them.
NEEDS: Mapping[str, frozenset[str]] = {
    "campaign_member": frozenset({"campaign", "lead"}),
}


def only_goes_out(record_type: str) -> bool:
    """Tell whether records of a type are never taken in from a CRM.

    What is known by what it belongs to would have to be looked for by that here.
    """
    return record_type in NEEDS


def base_name(parent_type: str) -> str:
    """Return the name under which a link keeps a parent; no remote field has it."""
    return f"@{parent_type}"


def agreed(link: Link, parent_type: str) -> int | None:
    """Return the parent of ours that both sides had when they were last in step."""
    known = link.base.get(base_name(parent_type))
    return int(known) if isinstance(known, str) and known.isdecimal() else None


def changed(
    mapping: ObjectMapping,
    records: Mapping[int, Snapshot],
    links: Mapping[int, Link],
) -> set[Tie]:
    """Return the ties that the CRM has still to be told of, those taken away too."""
    above = PARENTS.get(mapping.record_type, ())
    doubted = [
        (record_id, parent_type)
        for record_id, link in links.items()
        if (record := records.get(record_id)) is not None
        for parent_type in above
        if agreed(link, parent_type) != record.parents.get(parent_type)
    ]
    untold = {
        (record_id, parent_type)
        for record_id, parent_type in doubted
        if links[record_id].base.get(base_name(parent_type)) == _TO_TELL
        and parent_type in records[record_id].parents
    }
    return untold | (_changed_since(mapping, doubted, links) if doubted else set())


def never_told(
    mapping: ObjectMapping, parent_type: str, record_ids: Sequence[int]
) -> list[int]:
    """Return of whose parent the CRM was never told.

    A tie that both agreed on, or that was taken away, is not among them.
    """
    name = base_name(parent_type)
    rows = _linked(mapping, record_ids).values_list("record_id", "base")
    return [record_id for record_id, base in rows if name not in base]


def note_to_tell(
    mapping: ObjectMapping, parent_type: str, record_ids: Sequence[int]
) -> None:
    """Note that the CRM must be told of these records' parent, in a transaction."""
    links = list(_linked(mapping, record_ids).select_for_update())
    for link in links:
        link.base = {base_name(parent_type): _TO_TELL, **link.base}
    Link.objects.bulk_update(links, ["base"])


def _linked(mapping: ObjectMapping, record_ids: Sequence[int]) -> QuerySet[Link]:
    return Link.objects.of(mapping).filter(
        record_id__in=record_ids, state=Link.State.LINKED
    )


def _changed_since(
    mapping: ObjectMapping, ties: Sequence[Tie], links: Mapping[int, Link]
) -> set[Tie]:
    """Return those whose parent was changed since the link, and not by the CRM."""
    rows = Change.objects.filter(
        workspace=mapping.workspace_id,
        record_type=mapping.record_type,
        record_id__in={record_id for record_id, _ in ties},
        action=Change.Action.UPDATED,
        at__gt=min(links[record_id].created_at for record_id, _ in ties),
    ).order_by("id")
    names = {f"{parent_type}_id": parent_type for _, parent_type in ties}
    by_us: dict[Tie, bool] = {}
    for record_id, fields, at, kind, label in rows.values_list(
        "record_id", "fields", "at", "origin_kind", "origin_label"
    ):
        if at <= links[record_id].created_at:
            continue
        theirs = kind == "connection" and label == mapping.connection.name
        for name in names.keys() & fields.keys():
            by_us[record_id, names[name]] = not theirs
    return {tie for tie in ties if by_us.get(tie)}

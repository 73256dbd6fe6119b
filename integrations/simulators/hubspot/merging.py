"""Merging two records of a type into one."""

from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import (
    ADDITIONAL_EMAILS,
    Record,
    RecordTable,
)
from integrations.simulators.hubspot.rules import Changes
from integrations.simulators.hubspot.settings import Settings
from integrations.simulators.hubspot.writer import Writer

MERGED = "hs_merged_object_ids"
Partners = list[tuple[str, int, list[AssociationType]]]


def merge_records(
    portal: Portal,
    settings: Settings,
    writer: Writer,
    table: RecordTable,
    primary: Record,
    other: Record,
) -> Record:
    """Merge `other` into `primary`; return the survivor, whose id may be a new one.

    The primary's values win; its gaps are filled. Both old ids lead to the survivor
    in single reads and updates, not in batch updates.
    """
    name = table.kind.name
    changes = _combined(table, primary, other)
    partners = _partners(portal, name, primary.id) + _partners(portal, name, other.id)
    moved = len([key for key in changes if key not in primary.props])
    source = (writer.source, writer.source_id)
    writer.hide(table, other.id, other)
    if settings.merge_makes_new_id:
        values = {k: v for k, v in primary.props.items() if k not in _OWN} | changes
        gone = [primary.id, other.id]
        writer.merged(table, table.next_id, gone)
        survivor = portal.do(["new", name, table.next_id, writer.at, values, *source])
        portal.do(["stamp", name, survivor.id, primary.created, writer.at])
    else:
        gone = [other.id]
        writer.merged(table, primary.id, gone)
        survivor = portal.do(["set", name, primary.id, writer.at, changes, *source])
    for target, partner, types in partners:
        if (target, partner) not in [(name, number) for number in gone]:
            writer.join((name, survivor.id), (target, partner), types)
    writer.tell_merge(
        table,
        survivor.id,
        {
            "primaryObjectId": primary.id,
            "mergedObjectIds": [other.id],
            "newObjectId": survivor.id,
            "numberOfPropertiesMoved": moved,
        },
    )
    return survivor


_OWN = frozenset({"hs_object_id", "createdate", "hs_createdate"})


def _combined(table: RecordTable, primary: Record, other: Record) -> Changes:
    stamps = {table.kind.created, table.kind.modified, *_OWN}
    changes: Changes = {
        name: value
        for name, value in other.props.items()
        if name not in primary.props and name not in stamps
    }
    before = [one.props.get(MERGED, "") for one in (primary, other)]
    ids = ";".join([*before, str(primary.id), str(other.id)]).split(";")
    changes[MERGED] = ";".join(dict.fromkeys(one for one in ids if one))
    if table.kind.name == "contacts":
        mails = [primary.props.get(ADDITIONAL_EMAILS), other.props.get("email")]
        mails.append(other.props.get(ADDITIONAL_EMAILS))
        own = changes.get("email") or primary.props.get("email")
        extra = [mail for mail in mails if mail and mail != own]
        changes[ADDITIONAL_EMAILS] = ";".join(dict.fromkeys(extra)) or None
    return changes


def _partners(portal: Portal, name: str, number: int) -> Partners:
    found: Partners = []
    for target in portal.tables:
        for other, labels in portal.linked(name, number, target).items():
            types = [portal.types[name, target, *one] for one in labels]
            found.append((target, other, types))
    return found

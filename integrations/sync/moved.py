"""Lets links follow remote records that became others: converted, or merged."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction

from crmsync.core import queue
from integrations.models import Link, LinkAlias, ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync import outbox, ties
from integrations.sync.links import link_if_free, owners_of, unsent_deals
from leads.facts import Origin, RecordChange, Snapshot
from leads.models import Deal
from leads.services import merging
from leads.snapshots import snapshots

_STANDS = (Link.State.LINKED, Link.State.MISSING, Link.State.FORBIDDEN)
# Why a remote id is an alias: its lead was converted.
CONVERTED = "converted"


def links_of_ids(
    mapping: ObjectMapping, remote_ids: Collection[str], *, gone_too: bool = False
) -> dict[str, Link]:
    """Return remote id -> link, of those that still stand.

    gone_too: and of those that count as deleted.
    """
    rows = Link.objects.of(mapping).filter(
        remote_id__in=list(remote_ids),
        state__in=[*_STANDS, Link.State.DELETED] if gone_too else _STANDS,
    )
    return {link.remote_id: link for link in rows}


def ids_answered(found: Sequence[RemoteRecord]) -> set[str]:
    """Return the ids that lead to these records, those they had before included."""
    told: set[str] = set()
    for record in found:
        told |= {record.remote_id, *record.other_ids}
    return told


def origin_of(mapping: ObjectMapping) -> Origin:
    """Return where changes come from that a connection brings."""
    connection = mapping.connection
    return Origin(
        kind="connection",
        id=str(connection.pk),
        label=connection.name,
        connection_id=connection.pk,
    )


def follow_conversions(
    mapping: ObjectMapping, records: Sequence[RemoteRecord]
) -> list[RemoteRecord]:
    """Let links follow records that became others; return the rest, to be taken in."""
    for record in records:
        for old in record.other_ids:
            _follow_merge(mapping, old, record.remote_id)
    converted = [one for one in records if one.became]
    if converted:
        links = links_of_ids(mapping, [one.remote_id for one in converted])
        for record in converted:
            if link := links.get(record.remote_id):
                _follow_conversion(mapping, link, record)
    return [one for one in records if not one.became]


def _follow_merge(mapping: ObjectMapping, old: str, new: str) -> None:
    """One that was taken for deleted by then follows, too: losers look like that."""
    rows = Link.objects.of(mapping).filter(remote_id=old)
    if link := rows.exclude(state=Link.State.UNLINKED).first():
        move(mapping, link, mapping.remote_object, new)


def _follow_conversion(
    mapping: ObjectMapping, link: Link, record: RemoteRecord
) -> None:
    """A lead there is a contact now: the same record of ours is linked to that."""
    others = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type=mapping.record_type
    ).exclude(pk=mapping.pk)
    for other in others:
        if new_id := record.became.get(other.remote_object):
            move(other, link, other.remote_object, new_id, reason=CONVERTED)
            _tie_deals(other, new_id)
            _link_what_was_made(mapping, link, record)
            return
    link.state, link.gone_at = Link.State.DELETED, queue.now()
    link.save(update_fields=["state", "gone_at"])


def move(
    mapping: ObjectMapping,
    link: Link,
    remote_object: str,
    new_id: str,
    *,
    reason: str = "merged",
) -> None:
    """Point a link at what its remote record became; keep the old id as an alias.

    Where that one is linked already, two records of ours are one there: merge them.
    """
    with transaction.atomic():
        there = Link.objects.filter(
            connection=mapping.connection,
            remote_object=remote_object,
            remote_id=new_id,
        ).first()
        kept = there or _second_link(mapping, link, remote_object)
        old = (link.remote_object, link.remote_id)
        if kept is not None and kept.pk != link.pk:
            if kept.record_id != link.record_id:
                merging.merge(
                    mapping.workspace,
                    mapping.record_type,
                    winner_id=kept.record_id,
                    loser_id=link.record_id,
                    origin=origin_of(mapping),
                )
            link.aliases.update(link=kept)
            link.delete()
        else:
            kept = link
            kept.remote_object, kept.remote_id = remote_object, new_id
            kept.state, kept.gone_at, kept.remote_version = (
                Link.State.LINKED,
                None,
                None,
            )
            if remote_object != old[0]:
                kept.base, kept.written = {}, {}
            kept.save()
        _alias(kept, *old, reason=reason)
        outbox.queue_records(mapping.workspace, mapping, [kept.record_id])


def _second_link(mapping: ObjectMapping, link: Link, remote_object: str) -> Link | None:
    """Return a link of the same record to the object it moves to, if there is one."""
    if remote_object == link.remote_object:
        return None
    return Link.objects.filter(
        connection=mapping.connection,
        record_type=link.record_type,
        record_id=link.record_id,
        remote_object=remote_object,
    ).first()


def _alias(link: Link, remote_object: str, remote_id: str, *, reason: str) -> None:
    LinkAlias.objects.update_or_create(
        connection_id=link.connection_id,
        remote_object=remote_object,
        remote_id=remote_id,
        defaults={"workspace_id": link.workspace_id, "link": link, "reason": reason},
    )


def _link_what_was_made(
    mapping: ObjectMapping, link: Link, record: RemoteRecord
) -> None:
    """Link the company and the deal that a conversion made, where ours are known.

    A deal is where only one of that lead waits to be sent.
    """
    kept = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        record_id=link.record_id,
    )
    ours = snapshots(mapping.record_type, [link.record_id]).get(link.record_id)
    if ours is None or not kept.exists():
        return
    others = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type__in=["company", "deal"]
    )
    for other in others:
        new_id = record.became.get(other.remote_object)
        known = _known(other, ours) if new_id else []
        if new_id and len(known) == 1:
            link_if_free(other, known[0], new_id)


def _tie_deals(mapping: ObjectMapping, remote_id: str) -> None:
    """Have the deals of somebody tied that went when there was nothing to tie them to.

    A lead there can have no deals; the contact that it became can.
    """
    owners = owners_of(mapping.connection, mapping.remote_object, [remote_id])
    deals = list(
        Deal.objects.filter(lead__in=owners.values()).values_list("pk", flat=True)
    )
    senders = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type="deal", active=True
    ).exclude(direction=ObjectMapping.Direction.PULL)
    for sender in senders if deals else ():
        if ids := ties.never_told(sender, mapping.record_type, deals):
            with transaction.atomic():
                outbox.queue_records(mapping.workspace, sender, ids)
                ties.note_to_tell(sender, mapping.record_type, ids)


def _known(mapping: ObjectMapping, lead: Snapshot) -> list[int]:
    """Return which records here it can be that a conversion of this lead made."""
    if mapping.record_type == "deal":
        rows = unsent_deals(mapping, [lead.record_id])
        return list(rows.values_list("pk", flat=True)[:2])
    company = lead.parents.get("company")
    return [company] if company else []


def follow_our_merges(changes: Sequence[RecordChange]) -> None:
    """Give the links of records that were merged here to what they became.

    Where that one is linked there already, the two remain two in the CRM: the loser's
    link ends, and a person may merge them there.
    """
    for change in changes:
        if change.action == "merged":
            _, winner = change.fields.get("merged_into", (None, None))
            if isinstance(winner, int):
                _give_links(change.record_type, change.record_id, winner)


def _give_links(record_type: str, loser: int, winner: int) -> None:
    links = Link.objects.filter(record_type=record_type, record_id=loser)
    taken = set(
        Link.objects.filter(record_type=record_type, record_id=winner).values_list(
            "connection_id", "remote_object"
        )
    )
    for link in links.exclude(state=Link.State.UNLINKED):
        if (link.connection_id, link.remote_object) in taken:
            link.state, link.gone_at = Link.State.UNLINKED, queue.now()
        else:
            link.record_id = winner
        link.save(update_fields=["state", "gone_at", "record_id"])

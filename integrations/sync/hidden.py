"""Records that a CRM neither shows nor names as deleted: hidden from us.

A lost permission looks like a deletion. Nothing is carried over of it; what was to go
out is held, and goes on by itself once the record shows again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from django.db import transaction
from django.db.models import Q, QuerySet

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Failure
from integrations.connectors.base import Connector
from integrations.models import Connection, Link, ObjectMapping, SyncEntry, ToldValue
from integrations.records import Gone
from integrations.sync import moved, outbox
from integrations.sync.plan import HIDDEN
from integrations.sync.storing import Line, write_journal
from integrations.sync.subjects import Subject
from integrations.webhooks.base import Hint

FAILURE = Failure(HIDDEN, "The CRM no longer shows us the record.", code="HIDDEN")
_TOLD: Mapping[str, str] = {
    "held": "{there} no longer shows us this record and does not name it as deleted. "
    "It stays here.",
    "linked": "{there} shows it again.",
}


def told_apart(
    mapping: ObjectMapping, connector: Connector, links: Mapping[str, Link]
) -> list[Gone]:
    """Return which missing records the CRM says are gone; the others are hidden.

    links: remote id -> link, of those that a read by id did not find just now.
    """
    if not links:
        return []
    named = {
        one.remote_id: one
        for one in connector.gone_among(mapping.remote_object, list(links))
    }
    rest = [link for remote_id, link in links.items() if remote_id not in named]
    erased = _told_deleted(mapping, rest)
    _mark(mapping, [one for one in rest if one.remote_id not in erased])
    named |= {one: Gone(mapping.remote_object, one) for one in erased}
    return [one for remote_id, one in named.items() if remote_id in links]


def _mark(mapping: ObjectMapping, links: Sequence[Link]) -> None:
    new = [one for one in links if one.state != Link.State.FORBIDDEN]
    if not new:
        return
    with transaction.atomic():
        rows = Link.objects.filter(pk__in=[one.pk for one in new])
        rows.update(state=Link.State.FORBIDDEN, gone_at=queue.now())
        _tell(mapping, new, SyncEntry.Outcome.HELD)


def _tell(
    mapping: ObjectMapping,
    links: Sequence[Link],
    outcome: Literal[SyncEntry.Outcome.HELD, SyncEntry.Outcome.LINKED],
) -> None:
    told = _TOLD[outcome].format(there=mapping.connection)
    write_journal(
        mapping,
        (
            Line(
                one.record_id,
                outcome,
                remote_id=one.remote_id,
                direction="pull",
                message=told,
                error_class=HIDDEN if outcome == SyncEntry.Outcome.HELD else "",
            )
            for one in links
        ),
    )


# --- what a webhook says --------------------------------------------------------------

# In `ToldValue.field`: it is about the record, and says that it was deleted.
_RECORD = ""


def keep_told(connection: Connection, hints: Collection[Hint]) -> None:
    """Keep for a day which records a webhook named as deleted.

    One that was erased for good is in no recycle bin that could name it.
    """
    ToldValue.objects.bulk_create(
        (
            ToldValue(
                workspace_id=connection.workspace_id,
                connection=connection,
                remote_object=one.remote_object,
                remote_id=one.remote_id,
                field=_RECORD,
                at=one.at or queue.now(),
            )
            for one in hints
            if one.kind == "deleted" and one.remote_id
        ),
        ignore_conflicts=True,
    )


def _told_deleted(mapping: ObjectMapping, links: Sequence[Link]) -> set[str]:
    """Return those that a webhook named, and no read has found since."""
    if not links:
        return set()
    rows = ToldValue.objects.filter(
        connection=mapping.connection,
        remote_object=mapping.remote_object,
        remote_id__in=[one.remote_id for one in links],
        field=_RECORD,
    )
    heard = dict(rows.order_by("heard_at").values_list("remote_id", "heard_at"))
    return {
        one.remote_id
        for one in links
        if one.remote_id in heard
        and (one.pulled_at is None or one.pulled_at < heard[one.remote_id])
    }


# --- shown again ----------------------------------------------------------------------


def show_again(mapping: ObjectMapping, links: Sequence[Link]) -> None:
    """Link hidden records again that were read; what was held of them goes on."""
    if not links:
        return
    with transaction.atomic():
        rows = Link.objects.filter(pk__in=[one.pk for one in links])
        rows.update(state=Link.State.LINKED, gone_at=None)
        _tell(mapping, links, SyncEntry.Outcome.LINKED)
        queue.retry(_held(mapping, links).values_list("pk", flat=True))


def _held(mapping: ObjectMapping, links: Sequence[Link]) -> QuerySet[WorkItem]:
    """Return the rows that wait for these records, and those of their children."""
    keys = [outbox.key_of(mapping.pk, one.record_id) for one in links]
    others = ObjectMapping.objects.filter(connection=mapping.connection)
    others = others.exclude(record_type=mapping.record_type)
    groups = [str(one) for one in others.values_list("pk", flat=True)]
    return WorkItem.objects.filter(
        Q(key__in=keys) | Q(group__in=groups),
        kind=outbox.KIND,
        channel=mapping.connection.channel_id,
        state=State.PARKED,
        error_class=HIDDEN,
    )


def look_again(
    mapping: ObjectMapping, connector: Connector, subjects: Sequence[Subject]
) -> bool:
    """Ask whether hidden records show by now, since something is to go out.

    Returns whether any does; the subjects must be gathered anew then.
    """
    ids = [one.remote_id for one in subjects if one.hidden and one.remote_id]
    if not ids:
        return False
    found = connector.fetch(mapping.remote_object, ids, fields=[])
    found = [one for one in found if not one.archived]
    links = moved.links_of_ids(mapping, moved.ids_answered(found) & set(ids))
    show_again(mapping, list(links.values()))
    moved.follow_conversions(mapping, found)
    return bool(links)

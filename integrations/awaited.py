"""What a record waits for before it can go out: its parent, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations import selectors
from integrations.models import Connection, Link, ObjectMapping, SyncEntry
from integrations.sync import outbox
from integrations.sync.outbox import WHEN_ASKED
from leads.naming import name_in, names_of


@dataclass(frozen=True, slots=True)
class Awaited:
    """The record a row waits for. item: its own row, None where nobody asked for it.

    state: how it stands, in words; can_create: asking for it now makes sense; fix_url,
    fix_label: where else it is mended.
    """

    mapping: ObjectMapping
    record_id: int
    name: str
    url: str
    state: str
    can_create: bool = False
    item: WorkItem | None = None
    fix_url: str = ""
    fix_label: str = ""
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Stand:
    """How a parent stands; see `Awaited`."""

    state: str
    can_create: bool = False
    fix_url: str = ""
    fix_label: str = ""
    next_at: datetime | None = None


def awaited_of(item: WorkItem) -> Awaited | None:
    """Return what a row waits for, None for one that waits for no record."""
    mapping_id, _, record_id = item.waits_for.partition(":")
    waits = item.state == State.WAITING and item.kind == outbox.KIND
    if not (waits and mapping_id.isdigit() and record_id.isdigit()):
        return None
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    mapping = rows.filter(pk=int(mapping_id)).first()
    if mapping is None:
        return None
    pk = int(record_id)
    record = selectors.records_by_id(mapping.record_type, [pk]).get(pk)
    name = name_in(names_of(mapping.record_type, [pk]), mapping.record_type, pk)
    row = WorkItem.objects.filter(kind=outbox.KIND, key=item.waits_for).first()
    stand = _stand(mapping, pk, row, exists=record is not None)
    return Awaited(
        mapping,
        pk,
        name,
        selectors.url_of(record),
        stand.state,
        stand.can_create,
        row,
        stand.fix_url,
        stand.fix_label,
        stand.next_at,
    )


def _stand(
    mapping: ObjectMapping, record_id: int, row: WorkItem | None, *, exists: bool
) -> _Stand:
    there = mapping.connection
    if not exists:
        return _Stand(
            "It was deleted here; this one goes on without it.", can_create=True
        )
    links = Link.objects.of(mapping).filter(record_id=record_id)
    if links.filter(state=Link.State.LINKED).exists():
        return _Stand(f"It is in {there} by now; this one follows by itself.")
    if reason := out_of_scope(mapping, record_id, row):
        told = f"It is not sent to {there}: {reason}"
        return _Stand(
            told, fix_url=mapping.get_absolute_url(), fix_label="Open its mapping"
        )
    if row is None:
        return _Stand(f"Nobody has asked for it in {there} yet.", can_create=True)
    return _on_its_way(mapping, row)


def _on_its_way(mapping: ObjectMapping, row: WorkItem) -> _Stand:
    issue = reverse("issue", args=[row.pk])
    if row.state == State.PARKED:
        told = f"It could not be sent: {row.error}"
        return _Stand(
            told, can_create=True, fix_url=issue, fix_label="See why it failed"
        )
    if row.state == State.WAITING:
        told = row.error or "It waits for another itself."
        return _Stand(
            told, can_create=True, fix_url=issue, fix_label="See what it waits for"
        )
    if row.not_before >= WHEN_ASKED:
        told = f"It waits to be asked for, as its mapping to {mapping.connection} says."
        if mapping.mode == ObjectMapping.Mode.BATCH:
            told = "It goes with the next batch."
        return _Stand(told, can_create=True, next_at=mapping.next_batch_at)
    if row.failed_at is not None and row.not_before > queue.now():
        told = "It failed and is tried again by itself."
        return _Stand(
            told,
            can_create=True,
            fix_url=issue,
            fix_label="See why it failed",
            next_at=row.not_before,
        )
    return _Stand("It is being sent now.")


def out_of_scope(mapping: ObjectMapping, record_id: int, row: WorkItem | None) -> str:
    """Return why a record never gets there, "" where it may."""
    if mapping.connection.status == Connection.Status.DISCONNECTED:
        return f"{mapping.connection} is disconnected."
    if not mapping.active:
        return "its mapping is switched off."
    if mapping.direction == ObjectMapping.Direction.PULL:
        return "its mapping only takes in."
    if not mapping.creates:
        return "its mapping updates what is there and makes nothing new."
    if row is None or row.state != State.DONE:
        return ""
    rows = SyncEntry.objects.filter(
        mapping=mapping, record_type=mapping.record_type, record_id=record_id
    )
    last = rows.order_by("-id").first()
    is_out = last is not None and last.outcome == SyncEntry.Outcome.EXCLUDED
    return last.message if is_out and last is not None else ""

"""What is read about a lead's way and about failures beyond one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import RUN_HOLD
from integrations import sentences
from integrations.models import (
    Connection,
    Event,
    Link,
    ObjectMapping,
    RemoteSchema,
    Run,
    SyncEntry,
)
from integrations.sync import failures_in, outbox
from integrations.sync.calls import BRAKED
from leads.models import Activity, CampaignMember, Company, Deal, Lead, RecordType
from leads.selectors import PER_KIND, TimelineEntry
from leads.services.fields import MODELS

PUSH, PROCESS, SETUP = "push", "process", "setup"
FETCH, PULL, RUN, FORM = "fetch", "pull", "run", "form"
HELD_FORM = "held-form"
MOVING = (State.READY, State.LEASED)

# --- the timeline of a lead -----------------------------------------------------------


def lead_timeline(lead: Lead) -> list[TimelineEntry]:
    """Return what came in for a lead and what was sent of it, newest first."""
    return [*_deliveries(lead), *_syncs(lead)]


def _deliveries(lead: Lead) -> list[TimelineEntry]:
    rows = Event.objects.filter(lead_id=lead.pk).order_by("-id")
    rows = rows.select_related("delivery__endpoint").defer("delivery__body")
    return [
        TimelineEntry(
            at=one.delivery.received_at,
            kind="delivery",
            title=f"Webhook from {one.delivery.endpoint}",
            detail=one.detail or f"{one.kind}, {one.outcome}",
            url=one.delivery.get_absolute_url(),
            status=one.outcome,
            record_type=RecordType.ACTIVITY if one.activity_id else "",
            record_id=one.activity_id,
            trace_id=one.delivery.trace_id,
        )
        for one in rows[:PER_KIND]
    ]


def _syncs(lead: Lead) -> list[TimelineEntry]:
    deals = list(Deal.objects.filter(lead=lead).values_list("pk", flat=True))
    notes = Activity.objects.filter(lead=lead).order_by("-id")
    ids = list(notes.values_list("pk", flat=True)[:PER_KIND])
    about = (
        Q(record_type=RecordType.LEAD, record_id=lead.pk)
        | Q(record_type=RecordType.DEAL, record_id__in=deals)
        | Q(record_type=RecordType.ACTIVITY, record_id__in=ids)
    )
    rows = SyncEntry.objects.filter(about).select_related("connection")
    return [_sync(one) for one in rows.order_by("-id")[:PER_KIND]]


_SENT = {
    SyncEntry.Outcome.CREATED: "created in",
    SyncEntry.Outcome.UPDATED: "updated in",
    SyncEntry.Outcome.LINKED: "found in",
    SyncEntry.Outcome.UNCHANGED: "already the same in",
    SyncEntry.Outcome.EXCLUDED: "not sent to",
    SyncEntry.Outcome.HELD: "held back from",
    SyncEntry.Outcome.DELETED: "deleted in",
    SyncEntry.Outcome.RETRYING: "not accepted yet by",
    SyncEntry.Outcome.FAILED: "not accepted by",
}
_TAKEN = {
    SyncEntry.Outcome.CREATED: "created from",
    SyncEntry.Outcome.UPDATED: "updated from",
    SyncEntry.Outcome.LINKED: "found in",
    SyncEntry.Outcome.UNCHANGED: "already the same in",
    SyncEntry.Outcome.EXCLUDED: "not taken from",
    SyncEntry.Outcome.HELD: "not wholly taken from",
    SyncEntry.Outcome.DELETED: "deleted in",
    SyncEntry.Outcome.RETRYING: "not taken yet from",
    SyncEntry.Outcome.FAILED: "not taken from",
}


def _detail(one: SyncEntry) -> str:
    if one.outcome == SyncEntry.Outcome.HELD:
        return "A conflict waits for a decision."
    remote = f"{one.remote_object} {one.remote_id}" if one.remote_id else ""
    fields = f"{len(one.fields)} fields" if one.fields else ""
    return ", ".join(part for part in (remote, fields) if part)


def _sync(one: SyncEntry) -> TimelineEntry:
    what = one.get_record_type_display()
    words = _TAKEN if one.direction == "pull" else _SENT
    told = sentences.told(one, one.connection)
    return TimelineEntry(
        at=one.at,
        kind="sync",
        title=f"{what} {words[SyncEntry.Outcome(one.outcome)]} {one.connection}",
        detail=told.sentence or _detail(one),
        url=one.connection.get_absolute_url(),
        status=one.outcome,
        record_type=one.record_type,
        record_id=one.record_id,
        trace_id=one.trace_id,
        answer=told.answer,
        answer_of=str(one.connection) if told.answer else "",
    )


# --- outbox rows and what is wrong with them ------------------------------------------

# What a paused run holds waits for nobody's mending.
_WAITS = Q(state=State.WAITING) & ~Q(waits_for__startswith=RUN_HOLD)
FAILING = Q(failed_at__isnull=False) & ~Q(state=State.DONE) | _WAITS


def failing_items() -> QuerySet[WorkItem]:
    """Return what failed and is not done, or waits for something that did not come."""
    return WorkItem.objects.filter(FAILING).order_by("-failed_at", "-id")


@dataclass(frozen=True, slots=True)
class Row:
    """A work item with the record, mapping and connection it is about.

    record_type is "" for work that is about no record; record_label then says what, and
    record_url where. remote_id: of a record that is to come in. run: the run it drives,
    or the one that waits for a person because of it.
    """

    item: WorkItem
    record_type: str
    record_id: int | None
    record_label: str
    record_url: str
    connection: Connection | None
    mapping: ObjectMapping | None
    remote_id: str = ""
    run: Run | None = None

    @property
    def retryable(self) -> bool:
        """Tell whether asking again now makes sense."""
        return self.item.state not in (State.DONE, State.LEASED)


def rows_of(items: Iterable[WorkItem]) -> list[Row]:
    """Join work items with what they are about, in a query per table."""
    items = list(items)
    known = _Known(items)
    return [_row(item, known) for item in items]


class _Known:
    """What a list of work items is about, read table by table."""

    def __init__(self, items: Sequence[WorkItem]) -> None:
        self.connections = {one.channel_id: one for one in Connection.objects.all()}
        ids = [one for item in items if (one := _run_id(item)).isdigit()]
        self.runs = {str(pk): one for pk, one in Run.objects.in_bulk(ids).items()}
        wanted = {one for item in items if (one := self._mapping_id(item))}
        found = ObjectMapping.objects.filter(pk__in=wanted)
        self.mappings = {str(one.pk): one for one in found.select_related("connection")}
        self.links = self._links([item for item in items if item.kind == FETCH])
        self.stopped = self._stopped([item for item in items if item.kind == PULL])
        self.records = self._records(items)

    def _mapping_id(self, item: WorkItem) -> str:
        if item.kind == RUN:
            run = self.runs.get(item.key)
            return str(run.mapping_id) if run is not None else ""
        wanted = item.key if item.kind == PULL else item.group
        about = item.kind in {PUSH, FETCH, PULL}
        return wanted if about and wanted.isdigit() else ""

    def mapping_of(self, item: WorkItem) -> ObjectMapping | None:
        """Return the mapping a work item goes by."""
        return self.mappings.get(self._mapping_id(item))

    def _links(self, items: Sequence[WorkItem]) -> dict[tuple[int, str, str], int]:
        ids = {failures_in.remote_id_of(item.key) for item in items}
        if not ids:
            return {}
        rows = Link.objects.filter(
            connection__in={one.connection for one in self.mappings.values()},
            remote_id__in=ids,
        )
        return {
            (one.connection_id, one.remote_object, one.remote_id): one.record_id
            for one in rows
        }

    def _stopped(self, items: Sequence[WorkItem]) -> dict[int, Run]:
        """Return the newest run that waits for approval, by its mapping."""
        if not items:
            return {}
        keys = [int(item.key) for item in items if item.key.isdigit()]
        rows = Run.objects.filter(mapping__in=keys, state=Run.State.STOPPED)
        return {one.mapping_id: one for one in rows.order_by("id")}

    def _records(self, items: Sequence[WorkItem]) -> dict[str, Mapping[int, object]]:
        wanted: dict[str, set[int]] = defaultdict(set)
        for item in items:
            mapping, record_id = self.mapping_of(item), self.record_id_of(item)
            if mapping is not None and record_id is not None:
                wanted[mapping.record_type].add(record_id)
        return {kind: records_by_id(kind, ids) for kind, ids in wanted.items()}

    def record_id_of(self, item: WorkItem) -> int | None:
        """Return the record of ours that a work item is about, None for none yet."""
        mapping = self.mapping_of(item)
        if mapping is None or item.kind not in {PUSH, FETCH}:
            return None
        if item.kind == PUSH:
            return outbox.record_of(item.key)
        remote_id = failures_in.remote_id_of(item.key)
        return self.links.get((mapping.connection_id, mapping.remote_object, remote_id))


def _run_id(item: WorkItem) -> str:
    """Return the run a work item drives, or that holds it for approval, "" for none."""
    if item.kind == PUSH and item.error_class == BRAKED:
        return str(item.run or "")
    return item.key if item.kind == RUN else ""


def _row(item: WorkItem, known: _Known) -> Row:
    mapping = known.mapping_of(item)
    connection = known.connections.get(item.channel_id)
    run = known.runs.get(_run_id(item))
    if mapping is not None and item.kind == PULL:
        run = known.stopped.get(mapping.pk)
    if mapping is None or item.kind not in {PUSH, FETCH}:
        label, url = _about(item, mapping, run, connection)
        return Row(item, "", None, label, url, connection, mapping, run=run)
    record_id = known.record_id_of(item)
    record = known.records.get(mapping.record_type, {}).get(record_id or 0)
    remote_id = failures_in.remote_id_of(item.key) if item.kind == FETCH else ""
    return Row(
        item=item,
        record_type=mapping.record_type,
        record_id=record_id,
        record_label=_record_label(mapping, record, record_id, remote_id),
        record_url=url_of(record),
        connection=connection,
        mapping=mapping,
        remote_id=remote_id,
        run=run,
    )


def _record_label(
    mapping: ObjectMapping, record: object, record_id: int | None, remote_id: str
) -> str:
    if isinstance(record, Activity):
        return _activity_label(record)
    if record is not None:
        return str(record)
    if record_id is None:
        return f"{mapping.connection} {mapping.remote_object} {remote_id}"
    return f"{mapping.get_record_type_display()} {record_id} (gone)"


def _activity_label(activity: Activity) -> str:
    """Return an activity by what it says or whom it is about: it has no name."""
    noun, about = activity.get_kind_display(), activity.lead or activity.deal
    if activity.subject:
        return f"{noun}: {activity.subject}"
    return f"{noun} about {about}" if about else str(activity)


def _about(
    item: WorkItem,
    mapping: ObjectMapping | None,
    run: Run | None,
    connection: Connection | None,
) -> tuple[str, str]:
    """Return what work without a record is about, and the page that shows it."""
    if item.kind == RUN and run is not None:
        return str(run), run.get_absolute_url()
    if item.kind == PULL and mapping is not None:
        url = reverse("mapping-runs", args=[mapping.pk])
        return f"Changes of {mapping.connection} {mapping.remote_object}", url
    if item.kind == FORM and connection is not None:
        url = reverse("connection-forms", args=[connection.pk])
        return f"A form of {connection}", url
    if item.kind == HELD_FORM and connection is not None:
        url = reverse("connection-forms", args=[connection.pk])
        return f"A submitted form of {connection}", url
    if item.kind == SETUP and connection is not None:
        return f"Set-up of {connection}", connection.get_absolute_url()
    if item.kind == PROCESS:
        return f"Delivery {item.key}", ""
    return f"{item.kind.capitalize()} {item.key}", ""


def url_of(record: object) -> str:
    """Return the page of a record; an activity is shown on its lead's or deal's.

    "" where there is none.
    """
    if isinstance(record, Activity):
        record = record.lead or record.deal
    elif isinstance(record, CampaignMember):
        record = record.lead
    if isinstance(record, Lead | Company | Deal):
        return record.get_absolute_url()
    return ""


def records_by_id(record_type: str, ids: Iterable[int]) -> Mapping[int, object]:
    """Return the records that exist of these ids."""
    wanted = {one for one in ids if one}
    if record_type == RecordType.ACTIVITY:
        # Called by, and shown on, what it is about.
        return Activity.objects.select_related("lead", "deal").in_bulk(wanted)
    if record_type == RecordType.CAMPAIGN_MEMBER:
        rows = CampaignMember.objects.select_related("lead", "campaign")
        return rows.in_bulk(wanted)
    return MODELS[record_type].objects.in_bulk(wanted)


class HiddenRecord(NamedTuple):
    """A record of ours that is linked to one we can no longer see."""

    label: str
    url: str
    remote_object: str
    remote_id: str


def hidden_records(connection: Connection, most: int = 10) -> list[HiddenRecord]:
    """Return the first linked records that the CRM does not show us any more."""
    rows = Link.objects.filter(connection=connection, state=Link.State.FORBIDDEN)
    links = list(rows.order_by("pk")[:most])
    found = {
        kind: records_by_id(kind, [o.record_id for o in links if o.record_type == kind])
        for kind in {one.record_type for one in links}
    }
    return [_hidden(one, found[one.record_type].get(one.record_id)) for one in links]


def _hidden(link: Link, record: object | None) -> HiddenRecord:
    label = f"{link.get_record_type_display()} {link.record_id}"
    told = label if record is None else str(record)
    return HiddenRecord(told, url_of(record), link.remote_object, link.remote_id)


def label_of(mapping: ObjectMapping, record: object | None, entry: SyncEntry) -> str:
    """Return what a journal entry is about, in words."""
    if isinstance(record, Activity):
        return _activity_label(record)
    if record is not None:
        return str(record)
    noun = mapping.get_record_type_display()
    if not entry.record_id:
        return f"{mapping.remote_object} {entry.remote_id}"
    return f"{noun} {entry.record_id} (gone)"


def remote_labels(mapping: ObjectMapping) -> dict[str, str]:
    """Return the names people know the remote object's fields by: name -> label."""
    schema = RemoteSchema.objects.filter(
        connection=mapping.connection, object_type=mapping.remote_object
    ).first()
    return {
        one["name"]: one.get("label") or one["name"]
        for one in (schema.fields if schema else [])
    }

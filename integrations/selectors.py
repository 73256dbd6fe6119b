"""What is read about connections, syncs and failures beyond one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import (
    Connection,
    Delivery,
    Event,
    ObjectMapping,
    RemoteSchema,
    SyncEntry,
)
from integrations.sync import outbox
from leads.models import Activity, Campaign, Company, Deal, Lead, RecordType
from leads.selectors import PER_KIND, TimelineEntry

PUSH, PROCESS = "push", "process"
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


def _sync(one: SyncEntry) -> TimelineEntry:
    what = one.get_record_type_display()
    remote = f"{one.remote_object} {one.remote_id}" if one.remote_id else ""
    fields = f"{len(one.fields)} fields" if one.fields else ""
    words = _TAKEN if one.direction == "pull" else _SENT
    return TimelineEntry(
        at=one.at,
        kind="sync",
        title=f"{what} {words[SyncEntry.Outcome(one.outcome)]} {one.connection}",
        detail=one.message or ", ".join(part for part in (remote, fields) if part),
        url=one.connection.get_absolute_url(),
        status=one.outcome,
        record_type=one.record_type,
        record_id=one.record_id,
        trace_id=one.trace_id,
    )


# --- home -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectionFigures:
    """How one connection stands. oldest_at: since when its oldest row waits."""

    connection: Connection
    waiting: int
    failing: int
    moved_today: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class HomeFigures:
    """What is connected, what moved since midnight, what is stuck."""

    connections: Sequence[ConnectionFigures]
    deliveries_today: int
    leads_today: int
    deals_today: int
    sent_today: int
    waiting: int
    failing: int
    failed_deliveries: int


def midnight(workspace: Workspace, now: datetime) -> datetime:
    """Return when the workspace's day began."""
    try:
        zone = ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def home_figures(workspace: Workspace, now: datetime | None = None) -> HomeFigures:
    """Return the figures of the home page, each from one query."""
    since = midnight(workspace, now or timezone.now())
    rows = _connection_figures(since)
    items = WorkItem.objects.filter(_UNDER_WAY)
    return HomeFigures(
        connections=rows,
        deliveries_today=Delivery.objects.filter(received_at__gte=since).count(),
        leads_today=Lead.objects.filter(created_at__gte=since).count(),
        deals_today=Deal.objects.filter(created_at__gte=since).count(),
        sent_today=sum(one.moved_today for one in rows),
        waiting=items.count(),
        failing=failing_items().count(),
        failed_deliveries=Delivery.objects.filter(state=Delivery.State.FAILED).count(),
    )


def _connection_figures(since: datetime) -> list[ConnectionFigures]:
    unfinished = _UNDER_WAY
    counted = WorkItem.objects.order_by().values_list("channel_id")
    work: dict[int, tuple[int, int, datetime | None]] = {
        channel_id: (waiting, failing, oldest)
        for channel_id, waiting, failing, oldest in counted.annotate(
            waiting=Count("id", filter=unfinished),
            failing=Count("id", filter=_FAILING),
            oldest=Min("created_at", filter=unfinished),
        )
    }
    moved = SyncEntry.objects.filter(at__gte=since, outcome__in=["created", "updated"])
    by_connection = dict(
        moved.order_by().values_list("connection_id").annotate(n=Count("id"))
    )
    nothing = (0, 0, None)
    figures = []
    for one in Connection.objects.order_by("name", "id"):
        waiting, failing, oldest = work.get(one.channel_id or 0, nothing)
        moved_today = by_connection.get(one.pk, 0)
        figures.append(ConnectionFigures(one, waiting, failing, moved_today, oldest))
    return figures


# A poll and a run come again by themselves, and what waits for a batch or for somebody
# to ask is in nobody's way: none of these is a backlog.
_UNDER_WAY = (
    Q(state__in=MOVING, failed_at__isnull=True)
    & ~Q(kind__in=["pull", "run"])
    & Q(not_before__lt=outbox.WHEN_ASKED)
)

# --- outbox rows and what is wrong with them ------------------------------------------

_FAILING = Q(failed_at__isnull=False) & ~Q(state=State.DONE) | Q(state=State.WAITING)


def failing_items() -> QuerySet[WorkItem]:
    """Return what failed and is not done, or waits for something that did not come."""
    return WorkItem.objects.filter(_FAILING).order_by("-failed_at", "-id")


@dataclass(frozen=True, slots=True)
class Row:
    """A work item with the record, mapping and connection it is about.

    record_type is "" for work that is about no record; record_label then says what.
    """

    item: WorkItem
    record_type: str
    record_id: int | None
    record_label: str
    record_url: str
    connection: Connection | None
    mapping: ObjectMapping | None

    @property
    def retryable(self) -> bool:
        """Tell whether asking again now makes sense."""
        return self.item.state not in (State.DONE, State.LEASED)


def rows_of(items: Iterable[WorkItem]) -> list[Row]:
    """Join work items with what they are about, in a query per table."""
    items = list(items)
    mappings = _mappings(items)
    connections = {one.channel_id: one for one in Connection.objects.all()}
    wanted: dict[str, set[int]] = defaultdict(set)
    for item in items:
        if mapping := mappings.get(item.group):
            wanted[mapping.record_type].add(outbox.record_of(item.key))
    records = {name: _MODELS[name].objects.in_bulk(ids) for name, ids in wanted.items()}
    return [_row(item, mappings, connections, records) for item in items]


_MODELS: Mapping[str, type[Lead | Company | Deal | Activity | Campaign]] = {
    RecordType.LEAD: Lead,
    RecordType.COMPANY: Company,
    RecordType.DEAL: Deal,
    RecordType.ACTIVITY: Activity,
    RecordType.CAMPAIGN: Campaign,
}


def _mappings(items: Sequence[WorkItem]) -> dict[str, ObjectMapping]:
    groups = {
        item.group for item in items if item.kind == PUSH and item.group.isdigit()
    }
    found = ObjectMapping.objects.filter(pk__in=groups).select_related("connection")
    return {str(one.pk): one for one in found}


def _row(
    item: WorkItem,
    mappings: Mapping[str, ObjectMapping],
    connections: Mapping[int | None, Connection],
    records: Mapping[str, Mapping[int, object]],
) -> Row:
    mapping = mappings.get(item.group) if item.kind == PUSH else None
    connection = connections.get(item.channel_id)
    if mapping is None:
        return Row(item, "", None, _label(item), "", connection, None)
    record_id = outbox.record_of(item.key)
    record = records[mapping.record_type].get(record_id)
    gone = f"{mapping.get_record_type_display()} {record_id} (gone)"
    return Row(
        item=item,
        record_type=mapping.record_type,
        record_id=record_id,
        record_label=str(record) if record is not None else gone,
        record_url=url_of(record),
        connection=connection,
        mapping=mapping,
    )


def _label(item: WorkItem) -> str:
    if item.kind == PROCESS:
        return f"Delivery {item.key}"
    return f"{item.kind.capitalize()} {item.key}"


def url_of(record: object) -> str:
    """Return the page of a record; an activity is shown on its lead's or deal's.

    "" where there is none.
    """
    if isinstance(record, Activity):
        record = record.lead or record.deal
    if isinstance(record, Lead | Company | Deal):
        return record.get_absolute_url()
    return ""


def records_by_id(record_type: str, ids: Iterable[int]) -> Mapping[int, object]:
    """Return the records that exist of these ids."""
    return _MODELS[record_type].objects.in_bulk({one for one in ids if one})


def label_of(mapping: ObjectMapping, record: object | None, entry: SyncEntry) -> str:
    """Return what a journal entry is about, in words."""
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

"""What is connected, what moved since midnight, what is stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Count, Min, Q
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from integrations.models import Connection, Delivery, SyncEntry
from integrations.selectors import FAILING, MOVING, failing_items
from integrations.sync import outbox
from leads.models import Deal, Lead

# A poll and a run come again by themselves, and what waits for a batch or for somebody
# to ask is in nobody's way: none of these is a backlog.
_UNDER_WAY = (
    Q(state__in=MOVING, failed_at__isnull=True)
    & ~Q(kind__in=["pull", "run"])
    & Q(not_before__lt=outbox.WHEN_ASKED)
)


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
            failing=Count("id", filter=FAILING),
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

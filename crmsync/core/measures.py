"""What the queue looks like, as Prometheus metrics read from the database.

Every process reads the same numbers, so it does not matter which one is asked. Labels
are ids and words of ours, never names.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

from django.db.models import Case, Count, F, Min, Q, Sum, When
from django_scopes import scopes_disabled
from prometheus_client.core import GaugeMetricFamily

from crmsync.core import heartbeat, queue
from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State

_COUNTERS = ("applied", "coalesced", "skipped", "dead")
_UNFINISHED = (State.READY, State.LEASED, State.WAITING)


@scopes_disabled()
def queue_metrics() -> list[GaugeMetricFamily]:
    """Return depth, ages, leases, failures, the ledger and the channels."""
    return [
        *_depth(),
        _oldest(),
        *_leases(),
        _parked(),
        *_ledgers(),
        *_channels(),
        _heartbeats(),
    ]


def _depth() -> Iterator[GaugeMetricFamily]:
    depth = GaugeMetricFamily(
        "crmsync_queue_items",
        "Unfinished work items.",
        labels=["kind", "channel", "state"],
    )
    rows = WorkItem.objects.filter(state__in=_UNFINISHED).order_by()
    for kind, channel, state, count in rows.values_list(
        "kind", "channel__name", "state"
    ).annotate(n=Count("pk")):
        depth.add_metric([kind, channel, state], count)
    yield depth


def _oldest() -> GaugeMetricFamily:
    """Measure what is due, on closed channels too: the pause is a metric as well."""
    oldest = GaugeMetricFamily(
        "crmsync_queue_oldest_seconds",
        "Age of the oldest due work item.",
        labels=["kind", "channel"],
    )
    at = queue.now()
    due = WorkItem.objects.filter(state=State.READY, not_before__lte=at).order_by()
    rows = due.values_list("kind", "channel__name").annotate(first=Min("not_before"))
    for kind, channel, first in rows:
        oldest.add_metric([kind, channel], (at - first).total_seconds())
    return oldest


def _leases() -> Iterator[GaugeMetricFamily]:
    at = queue.now()
    leased = WorkItem.objects.filter(state=State.LEASED)
    live = GaugeMetricFamily("crmsync_leases", "Leases that are out.", labels=["kind"])
    rows = leased.filter(leased_until__gt=at).order_by().values_list("kind")
    for kind, count in rows.annotate(n=Count("lease_token", distinct=True)):
        live.add_metric([kind], count)
    yield live
    yield GaugeMetricFamily(
        "crmsync_leases_expired",
        "Items whose worker is gone and that wait to be rescued.",
        value=leased.filter(leased_until__lte=at).count(),
    )
    unfinished = WorkItem.objects.filter(state__in=_UNFINISHED)
    yield GaugeMetricFamily(
        "crmsync_rescues",
        "How often unfinished items were taken from dead workers.",
        value=unfinished.aggregate(n=Sum("rescues"))["n"] or 0,
    )


def _parked() -> GaugeMetricFamily:
    parked = GaugeMetricFamily(
        "crmsync_parked_items",
        "Work items that failed and need a person.",
        labels=["kind", "error_class"],
    )
    rows = WorkItem.objects.filter(state=State.PARKED, failed_at__isnull=False)
    for kind, error_class, count in (
        rows.order_by().values_list("kind", "error_class").annotate(n=Count("pk"))
    ):
        parked.add_metric([kind, error_class], count)
    return parked


def _ledgers() -> Iterator[GaugeMetricFamily]:
    """Read the conservation law in one statement, so that it is one moment's."""
    asks = GaugeMetricFamily(
        "crmsync_ledger_asks",
        "What was asked for and what became of it.",
        labels=["workspace", "outcome"],
    )
    gap = GaugeMetricFamily(
        "crmsync_ledger_difference",
        "received - applied - coalesced - skipped - dead - waiting; must be 0.",
        labels=["workspace"],
    )
    settled = F("applied") + F("coalesced") + F("skipped") + F("dead")
    unsettled = Sum(
        Case(When(state__in=_UNFINISHED, then=F("wanted") - settled), default=0)
    )
    sums = WorkItem.objects.order_by().values("workspace_id")
    rows = sums.annotate(
        received=Sum("wanted"),
        waiting=unsettled,
        **{f"sum_{name}": Sum(name) for name in _COUNTERS},
    )
    for found in rows:
        row = cast("dict[str, int]", found)
        workspace = str(row["workspace_id"])
        counts = {name: row[f"sum_{name}"] for name in _COUNTERS}
        counts["waiting"] = row["waiting"]
        for outcome, count in {"received": row["received"], **counts}.items():
            asks.add_metric([workspace, outcome], count)
        gap.add_metric([workspace], row["received"] - sum(counts.values()))
    yield asks
    yield gap


def _channels() -> Iterator[GaugeMetricFamily]:
    paused = GaugeMetricFamily(
        "crmsync_channel_paused_seconds",
        "How long nothing will leave the channel yet.",
        labels=["channel"],
    )
    blocked = GaugeMetricFamily(
        "crmsync_channel_blocked",
        "1 while a person must act before anything leaves the channel.",
        labels=["channel"],
    )
    at = queue.now()
    closed = Q(paused_until__gt=at) | ~Q(blocked_because="")
    for channel in Channel.objects.filter(closed):
        if channel.paused_until and channel.paused_until > at:
            wait_s = (channel.paused_until - at).total_seconds()
            paused.add_metric([channel.name], wait_s)
        if channel.blocked_because:
            blocked.add_metric([channel.name], 1)
    yield paused
    yield blocked


def _heartbeats() -> GaugeMetricFamily:
    seen = GaugeMetricFamily(
        "crmsync_worker_last_seen_timestamp_seconds",
        "When a task of the queue last ran.",
        labels=["queue"],
    )
    for name in heartbeat.SILENT_S:
        silent_s = heartbeat.silent_s(name)
        if silent_s is not None:
            seen.add_metric([name], time.time() - silent_s)
    return seen

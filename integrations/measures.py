"""Deliveries, vendor calls and connections as Prometheus metrics from the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Avg, Count, Max, Sum
from django.utils import timezone
from django_scopes import scopes_disabled
from prometheus_client.core import GaugeMetricFamily

from integrations.models import ApiCall, Connection, Delivery

RECENT = timedelta(minutes=5)
# Calls have no index by time; no account allows more of them in five minutes.
_NEWEST_CALLS = 50_000


@scopes_disabled()
def sync_metrics() -> list[GaugeMetricFamily]:
    """Return what came in, what was called and how the connections stand."""
    return [_deliveries(), *_calls(), _connections()]


def _deliveries() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "crmsync_deliveries", "Stored webhook deliveries.", labels=["state"]
    )
    rows = Delivery.objects.order_by().values_list("state").annotate(n=Count("pk"))
    counts = dict(rows)
    for state in Delivery.State.values:
        family.add_metric([state], counts.get(state, 0))
    return family


def _calls() -> Iterator[GaugeMetricFamily]:
    calls = GaugeMetricFamily(
        "crmsync_api_calls_recent",
        "Calls to vendors in the last five minutes.",
        labels=["vendor", "outcome"],
    )
    records = GaugeMetricFamily(
        "crmsync_api_call_records_recent",
        "Records these calls were about.",
        labels=["vendor", "outcome"],
    )
    duration = GaugeMetricFamily(
        "crmsync_api_call_mean_seconds_recent",
        "How long these calls took on average.",
        labels=["vendor", "outcome"],
    )
    newest = ApiCall.objects.aggregate(pk=Max("pk"))["pk"] or 0
    recent = ApiCall.objects.filter(
        pk__gt=newest - _NEWEST_CALLS, at__gte=timezone.now() - RECENT
    )
    rows = recent.order_by().values_list("connection__vendor", "outcome")
    for vendor, outcome, count, inputs, took_ms in rows.annotate(
        n=Count("pk"), inputs_sum=Sum("inputs"), took=Avg("duration_ms")
    ):
        calls.add_metric([vendor, outcome], count)
        records.add_metric([vendor, outcome], inputs)
        duration.add_metric([vendor, outcome], took_ms / 1000)
    yield from (calls, records, duration)


def _connections() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "crmsync_connections", "Connections.", labels=["vendor", "status"]
    )
    rows = Connection.objects.order_by().values_list("vendor", "status")
    for vendor, status, count in rows.annotate(n=Count("pk")):
        family.add_metric([vendor, status], count)
    return family

"""Deliveries, calls and how fresh each connection is, as Prometheus metrics.

Read from the database. Labels are ids and words of ours, never names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Max, Sum
from django.utils import timezone
from django_scopes import scopes_disabled
from prometheus_client.core import GaugeMetricFamily

from crmsync.core.models import Channel
from integrations.freshness import Freshness, MappingFreshness, of_connections
from integrations.models import ApiCall, Connection, Delivery, Run

RECENT = timedelta(minutes=5)
# Calls have no index by time; no account allows more of them in five minutes.
_NEWEST_CALLS = 50_000
# Nor have runs by state; what is older than so many others is history.
_NEWEST_RUNS = 20_000


@scopes_disabled()
def sync_metrics() -> list[GaugeMetricFamily]:
    """Return what came in, what was called and how the connections stand."""
    now = timezone.now()
    working = Connection.objects.exclude(status=Connection.Status.DISCONNECTED)
    fresh = list(of_connections(working.select_related("channel"), now).values())
    return [
        _deliveries(),
        *_calls(),
        _connections(),
        *_unsynced(fresh, now),
        *_reading(fresh, now),
        _conflicts(fresh),
        _runs(),
        _breakers(fresh),
        _budgets(fresh),
    ]


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


# --- how fresh each connection is -----------------------------------------------------


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=["connection", "vendor", *labels])


def _labels(fresh: Freshness, *more: str) -> list[str]:
    return [str(fresh.connection.pk), fresh.connection.vendor, *more]


def _unsynced(shown: Iterable[Freshness], now: datetime) -> list[GaugeMetricFamily]:
    """Measure what should have left. What waits for a batch is counted apart."""
    age = _family(
        "crmsync_oldest_unsynced_seconds",
        "Age of the oldest change that should have left; 0 while none waits.",
    )
    count = _family(
        "crmsync_unsynced_changes",
        "Changes that have not left; those put aside wait for a batch or a wish.",
        "put_aside",
    )
    for fresh in shown:
        waits = [one.waiting for one in fresh.mappings]
        age.add_metric(_labels(fresh), _age_s(fresh.oldest_at or now, now))
        count.add_metric(_labels(fresh, "no"), sum(one.count for one in waits))
        count.add_metric(_labels(fresh, "yes"), sum(one.aside for one in waits))
    return [age, count]


def _age_s(at: datetime, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0)


def _reading(shown: Iterable[Freshness], now: datetime) -> list[GaugeMetricFamily]:
    """Measure, by mapping that takes something in, how old what it knows may be."""
    pulled = _family(
        "crmsync_pull_age_seconds",
        "How long ago the CRM's changes were last read to the end.",
        "mapping",
    )
    compared = _family(
        "crmsync_compare_age_seconds",
        "How long ago all records were last compared.",
        "mapping",
    )
    silent = _family(
        "crmsync_webhooks_silent",
        "1 while the CRM's own notices do not come and it is asked more often.",
        "mapping",
    )
    drift = _family(
        "crmsync_drift_share",
        "Share of records that differed in the last audit, 0 to 1.",
        "mapping",
    )
    for fresh, one in _that_take(shown):
        labels = _labels(fresh, str(one.mapping.pk))
        if one.read_at is not None:
            pulled.add_metric(labels, _age_s(one.read_at, now))
        if one.swept_at is not None:
            compared.add_metric(labels, _age_s(one.swept_at, now))
        until = one.mapping.fast_pull_until
        silent.add_metric(labels, until is not None and until > now)
        if one.drift is not None and one.drift.checked:
            drift.add_metric(labels, one.drift.drifted / one.drift.checked)
    return [pulled, compared, silent, drift]


def _that_take(
    shown: Iterable[Freshness],
) -> Iterator[tuple[Freshness, MappingFreshness]]:
    for fresh in shown:
        for one in fresh.mappings:
            if one.takes and one.mapping.active:
                yield fresh, one


def _conflicts(shown: Iterable[Freshness]) -> GaugeMetricFamily:
    family = _family("crmsync_conflicts_open", "Conflicts that wait for a decision.")
    for fresh in shown:
        family.add_metric(_labels(fresh), fresh.conflicts)
    return family


def _runs() -> GaugeMetricFamily:
    family = _family("crmsync_runs", "Runs.", "kind", "state")
    newest = Run.objects.aggregate(pk=Max("pk"))["pk"] or 0
    rows = Run.objects.filter(pk__gt=newest - _NEWEST_RUNS).order_by()
    names = ("connection_id", "connection__vendor", "kind", "state")
    for connection_id, vendor, kind, state, count in rows.values_list(*names).annotate(
        n=Count("pk")
    ):
        family.add_metric([str(connection_id), vendor, kind, state], count)
    return family


def _breakers(shown: Iterable[Freshness]) -> GaugeMetricFamily:
    family = _family(
        "crmsync_breaker",
        "1 for the state the connection's breaker is in: closed, open or half.",
        "state",
    )
    for fresh in shown:
        if fresh.connection.channel is not None:
            for state in Channel.Breaker.values:
                is_in = fresh.connection.channel.breaker == state
                family.add_metric(_labels(fresh, state), is_in)
    return family


def _budgets(shown: Iterable[Freshness]) -> GaugeMetricFamily:
    family = _family(
        "crmsync_daily_budget_share",
        "Share of the CRM's daily budget of calls that is used, 1 = all.",
    )
    for fresh in shown:
        if fresh.budget is not None:
            family.add_metric(_labels(fresh), fresh.budget.share)
    return family

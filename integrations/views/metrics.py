"""`/metrics`: what Prometheus scrapes."""

from __future__ import annotations

import hmac
import ipaddress
import os
import threading
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from crmsync.core.measures import queue_metrics
from integrations.measures import sync_metrics

# Counting is work for the database; two scrapers together cost as much as one.
LIFE_S = 5.0
_PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via")


class StoredMetrics:
    """Collects what the database says; without it, only that it is away."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every family, `crmsync_database_up` last."""
        up = GaugeMetricFamily("crmsync_database_up", "1 while the database answers.")
        try:
            found = [*queue_metrics(), *sync_metrics()]
        except (DatabaseError, InterfaceError):
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
            yield from found
        yield up


class _Kept:
    """The text of the stored metrics, for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._text = b""

    def text(self) -> bytes:
        with self._lock:
            if time.monotonic() >= self._until:
                registry = CollectorRegistry()
                registry.register(StoredMetrics())
                self._text = generate_latest(registry)
                self._until = time.monotonic() + LIFE_S
            return self._text

    def forget(self) -> None:
        self._until = 0.0


kept = _Kept()


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer everything there is to measure; 403 for who may not see it."""
    refusal = _refusal(request)
    if refusal:
        return HttpResponseForbidden(refusal, content_type="text/plain")
    return HttpResponse(_counted() + kept.text(), content_type=CONTENT_TYPE_LATEST)


def _counted() -> bytes:
    """Return what processes count themselves: of this one, or of all that share."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def _refusal(request: HttpRequest) -> str:
    """Return why not, "" when the caller may.

    Without a token only neighbours may ask, and not through a proxy: behind one,
    every stranger has the proxy's address.
    """
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").encode()
        wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
        return "" if hmac.compare_digest(given, wanted) else "Send METRICS_TOKEN.\n"
    proxied = any(name in request.headers for name in _PROXY_HEADERS)
    if not proxied and _is_near(request.META.get("REMOTE_ADDR", "")):
        return ""
    return "Only from a private address; elsewhere set METRICS_TOKEN.\n"


def _is_near(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        # A unix socket has no address; whoever reaches it is on this machine.
        return not address
    return found.is_loopback or found.is_private

"""Opens the connector of a stored connection; sockets stay open between calls."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.conf import settings

from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.connectors.http import CallRecord, HttpClient, TokenProvider
from integrations.connectors.limits import shared_budget
from integrations.connectors.oauth import StoredToken
from integrations.models import Connection

_open = threading.local()


def api_url(vendor: str) -> str:
    """Return the vendor's API host; a setting, so that a sandbox can stand in."""
    return str(getattr(settings, f"{vendor.upper()}_API_URL"))


def connector_with(
    vendor: str,
    token: TokenProvider,
    *,
    scope: str,
    access: str,
    on_call: Callable[[CallRecord], None] | None = None,
) -> Connector:
    """Make a connector from plain values.

    scope: who shares its call budget; access: "oauth" or "token", which decides the
    vendor's limits.
    """
    entry = CONNECTORS[vendor]
    spec = entry.spec
    budget = shared_budget(
        scope, settings.LIMITS_URL, tuple(spec.limits[access]), spec.rate_headers
    )
    client = HttpClient(
        api_url(vendor),
        token,
        vendor=vendor,
        parse_error=entry.parse_error,
        limiter=budget,
        on_call=on_call,
        request_id_headers=entry.request_id_headers,
    )
    return entry.make(client)


class Calls:
    """Collects what was called until the journal writes it down."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []

    def __call__(self, record: CallRecord) -> None:
        """Remember one call."""
        self.records.append(record)

    def take(self) -> list[CallRecord]:
        """Return what has been collected and start anew."""
        taken, self.records = self.records, []
        return taken


def open_connector(connection: Connection) -> tuple[Connector, Calls]:
    """Return this thread's connector of a connection and the log of its calls."""
    cache: dict[tuple[int, str], tuple[Connector, Calls]]
    cache = _open.__dict__.setdefault("by_connection", {})
    key = (connection.pk, api_url(connection.vendor))
    if key not in cache:
        calls = Calls()
        opened = connector_with(
            connection.vendor,
            StoredToken(connection.pk),
            scope=f"connection-{connection.pk}",
            access=connection.auth,
            on_call=calls,
        )
        cache[key] = (opened, calls)
    return cache[key]


def close_all() -> None:
    """Forget this thread's open connectors, e.g. after their host has changed."""
    _open.__dict__.clear()

"""Opens the connector of a stored connection; sockets stay open between calls."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from crmsync.core import queue
from integrations.connectors import CONNECTORS, hosts
from integrations.connectors.base import Connector
from integrations.connectors.daily import Daily
from integrations.connectors.http import HttpClient, TokenProvider
from integrations.connectors.limits import Limiter, shared_budget
from integrations.connectors.messages import CallRecord
from integrations.connectors.oauth import StoredToken
from integrations.models import Connection

log = logging.getLogger(__name__)

_open = threading.local()


def connector_with(
    vendor: str,
    token: TokenProvider,
    *,
    scope: str,
    access: str,
    account_url: str = "",
) -> Connector:
    """Make a connector from plain values.

    scope: who shares its call budget; access: "oauth" or "token", which decides the
    vendor's limits; account_url: the account's own host, where it has one.
    """
    client = _client(
        vendor,
        lambda: hosts.called_at(vendor, account_url),
        token,
        limiter=_budget(vendor, scope=scope, access=access),
    )
    return CONNECTORS[vendor].make(client)


def _budget(vendor: str, *, scope: str, access: str) -> Limiter:
    spec = CONNECTORS[vendor].spec
    return shared_budget(
        scope,
        settings.LIMITS_URL,
        tuple(spec.limits[access]),
        spec.rate_headers,
        spec.daily,
        _keep_daily,
    )


def _scope_of(connection: Connection) -> str:
    """Return who shares a budget: the same account in a sandbox has one of its own."""
    return f"connection:{connection.pk}@{hosts.api_url(connection.vendor)}"


def _keep_daily(scope: str, told: Daily) -> None:
    """Note the daily budget at the connection's channel, where pages look."""
    name, _, _ = scope.partition("@")
    try:
        queue.note_daily(name, used=told.used, limit=told.limit)
    except DatabaseError:
        # The call has been made, and the next one tells it again.
        log.warning("daily budget not noted", extra={"scope": scope})


def _client(
    vendor: str,
    base_url: Callable[[], str],
    token: TokenProvider,
    *,
    limiter: Limiter,
    on_call: Callable[[CallRecord], None] | None = None,
) -> HttpClient:
    entry = CONNECTORS[vendor]
    return HttpClient(
        base_url,
        token,
        vendor=vendor,
        parse_error=entry.parse_error,
        limiter=limiter,
        on_call=on_call,
        request_id_headers=entry.request_id_headers,
    )


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


@dataclass(frozen=True, slots=True)
class _Opened:
    connector: Connector
    calls: Calls
    client: HttpClient
    token: StoredToken


def open_connector(connection: Connection) -> tuple[Connector, Calls]:
    """Return this thread's connector of a connection and the log of its calls."""
    opened = _opened(connection)
    opened.token.look_again()
    return opened.connector, opened.calls


def clock_offset_s(connection: Connection) -> float | None:
    """Return their clock minus ours as this thread learnt it; None until it has."""
    return _opened(connection).client.clock_offset_s


def _opened(connection: Connection) -> _Opened:
    cache: dict[tuple[int, str, str], _Opened]
    cache = _open.__dict__.setdefault("by_connection", {})
    vendor = connection.vendor
    key = (connection.pk, connection.auth, hosts.api_url(vendor))
    if key not in cache:
        token, calls = StoredToken(connection.pk), Calls()
        client = _client(
            vendor,
            # Read with the token: a renewal may bring another host.
            lambda: hosts.called_at(vendor, token.api_url),
            token,
            limiter=_budget(
                vendor, scope=_scope_of(connection), access=connection.auth
            ),
            on_call=calls,
        )
        cache[key] = _Opened(CONNECTORS[vendor].make(client), calls, client, token)
    return cache[key]


def close_all() -> None:
    """Forget this thread's open connectors, e.g. after their host has changed."""
    _open.__dict__.clear()

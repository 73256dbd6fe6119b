"""The fast way in: a webhook is stored as it came, then answered, then forgotten.

Runs beside Django, not in it: no middleware, no thread per request. What was accepted
is committed before the answer leaves; nobody is ever answered 500.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from prometheus_client import Counter

from integrations.webhooks import answers
from integrations.webhooks.answers import Send
from integrations.webhooks.base import RawRequest, Receipt, Source
from integrations.webhooks.body import (
    BodyReader,
    Disconnected,
    Receive,
    announced,
    linger,
    too_large,
)
from integrations.webhooks.endpoints import EndpointCache, Known
from integrations.webhooks.envelope import Refused, headers_of, judge, kept
from integrations.webhooks.rejected import RejectedBudget
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import Row, Stored
from integrations.webhooks.writer import Unavailable, Writer

log = logging.getLogger(__name__)

RECEIVED = Counter(
    "crmsync_webhooks", "Webhook requests, by what became of them.", ["outcome"]
)
REJECTED_BODY_BYTES = 64 * 1024
# A body above it is looked at in a thread, so that others need not wait for it.
LARGE_BYTES = 64 * 1024
_PATH = re.compile(r"/webhooks/([A-Za-z0-9_-]{8,128})/?")
_OUR_TROUBLE = (Unavailable, DatabaseError, InterfaceError)


@dataclass(slots=True)
class Arrival:
    """One request on its way in; what is not known yet is empty.

    url: as the sender knows it; receipt: what it must be answered, once it is stored.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    trace_id: str
    received_at: datetime
    body: bytes = b""
    endpoint: Known | None = None
    receipt: Receipt | None = None


class IngestApplication:
    """ASGI application of everything under /webhooks/."""

    def __init__(self) -> None:
        self._endpoints = EndpointCache()
        self._writer = Writer()
        self._bodies = BodyReader()
        self._budget = RejectedBudget()

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Answer the server's start and stop; at the stop, store what was taken."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._writer.drain()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def __call__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer one request."""
        arrival = Arrival(
            method=scope["method"],
            url=address_of(scope),
            headers=headers_of(scope["headers"]),
            trace_id=new_trace_id(),
            received_at=timezone.now(),
        )
        try:
            stored = await self._take(scope["path"], arrival, receive)
        except Disconnected:
            RECEIVED.labels("disconnected").inc()
        except Refused as refusal:
            await self._refuse(arrival, refusal, receive, send)
        except Exception as error:
            RECEIVED.labels("unavailable").inc()
            if not isinstance(error, _OUR_TROUBLE):
                log.exception("webhook not taken", extra={"trace_id": arrival.trace_id})
            await answers.unavailable(send, arrival.trace_id)
        else:
            RECEIVED.labels("duplicate" if stored.is_repeat else "accepted").inc()
            await answers.accepted(send, stored, receipt=arrival.receipt)

    async def _take(self, path: str, arrival: Arrival, receive: Receive) -> Stored:
        """Check one request and store it, cheap checks first."""
        found = _PATH.fullmatch(path)
        arrival.endpoint = await self._endpoints.find(found[1]) if found else None
        _require_host(arrival.headers)
        if arrival.endpoint is None:
            raise Refused(404, "unknown_endpoint", "There is no such endpoint.")
        _require_readable(arrival)
        arrival.body = await self._bodies.read(
            receive,
            limit=settings.WEBHOOK_MAX_BYTES,
            within_s=settings.WEBHOOK_BODY_TIMEOUT_S,
        )
        key = await _judged(arrival, arrival.endpoint)
        stored = await self._writer.put(_row(arrival, arrival.endpoint, key))
        if stored is None:
            self._endpoints.forget(arrival.endpoint.endpoint_id)
            raise Unavailable
        return stored

    async def _refuse(
        self, arrival: Arrival, refusal: Refused, receive: Receive, send: Send
    ) -> None:
        RECEIVED.labels(refusal.code).inc()
        await self._keep_rejected(arrival, refusal)

        async def before_end() -> None:
            if refusal.status == 413:
                await linger(receive)

        await answers.refused(send, refusal, arrival.trace_id, before_end=before_end)

    async def _keep_rejected(self, arrival: Arrival, refusal: Refused) -> None:
        """Store a refused request for inspection, if there is room for it."""
        endpoint = arrival.endpoint
        if endpoint is None or self._writer.is_busy():
            return
        limit = settings.WEBHOOK_REJECTED_KEEP
        if not self._budget.allows(endpoint.endpoint_id, per_window=limit):
            return
        row = _row(arrival, endpoint, None)
        row = replace(
            row,
            body=row.body[:REJECTED_BODY_BYTES],
            status_code=refusal.status,
            reason=refusal.message[:300],
        )
        with contextlib.suppress(Unavailable):
            await self._writer.put(row)


def _require_host(headers: Mapping[str, str]) -> None:
    """Refuse what Django would refuse; two Host headers are none."""
    domain, _ = split_domain_port(headers.get("host", ""))
    allowed = settings.ALLOWED_HOSTS
    if settings.DEBUG and not allowed:
        allowed = [".localhost", "127.0.0.1", "[::1]"]
    if not domain or not validate_host(domain, allowed):
        raise Refused(400, "wrong_host", "This host name is not served here.")


def _require_readable(arrival: Arrival) -> None:
    if arrival.method != "POST":
        raise Refused(405, "method_not_allowed", "Webhooks are posted.")
    coding = arrival.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        words = "Compressed bodies are not taken; send it as it is."
        raise Refused(415, "unsupported_encoding", words)
    if announced(arrival.headers) > settings.WEBHOOK_MAX_BYTES:
        raise too_large(settings.WEBHOOK_MAX_BYTES)


async def _judged(arrival: Arrival, endpoint: Known) -> str:
    """Return the dedupe key. Raises Refused; Unavailable for a source that is gone."""
    source = SOURCES.get(endpoint.source)
    if source is None:
        raise Unavailable(f"There is no source named {endpoint.source}.")
    request = RawRequest(
        arrival.method, arrival.headers, arrival.body, arrival.received_at, arrival.url
    )
    arrival.receipt = source.receipt(request)
    if len(request.body) <= LARGE_BYTES:
        return _judge(source, endpoint, request)
    return await asyncio.to_thread(_judge, source, endpoint, request)


def _judge(source: Source, endpoint: Known, request: RawRequest) -> str:
    return judge(
        source,
        endpoint.secrets,
        request,
        now=request.received_at,
        account=endpoint.account,
    )


def address_of(scope: Mapping[str, Any]) -> str:
    """Return the public address a request was sent to; a signature may cover it."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    called = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return str(settings.PUBLIC_URL) + called.decode("latin-1")


def _storable(arrival: Arrival, endpoint: Known) -> bytes:
    source = SOURCES.get(endpoint.source)
    return source.storable(arrival.body) if source else arrival.body


def _row(arrival: Arrival, endpoint: Known, key: str | None) -> Row:
    return Row(
        endpoint=endpoint,
        received_at=arrival.received_at,
        method=arrival.method[:10],
        headers=kept(arrival.headers),
        body=_storable(arrival, endpoint),
        size=len(arrival.body) or announced(arrival.headers),
        dedupe_key=key,
        trace_id=arrival.trace_id,
    )


def new_trace_id() -> str:
    """Return 32 hex digits that sort by time, as UUID version 7 does."""
    millis = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = millis << 80 | random
    return f"{value:032x}"

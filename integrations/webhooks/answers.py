"""The answers of the inbox, as ASGI messages: short, mostly JSON, never a page."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from integrations.webhooks.base import Receipt
from integrations.webhooks.envelope import Refused
from integrations.webhooks.store import Stored

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

RETRY_AFTER_S = 5
_JSON = "application/json"
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_CLOSE = (b"connection", b"close")


async def accepted(send: Send, stored: Stored, *, receipt: Receipt | None) -> None:
    """Answer 2xx, for a repeat too: the sender has done what it should.

    receipt: the very words it waits for; without them 202 and what was stored.
    """
    if receipt is not None:
        await _send(send, 200, receipt, stored.trace_id)
        return
    payload = {
        "id": stored.delivery_id,
        "status": "duplicate" if stored.is_repeat else "accepted",
        "trace_id": stored.trace_id,
    }
    await _answer(send, 202, payload, stored.trace_id)


async def refused(
    send: Send,
    refusal: Refused,
    trace_id: str,
    *,
    before_end: Callable[[], Awaitable[None]],
) -> None:
    """Answer the refusal's 4xx; `before_end` runs before a connection is closed."""
    extra = [(b"allow", b"POST")] if refusal.status == 405 else []
    if refusal.status == 415:
        extra.append((b"accept-encoding", b"identity"))
    if refusal.closes:
        extra.append(_CLOSE)
    error = {"code": refusal.code, "message": refusal.message}
    await _answer(
        send,
        refusal.status,
        {"error": error},
        trace_id,
        extra=extra,
        before_end=before_end if refusal.closes else None,
    )


async def unavailable(send: Send, trace_id: str) -> None:
    """Answer 503: it is not stored, or we cannot know; sending it again is safe."""
    words = "The delivery was not stored. Please send it again."
    payload = {"error": {"code": "unavailable", "message": words}}
    extra = [(b"retry-after", str(RETRY_AFTER_S).encode()), _CLOSE]
    await _answer(send, 503, payload, trace_id, extra=extra)


async def _answer(
    send: Send,
    status: int,
    payload: dict[str, Any],
    trace_id: str,
    *,
    extra: Headers = (),
    before_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    receipt = Receipt(_JSON, json.dumps(payload).encode())
    await _send(send, status, receipt, trace_id, extra=extra, before_end=before_end)


async def _send(
    send: Send,
    status: int,
    receipt: Receipt,
    trace_id: str,
    *,
    extra: Headers = (),
    before_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    body = receipt.body
    headers = [
        (b"content-type", receipt.content_type.encode()),
        *_HEADERS,
        (b"content-length", str(len(body)).encode()),
        (b"x-trace-id", trace_id.encode()),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if before_end is not None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await before_end()
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": False})

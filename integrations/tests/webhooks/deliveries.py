"""Stores deliveries as the ingest does, and looks at what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from crmsync.core.models import WorkItem
from integrations.models import Delivery, Endpoint
from integrations.webhooks.endpoints import look_up
from integrations.webhooks.ingest import new_trace_id
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import Row, Stored, store
from leads.signals import records_changed


def receive(endpoint: Endpoint, *payloads: dict[str, object] | bytes) -> list[int]:
    """Store deliveries as the ingest does; return their ids."""
    stored = store([row_of(endpoint, one) for one in payloads])
    return [one.delivery_id for one in stored if isinstance(one, Stored)]


def row_of(endpoint: Endpoint, payload: dict[str, object] | bytes) -> Row:
    known = look_up(endpoint.token_digest)
    assert known is not None
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    source = SOURCES.get(endpoint.source, SOURCES["lgm"])
    return Row(
        endpoint=known,
        received_at=timezone.now(),
        method="POST",
        headers={"content-type": "application/json"},
        body=body,
        size=len(body),
        dedupe_key=source.dedupe_key(source.read(body), body),
        trace_id=new_trace_id(),
    )


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def item_of(delivery_id: int) -> WorkItem:
    return WorkItem.objects.get(kind="process", key=str(delivery_id))


@contextmanager
def on_change(do: Callable[..., None]) -> Iterator[None]:
    """Run something inside the transaction that records messages."""

    def receiver(*, changes: list[Any], **_: object) -> None:
        do(changes)

    records_changed.connect(receiver)
    try:
        yield
    finally:
        records_changed.disconnect(receiver)

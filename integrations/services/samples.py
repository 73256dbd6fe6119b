"""Puts a sample delivery into the inbox, to see the whole way without the source."""

from __future__ import annotations

import secrets

from django.utils import timezone

from crmsync.core.scoping import workspace_channel
from crmsync.core.services import Actor, audit
from integrations.models import Delivery, Endpoint
from integrations.webhooks import samples
from integrations.webhooks.endpoints import Known
from integrations.webhooks.reading import read_json
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import Row, store

# Source -> the payload that shows the most.
_CASES = {"lgm": "reply_interested", "generic": "reply"}


def has_sample(source: str) -> bool:
    """Tell whether there is a payload of this source to send."""
    return source in _CASES


def send_sample(endpoint: Endpoint, actor: Actor) -> int:
    """Store a reply of an invented person as if it had arrived; return its delivery id.

    Every call invents another person. The inbox wakes the workers.
    """
    at = timezone.now()
    golden = samples.body_of(endpoint.source, _CASES[endpoint.source])
    body = samples.varied(golden, salt=secrets.token_hex(8), now=at)
    source = SOURCES[endpoint.source]
    known = Known(
        endpoint.pk,
        endpoint.workspace_id,
        workspace_channel(endpoint.workspace_id).pk,
        endpoint.source,
        (),
    )
    row = Row(
        endpoint=known,
        received_at=at,
        method="POST",
        headers={"content-type": "application/json", "user-agent": "crmsync sample"},
        body=body,
        size=len(body),
        dedupe_key=source.dedupe_key(read_json(body), body),
        trace_id=secrets.token_hex(16),
    )
    (stored,) = store([row])
    if stored is None:
        raise Delivery.DoesNotExist("The endpoint is gone.")
    audit(endpoint.workspace, actor, "endpoint.sampled", target=endpoint)
    return stored.delivery_id

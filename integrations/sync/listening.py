"""Notices when a CRM's own notices no longer come, and polls faster until they do."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from integrations.connectors import CONNECTORS
from integrations.models import Connection, Endpoint, ObjectMapping, SyncEntry
from integrations.sync import hints, pull

log = logging.getLogger(__name__)

# Fast polling lasts this long from the last look that found silence.
FAST_FOR = timedelta(hours=1)
_WROTE = (SyncEntry.Outcome.CREATED, SyncEntry.Outcome.UPDATED)
_LOOKED_AT = 10


def listen(mapping: ObjectMapping, *, now: datetime) -> bool:
    """Poll faster where webhooks look broken; return whether they do.

    Only where there is an address for them: who set none up expects none.
    """
    connection = mapping.connection
    there = Endpoint.objects.filter(connection=connection, active=True).exists()
    if not there or not pull.pulls(mapping):
        return False
    heard = hints.heard_at(connection, mapping.remote_object)
    silent = hints.is_silent(_writes(mapping), heard, now=now)
    if silent:
        _go_fast(mapping, now)
    elif mapping.fast_pull_until is not None:
        ObjectMapping.objects.filter(pk=mapping.pk).update(fast_pull_until=None)
        _say(connection, "")
    return silent


def _writes(mapping: ObjectMapping) -> list[datetime]:
    rows = SyncEntry.objects.filter(
        connection=mapping.connection,
        mapping=mapping,
        direction="push",
        outcome__in=_WROTE,
    )
    return list(rows.order_by("-id").values_list("at", flat=True)[:_LOOKED_AT])


def _go_fast(mapping: ObjectMapping, now: datetime) -> None:
    rows = ObjectMapping.objects.filter(pk=mapping.pk)
    rows.update(fast_pull_until=now + FAST_FOR)
    if mapping.fast_pull_until is None:
        label = CONNECTORS[mapping.connection.vendor].spec.label
        log.warning("webhooks look broken", extra={"mapping": mapping.pk})
        _say(
            mapping.connection,
            f"{label} webhooks look broken: what we wrote did not come back. Changes "
            "are asked for every minute until they do.",
        )
        pull.ask_pull(mapping, soon=True)


def _say(connection: Connection, words: str) -> None:
    Connection.objects.filter(pk=connection.pk).update(status_detail=words)

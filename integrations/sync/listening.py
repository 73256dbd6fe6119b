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
# Every mapping has one of so many turns, which take so long.
EVERY, TURNS = timedelta(seconds=15), 4


def listen(mapping: ObjectMapping, *, now: datetime) -> bool:
    """Poll faster where webhooks look broken; return whether they do.

    Only where there is an address for them: who set none up expects none.
    """
    connection = mapping.connection
    there = Endpoint.objects.filter(connection=connection, active=True).exists()
    if not there or not pull.pulls(mapping):
        return False
    silent = hints.is_silent(_writes(mapping, now), now=now)
    if silent:
        _go_fast(mapping, now)
    elif mapping.fast_pull_until is not None:
        ObjectMapping.objects.filter(pk=mapping.pk).update(fast_pull_until=None)
        _say(connection, "")
    return silent


def is_time(mapping: ObjectMapping, *, now: datetime) -> bool:
    """Tell whether a mapping has its turn to be looked at, of turns that all get."""
    turn = int(now.timestamp()) // EVERY.seconds
    return turn % TURNS == mapping.pk % TURNS


def _writes(
    mapping: ObjectMapping, now: datetime
) -> list[tuple[datetime, datetime | None]]:
    """Return the last writes that should have come back, and when each was heard of.

    What was written since must not hide them, however much that is.
    """
    rows = SyncEntry.objects.filter(
        connection=mapping.connection,
        mapping=mapping,
        direction="push",
        outcome__in=_WROTE,
        at__lte=now - hints.ECHO_WITHIN,
    )
    newest = rows.order_by("-id").values_list("remote_id", "at")
    written = list(newest[: hints.SILENT_AFTER])
    if len(written) < hints.SILENT_AFTER:
        return []
    heard = hints.heard_of(mapping, [remote_id for remote_id, _ in written])
    own = hints.heard_at(mapping.connection, mapping.remote_object)
    return [
        (at, max((x for x in (heard.get(remote_id), own) if x), default=None))
        for remote_id, at in written
    ]


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

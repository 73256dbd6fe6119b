"""Sources whose delivery is one message: where it stands, and how it is read.

PURE. A table of paths per source; the first path that says something wins. Names are
compared without case, `_` and `-`; see `reading.flattened`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from integrations.webhooks import reading
from integrations.webhooks.json_source import JsonSource
from integrations.webhooks.people import PersonPaths, person_of
from integrations.webhooks.signatures import StandardSigned
from integrations.webhooks.text import MAX_HTML, readable
from leads.facts import Message

Direction = Literal["inbound", "outbound", ""]
Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessagePaths:
    """Where a payload keeps its message."""

    person: PersonPaths
    key: Paths
    body: Paths
    time: Paths
    thread: Paths
    subject: Paths
    channel: Paths
    campaign: Paths
    campaign_id: Paths


class OneMessage(StandardSigned, JsonSource):
    """Base of these sources: subclasses say where, who may post, and the direction."""

    name: str
    paths: MessagePaths

    def direction(self, flat: Mapping[str, object]) -> Direction:
        """Return who wrote it, "" when the payload does not say."""
        raise NotImplementedError

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return a digest of the message's key."""
        flat = reading.flattened(payload)
        return reading.digest(self.name, _key(flat, payload, self.paths))

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return the message. Raises Malformed when nobody is in it."""
        flat, paths = reading.flattened(payload), self.paths
        channel = reading.first_text(flat, paths.channel, limit=20).lower()
        campaign_id = reading.first_text(flat, paths.campaign_id, limit=100)
        body = reading.first_text(flat, paths.body, limit=MAX_HTML)
        sent_at = reading.first_value(flat, paths.time)
        return [
            Message(
                source=self.name,
                key=_key(flat, payload, paths),
                person=person_of(flat, paths.person, source=self.name),
                direction=self.direction(flat),
                # Mail is HTML even where it has no tag; elsewhere the looks decide.
                body=readable(body, is_html=True if channel == "email" else None),
                occurred_at=reading.as_time(sent_at, fallback=received_at),
                channel=channel,
                subject=reading.first_text(flat, paths.subject, limit=300),
                thread_id=reading.bounded(_thread(flat, paths), limit=200),
                campaign=reading.first_text(flat, paths.campaign, limit=200)
                or campaign_id,
                campaign_id=campaign_id,
                trace_id=trace_id,
            )
        ]


def _thread(flat: Mapping[str, object], paths: MessagePaths) -> str:
    return reading.first_text(flat, paths.thread)


def _key(flat: Mapping[str, object], payload: object, paths: MessagePaths) -> str:
    """Return the message's id; without one, what no two messages share."""
    if given := reading.first_text(flat, paths.key):
        return reading.bounded(given, limit=200)
    thread, sent_at = _thread(flat, paths), reading.first_text(flat, paths.time)
    if thread and sent_at:
        body = reading.first_text(flat, paths.body, limit=MAX_HTML)
        return reading.digest(thread, sent_at, body)
    return reading.digest(reading.canonical(payload))

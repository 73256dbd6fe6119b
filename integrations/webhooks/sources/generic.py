"""The documented JSON shape for anything that can post: a person and what they wrote.

PURE. Signed by Standard Webhooks (https://www.standardwebhooks.com). The body:

    {"id": "msg-1", "person": {"email": "ada@example.com", "firstName": "Ada",
     "lastName": "Example", "phone": "", "linkedinUrl": "", "jobTitle": "",
     "companyName": "", "companyUrl": "", "city": "", "country": "", "id": ""},
     "message": {"text": "Yes, please", "subject": "", "channel": "form",
     "direction": "inbound", "threadId": "", "sentAt": "2026-05-17T15:44:16Z"},
     "campaign": {"id": "", "name": ""}}

Only `person` with something to know them by is required; `direction` is inbound
unless it says outbound.
"""

from __future__ import annotations

from datetime import datetime

from integrations.webhooks import reading
from integrations.webhooks.people import PersonPaths, person_of
from integrations.webhooks.signatures import StandardSigned
from integrations.webhooks.text import readable
from leads.facts import Message

BODY = ("message.text", "message.body", "message.html")
THREAD = ("message.threadid", "threadid")
PERSON = PersonPaths("person", external=("person.id",))


class Generic(StandardSigned):
    """A person and what they wrote, from your own code or an automation tool."""

    name = "generic"
    label = "Signed JSON"
    description = "A person and their message, posted by your own code, signed."
    signs = True

    def refuses(self, payload: object) -> str | None:
        """Return what is missing from the documented shape."""
        if not isinstance(payload, dict):
            return "The body must be a JSON object."
        if not isinstance(payload.get("person"), dict):
            return "The body must have an object named person."
        return None

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return a digest of the id, or of the whole payload without one."""
        return reading.digest(self.name, _key(payload))

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return the one message of a delivery."""
        flat = reading.flattened(payload)
        sent_at = reading.first_value(flat, ("message.sentat", "sentat"))
        body = reading.first_text(flat, BODY, limit=1_000_000)
        thread = reading.first_text(flat, THREAD)
        outbound = flat.get("message.direction") == "outbound"
        return [
            Message(
                source=self.name,
                key=_key(payload),
                person=person_of(flat, PERSON, source=self.name),
                direction="outbound" if outbound else "inbound",
                body=readable(body),
                occurred_at=reading.as_time(sent_at, fallback=received_at),
                channel=reading.first_text(flat, ("message.channel",), limit=20),
                subject=reading.first_text(flat, ("message.subject",), limit=300),
                thread_id=reading.bounded(thread, limit=200),
                campaign=reading.first_text(flat, ("campaign.name",), limit=200),
                campaign_id=reading.first_text(flat, ("campaign.id",), limit=100),
                trace_id=trace_id,
            )
        ]


def _key(payload: object) -> str:
    flat = reading.flattened(payload)
    if given := reading.first_text(flat, ("id", "message.id")):
        return reading.bounded(given, limit=200)
    return reading.digest(reading.canonical(payload))

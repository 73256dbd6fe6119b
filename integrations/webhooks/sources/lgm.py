"""La Growth Machine: the inbox webhook, and the older reply shape read tolerantly.

PURE. Nothing is signed: the address is the secret and the body is not trusted.
Source: the vendor's n8n node and one public capture; most key names are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from integrations.webhooks import reading
from integrations.webhooks.people import PersonPaths, person_of
from integrations.webhooks.signatures import StandardSigned
from integrations.webhooks.text import readable
from leads.facts import Message

BODY = ("messagebody", "message.body", "message.text", "text", "message", "body")
CHANNEL = ("messagechannel", "message.channel", "channel")
SUBJECT = ("messagesubject", "message.subject", "subject")
THREAD = ("conversationid", "conversation.id", "thread.id", "threadid")
TIME = ("createdat", "message.createdat", "receivedat", "timestamp", "date")
CAMPAIGN = ("campaign.name", "campaignname", "lead.campaignname", "campaign")
CAMPAIGN_ID = ("campaign.id", "campaignid", "lead.campaignid")
LEAD_ID = ("leadid", "lead.id", "lead.leadid")
# One of them has to be there, or something else was posted to this address.
MARKS = (*LEAD_ID, *THREAD, *BODY, "messageid", "sender.email", "sender.linkedinid")
PERSON = PersonPaths("lead", "sender", external=LEAD_ID)


class LaGrowthMachine(StandardSigned):
    """Replies and sent messages of outreach campaigns."""

    name = "lgm"
    label = "La Growth Machine"
    description = "Replies and sent messages of your LinkedIn and e-mail campaigns."
    signs = False

    def refuses(self, payload: object) -> str | None:
        """Return why this can be neither of the two shapes."""
        if not isinstance(payload, dict):
            return "The body must be a JSON object."
        if not reading.first_text(reading.flattened(payload), MARKS):
            return "There is no lead, sender, conversation or message in the body."
        return None

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return a digest of the message's key."""
        return reading.digest(self.name, _key(reading.flattened(payload), payload))

    def parse(
        self, payload: object, *, trace_id: str, received_at: datetime
    ) -> list[Message]:
        """Return the one message of a delivery."""
        flat = reading.flattened(payload)
        channel = reading.first_text(flat, CHANNEL, limit=20).lower()
        body = reading.first_text(flat, BODY, limit=1_000_000)
        campaign_id = reading.first_text(flat, CAMPAIGN_ID, limit=100)
        sent_at = reading.first_value(flat, TIME)
        return [
            Message(
                source=self.name,
                key=_key(flat, payload),
                person=person_of(flat, PERSON, source=self.name),
                direction=_direction(flat),
                body=readable(body, is_html=channel == "email" or None),
                occurred_at=reading.as_time(sent_at, fallback=received_at),
                channel=channel,
                subject=reading.first_text(flat, SUBJECT, limit=300),
                thread_id=reading.bounded(reading.first_text(flat, THREAD), limit=200),
                campaign=reading.first_text(flat, CAMPAIGN, limit=200) or campaign_id,
                campaign_id=campaign_id,
                trace_id=trace_id,
            )
        ]


def _key(flat: Mapping[str, object], payload: object) -> str:
    """Return the message's id; without one, what no two messages share."""
    if message_id := reading.first_text(flat, ("messageid", "message.id")):
        return reading.bounded(message_id, limit=200)
    thread, at = reading.first_text(flat, THREAD), reading.first_text(flat, TIME)
    if thread and at:
        text = reading.first_text(flat, BODY, limit=1_000_000)
        return reading.digest(thread, at, text)
    return reading.digest(reading.canonical(payload))


def _direction(flat: Mapping[str, object]) -> Literal["inbound", "outbound", ""]:
    if reading.as_flag(flat.get("received")):
        return "inbound"
    if reading.as_flag(flat.get("sent")):
        return "outbound"
    says_nothing = flat.get("received") is None and flat.get("sent") is None
    # Only the older shape has no flags, and it is sent for replies alone.
    old_shape = not (flat.get("leadid") or flat.get("messageid"))
    return "inbound" if says_nothing and old_shape else ""

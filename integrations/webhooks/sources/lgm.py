"""La Growth Machine: the inbox webhook, and the older reply shape read tolerantly.

PURE. Nothing is signed: the address is the secret and the body is not trusted.
Source: the vendor's n8n node and one public capture; most names are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.webhooks import reading
from integrations.webhooks.messages import Direction, MessagePaths, OneMessage
from integrations.webhooks.people import PersonPaths

LEAD_ID = ("leadid", "lead.id", "lead.leadid")
PATHS = MessagePaths(
    person=PersonPaths("lead", "sender", external=LEAD_ID),
    key=("messageid", "message.id"),
    body=("messagebody", "message.body", "message.text", "text", "message", "body"),
    time=("createdat", "message.createdat", "receivedat", "timestamp", "date"),
    thread=("conversationid", "conversation.id", "thread.id", "threadid"),
    subject=("messagesubject", "message.subject", "subject"),
    channel=("messagechannel", "message.channel", "channel"),
    campaign=("campaign.name", "campaignname", "lead.campaignname", "campaign"),
    campaign_id=("campaign.id", "campaignid", "lead.campaignid"),
)
# One of them has to be there, or something else was posted to this address.
MARKS = (*LEAD_ID, *PATHS.thread, *PATHS.key, *PATHS.body)
MARKS += ("sender.email", "sender.linkedinid")


class LaGrowthMachine(OneMessage):
    """Replies and sent messages of outreach campaigns."""

    name = "lgm"
    label = "La Growth Machine"
    description = "Replies and sent messages of your LinkedIn and e-mail campaigns."
    signs = False
    paths = PATHS

    def refuses(self, payload: object) -> str | None:
        """Return why this can be neither of the two shapes."""
        if not isinstance(payload, dict):
            return "The body must be a JSON object."
        if not reading.first_text(reading.flattened(payload), MARKS):
            return "There is no lead, sender, conversation or message in the body."
        return None

    def direction(self, flat: Mapping[str, object]) -> Direction:
        """Return what the flags say; the older shape has none and is always a reply."""
        if reading.as_flag(flat.get("received")):
            return "inbound"
        if reading.as_flag(flat.get("sent")):
            return "outbound"
        has_flags = flat.get("received") is not None or flat.get("sent") is not None
        is_inbox = bool(flat.get("leadid") or flat.get("messageid"))
        return "" if has_flags or is_inbox else "inbound"

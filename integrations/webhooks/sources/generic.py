"""The documented JSON shape for anything that can post: a person and what they wrote.

PURE. Signed by Standard Webhooks (https://www.standardwebhooks.com). The body:

    {"id": "msg-1",
     "person": {"id": "", "email": "ada@example.com", "firstName": "Ada",
       "lastName": "Example", "phone": "", "linkedinUrl": "", "jobTitle": "",
       "companyName": "", "companyUrl": "", "city": "", "country": ""},
     "message": {"text": "Yes, please", "subject": "", "channel": "form",
       "direction": "inbound", "threadId": "", "sentAt": "2026-05-17T15:44:16Z"},
     "campaign": {"id": "", "name": ""}}

Only `person` with something to know them by is required. `direction` is inbound unless
it says outbound; `id` makes a repeat recognisable.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.webhooks.messages import Direction, MessagePaths, OneMessage
from integrations.webhooks.people import PersonPaths


class Generic(OneMessage):
    """A person and what they wrote, from your own code or an automation tool."""

    name = "generic"
    label = "Signed JSON"
    description = "A person and their message, posted by your own code, signed."
    signs = True
    paths = MessagePaths(
        person=PersonPaths("person", external=("person.id",)),
        key=("id", "message.id"),
        body=("message.text", "message.body", "message.html"),
        time=("message.sentat", "sentat"),
        thread=("message.threadid", "threadid"),
        subject=("message.subject",),
        channel=("message.channel",),
        campaign=("campaign.name",),
        campaign_id=("campaign.id",),
    )

    def refuses(self, payload: object) -> str | None:
        """Return what is missing from the documented shape."""
        if not isinstance(payload, dict):
            return "The body must be a JSON object."
        if not isinstance(payload.get("person"), dict):
            return "The body must have an object named person."
        return None

    def direction(self, flat: Mapping[str, object]) -> Direction:
        """Return outbound only where it is said."""
        said = str(flat.get("message.direction") or "").lower()
        return "outbound" if said == "outbound" else "inbound"

"""HubSpot: the webhooks of an app, which say what changed in a connected account.

PURE. Only the third form of its signature is taken: the older two hold no time. Source:
developers.hubspot.com, guides webhooks and validating-requests, read 2026-03.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from integrations.webhooks import reading
from integrations.webhooks.base import Hint, RawRequest
from integrations.webhooks.json_source import JsonSource
from integrations.webhooks.signatures import sign_addressed, verify_addressed
from integrations.webhooks.sources import hubspot_events as events

SIGNATURE = "X-HubSpot-Signature-v3"
TIMESTAMP = "X-HubSpot-Request-Timestamp"
# A hundred are documented; a few more than that are no reason to lose them.
MAX_EVENTS = 1000
# What the signed address has decoded, and nothing else.
_DECODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


class HubSpot(JsonSource):
    """Changes of contacts, companies, deals and other objects."""

    name = vendor = "hubspot"
    label = "HubSpot"
    description = "What people change in a connected account, within seconds."
    signs = True

    def verify(
        self, request: RawRequest, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature by the app's secret. Raises SignatureInvalid."""
        verify_addressed(
            request,
            secrets,
            now,
            address=signed_address(request.url),
            signature=SIGNATURE,
            timestamp=TIMESTAMP,
        )

    def sign(self, request: RawRequest, secret: str) -> dict[str, str]:
        """Return the headers of the request, signed at the time of its receipt."""
        stamp = str(int(request.received_at.timestamp() * 1000))
        address = signed_address(request.url)
        signature = sign_addressed(request, secret, address=address, stamp=stamp)
        return {SIGNATURE: signature.decode(), TIMESTAMP: stamp}

    def refuses(self, payload: object) -> str | None:
        """Return why this is no list of events."""
        if not isinstance(payload, list):
            return "The body must be a JSON array of events."
        if len(payload) > MAX_EVENTS:
            return f"There are more than {MAX_EVENTS} events in the body."
        if not any(map(events.is_event, payload)):
            return "There is no event in the body."
        return None

    def is_about(self, payload: object, account: str) -> bool:
        """Tell whether any event is of this portal.

        Some private apps cannot be asked for their portal; then the signature says
        enough, for such an app is of one portal alone.
        """
        return bool(_of(payload, account))

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return a digest of the events, however often and in what order they come."""
        found = payload if isinstance(payload, list) else []
        return reading.digest(self.name, *sorted(map(events.identity, found)))

    def hints(
        self, payload: object, *, account: str, received_at: datetime
    ) -> list[Hint]:
        """Return the hints of this portal's events; others are passed over."""
        mine = _of(payload, account)
        return list(chain(*(events.hints_of(one, received_at) for one in mine)))

    def subscriptions(self, remote_object: str, fields: Sequence[str]) -> list[str]:
        """Return the events to subscribe to, one for each property."""
        return events.subscriptions(remote_object, fields)


def signed_address(url: str) -> str:
    """Return an address the way HubSpot signs it.

    >>> signed_address("https://example.com/a?b=c%3Ad%20e")
    'https://example.com/a?b=c:d%20e'
    """
    return _DECODED.sub(lambda found: chr(int(found[1], 16)), url)


def _of(payload: object, account: str) -> list[events.Event]:
    found = payload if isinstance(payload, list) else []
    theirs = [one for one in found if events.is_event(one)]
    return [one for one in theirs if account in ("", events.portal_of(one))]

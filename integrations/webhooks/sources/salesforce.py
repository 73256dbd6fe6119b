"""Salesforce: outbound messages and change events, which say what changed in an org.

PURE. Neither is signed: the address is the secret, the org must be the right one, and
JSON can be made to carry a secret of ours in a header. Source: Salesforce developer
documentation, outbound messaging and Change Data Capture, read 2026-03.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from integrations.errors import SignatureInvalid
from integrations.webhooks import reading
from integrations.webhooks.base import Hint, RawRequest, Receipt
from integrations.webhooks.json_source import JsonSource
from integrations.webhooks.sources import salesforce_events as events
from integrations.webhooks.sources import salesforce_soap as soap

SECRET = "X-Crmsync-Secret"
# A hundred notifications are documented; a few more are no reason to lose them.
MAX_EVENTS = 1000


class Salesforce(JsonSource):
    """Changes of leads, contacts, accounts, opportunities and other objects."""

    name = vendor = "salesforce"
    label = "Salesforce"
    description = "What people change in a connected org, within seconds."
    signs = False

    def verify(
        self, request: RawRequest, secrets: Sequence[str], now: datetime
    ) -> None:
        """Look for one of our secrets in the header. Raises SignatureInvalid.

        An outbound message cannot carry one, so where a secret is set none is taken.
        """
        given = request.headers.get(SECRET.lower(), "").encode("latin-1", "replace")
        known = [one.encode() for one in secrets if one]
        if not any(hmac.compare_digest(given, one) for one in known):
            raise SignatureInvalid(f"The header {SECRET} does not hold the secret.")

    def sign(self, request: RawRequest, secret: str) -> dict[str, str]:
        """Return the header with the secret."""
        return {SECRET: secret}

    def read(self, body: bytes) -> object:
        """Return an outbound message, or the JSON value. Raises Malformed."""
        return soap.read(body) if soap.is_xml(body) else super().read(body)

    def storable(self, body: bytes) -> bytes:
        """Return the body without the session of a user that it may lend us."""
        return soap.without_session(body)

    def receipt(self, request: RawRequest) -> Receipt | None:
        """Return the one answer after which an outbound message is not sent again."""
        return soap.ACKNOWLEDGED if soap.is_xml(request.body) else None

    def refuses(self, payload: object) -> str | None:
        """Return why these are neither notifications nor change events."""
        if isinstance(payload, soap.OutboundMessage):
            count = len(payload.notifications)
        else:
            count = len(events.events_in(payload))
        if count > MAX_EVENTS:
            return f"There are more than {MAX_EVENTS} events in the body."
        return None if count else "There is no change event in the body."

    def is_about(self, payload: object, account: str) -> bool:
        """Tell whether it is of this org, as far as it says; a message always does.

        An org that is not known is no org: nothing here is signed.
        """
        if isinstance(payload, soap.OutboundMessage):
            return bool(account) and events.same_id(payload.organization, account)
        orgs = {one.organization for one in events.events_in(payload)}
        told = [one for one in orgs if one]
        return bool(account) and all(events.same_id(one, account) for one in told)

    def dedupe_key(self, payload: object, body: bytes) -> str:
        """Return a digest of the ids Salesforce gives to what it sends."""
        if isinstance(payload, soap.OutboundMessage):
            return reading.digest(self.name, *sorted(soap.ids(payload)))
        found = events.events_in(payload)
        return reading.digest(self.name, *sorted(one.identity() for one in found))

    def hints(
        self, payload: object, *, account: str, received_at: datetime
    ) -> list[Hint]:
        """Return the hints of what was sent; `is_about` has looked at the org."""
        if isinstance(payload, soap.OutboundMessage):
            return soap.hints(payload, received_at)
        found = events.events_in(payload)
        return list(chain(*(events.hints_of(one, received_at) for one in found)))

    def subscriptions(self, remote_object: str, fields: Sequence[str]) -> list[str]:
        """Return the change event to select; one holds whichever fields changed.

        >>> Salesforce().subscriptions("Site__c", ["Name"])
        ['Site__ChangeEvent']
        """
        custom = remote_object.endswith("__c")
        base = remote_object.removesuffix("__c") + ("__" if custom else "")
        return [f"{base}ChangeEvent"]

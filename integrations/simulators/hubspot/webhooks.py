"""Webhooks out: which changes are told, in which batches, and how they are signed."""

import base64
import hashlib
import hmac
import json
import random
import re

from integrations.simulators.deliveries import Courier, Parcel, Sent, post
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.telling import Change
from integrations.simulators.hubspot.world import AppConfig, World
from integrations.simulators.wire import Json

MOST_EVENTS = 100
_DECODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def signature(secret: str, url: str, body: bytes, timestamp: str) -> str:
    """Return X-HubSpot-Signature-v3 of a POST. timestamp: epoch ms as sent."""
    decoded = _DECODED.sub(lambda found: chr(int(found[1], 16)), url)
    source = b"POST" + decoded.encode() + body + timestamp.encode()
    digest = hmac.new(secret.encode(), source, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Webhooks(Courier[str]):
    """Delivers changes to the target URL of each app with active subscriptions.

    A recipient is an app's client id.
    """

    workers = 10
    prefix = "webhook"

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(world)

    def wanted(self) -> bool:
        """Say whether any subscription is active."""
        return any(s["active"] for s in self.world.documents("subscriptions").values())

    def most(self, to: str) -> int:
        """Return how many events go into one delivery."""
        return MOST_EVENTS

    def hear(self, portal: Portal, changes: list[Change], source: str) -> None:
        """Queue the events subscriptions ask for."""
        for app in self.world.apps.values():
            self.push(app.client_id, self._events(app, portal, changes, source))

    def _events(
        self, app: AppConfig, portal: Portal, changes: list[Change], source: str
    ) -> list[Json]:
        subscriptions = [
            subscription
            for subscription in self.world.documents("subscriptions").values()
            if subscription["active"] and subscription["appId"] == app.app_id
        ]
        return [
            _event(app, portal, subscription, change, source)
            for change in changes
            for subscription in subscriptions
            if _wants(portal, subscription, change)
        ]

    def send(self, parcel: Parcel[str]) -> Sent | None:
        """Post a list of events, signed; None when the app has no target any more."""
        app = self.world.apps[parcel.to]
        settings = self.world.documents("webhook_settings").get(str(app.app_id))
        if settings is None:
            return None
        url = settings["targetUrl"]
        events = [event | {"attemptNumber": parcel.attempt} for event in parcel.items]
        body = json.dumps(events, separators=(",", ":"), ensure_ascii=False).encode()
        status, _ = post(url, body, self._headers(url, app, body))
        return Sent(url, status, events, good=200 <= status < 300)

    def _headers(self, url: str, app: AppConfig, body: bytes) -> dict[str, str]:
        timestamp = str(self.world.now_ms())
        legacy = hashlib.sha256(app.client_secret.encode() + body).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (simulator)",
            "X-HubSpot-Request-Timestamp": timestamp,
            "X-HubSpot-Signature-v3": signature(
                app.client_secret, url, body, timestamp
            ),
            "X-HubSpot-Signature": legacy,
            "X-HubSpot-Signature-Version": "v1",
        }


def _wants(portal: Portal, subscription: Json, change: Change) -> bool:
    kind = portal.tables[change.kind].kind
    prefix, _, what = subscription["eventType"].partition(".")
    if what != change.what:
        return False
    if prefix == "object":
        if subscription.get("objectTypeId") != kind.type_id:
            return False
    elif prefix != kind.event:
        return False
    wanted = subscription.get("propertyName")
    return what != "propertyChange" or wanted == change.more.get("propertyName")


def _event(
    app: AppConfig, portal: Portal, subscription: Json, change: Change, source: str
) -> Json:
    event: Json = {
        # Not unique, as the vendor warns.
        "eventId": random.randrange(1, 1 << 31),
        "subscriptionId": int(subscription["id"]),
        "portalId": portal.hub_id,
        "appId": app.app_id,
        "occurredAt": change.at,
        "subscriptionType": subscription["eventType"],
        "attemptNumber": 0,
        "changeSource": source,
        "sourceId": change.source_id,
    }
    if change.what != "associationChange":
        event["objectId"] = change.number
    if subscription["eventType"].startswith("object."):
        event["objectTypeId"] = portal.tables[change.kind].kind.type_id
    return event | change.more

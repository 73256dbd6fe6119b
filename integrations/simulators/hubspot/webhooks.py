"""Webhooks out: which changes are told, in which batches, signed and retried.

Events wait in a queue ordered by when they are due, so that delays, retries and
deliberate disorder are all the same thing: a later due time.
"""

import base64
import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import random
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.world import AppConfig, World
from integrations.simulators.hubspot.writer import Change
from integrations.simulators.wire import Json

MOST_EVENTS = 100
TIMEOUT_S = 5
WORKERS = 10
KEPT_DELIVERIES = 20_000
_DECODED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


@dataclass(order=True, slots=True)
class Parcel:
    """Events to deliver together. due: monotonic seconds; attempt: 0 is the first."""

    due: float
    number: int
    client_id: str = field(compare=False)
    events: list[Json] = field(compare=False)
    attempt: int = field(default=0, compare=False)


def signature(secret: str, url: str, body: bytes, timestamp: str) -> str:
    """Return X-HubSpot-Signature-v3 of a POST. timestamp: epoch ms as sent."""
    decoded = _DECODED.sub(lambda found: chr(int(found[1], 16)), url)
    source = b"POST" + decoded.encode() + body + timestamp.encode()
    digest = hmac.new(secret.encode(), source, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Webhooks:
    """Delivers changes to the target URL of each app with active subscriptions."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries: deque[Json] = deque(maxlen=KEPT_DELIVERIES)
        self._queue: list[Parcel] = []
        self._numbers = itertools.count()
        self._in_flight = 0
        self._changed = threading.Condition()
        self._closed = False
        self._started = False
        self.refresh()

    def refresh(self) -> None:
        """Listen to changes only while a subscription is active."""
        active = any(
            s["active"] for s in self.world.documents("subscriptions").values()
        )
        self.world.listeners = [self.hear] if active else []
        if active and not self._started:
            self._started = True
            for _ in range(WORKERS):
                threading.Thread(target=self._work, daemon=True).start()

    def close(self) -> None:
        """Stop delivering."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many events are not delivered yet."""
        with self._changed:
            return sum(len(parcel.events) for parcel in self._queue) + self._in_flight

    def clear(self) -> None:
        """Forget events and deliveries."""
        with self._changed:
            self._queue.clear()
            self.deliveries.clear()

    def hear(self, portal: Portal, changes: list[Change], source: str) -> None:
        """Queue the events subscriptions ask for."""
        settings, now = self.world.settings, time.monotonic()
        with self._changed:
            for app in self.world.apps.values():
                for event in self._events(app, portal, changes, source):
                    if random.random() < settings.webhook_lose:
                        continue
                    due = now + settings.webhook_delay_s
                    if random.random() < settings.webhook_reorder:
                        due += random.random()
                    self._push(due, app, event)
                    if random.random() < settings.webhook_duplicate:
                        self._push(due + random.random() / 2, app, event)
            self._changed.notify_all()

    def _push(self, due: float, app: AppConfig, event: Json) -> None:
        parcel = Parcel(due, next(self._numbers), app.client_id, [event])
        heapq.heappush(self._queue, parcel)

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

    # -- delivering

    def _work(self) -> None:
        while True:
            parcel = self._next()
            if parcel is None:
                return
            try:
                self._deliver(parcel)
            finally:
                with self._changed:
                    self._in_flight -= len(parcel.events)

    def _next(self) -> Parcel | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._queue and self._queue[0].due <= now:
                    parcel = self._gather(heapq.heappop(self._queue), now)
                    self._in_flight += len(parcel.events)
                    return parcel
                self._changed.wait(self._queue[0].due - now if self._queue else None)
        return None

    def _gather(self, parcel: Parcel, now: float) -> Parcel:
        """Put all that is due for the same app into one parcel of up to 100 events."""
        while self._queue and parcel.attempt == 0 and len(parcel.events) < MOST_EVENTS:
            head = self._queue[0]
            same = head.client_id == parcel.client_id and head.attempt == 0
            if head.due > now or not same:
                break
            parcel.events += heapq.heappop(self._queue).events
        return parcel

    def _deliver(self, parcel: Parcel) -> None:
        app = self.world.apps[parcel.client_id]
        settings = self.world.documents("webhook_settings").get(str(app.app_id))
        if settings is None:
            return
        events = [event | {"attemptNumber": parcel.attempt} for event in parcel.events]
        body = json.dumps(events, separators=(",", ":"), ensure_ascii=False).encode()
        status = self._post(settings["targetUrl"], app, body)
        self.deliveries.append(
            {
                "at": time.time(),
                "url": settings["targetUrl"],
                "attempt": parcel.attempt,
                "status": status,
                "events": events,
            }
        )
        if not 200 <= status < 300:
            self._retry(parcel)

    def _retry(self, parcel: Parcel) -> None:
        settings = self.world.settings
        if parcel.attempt >= settings.webhook_attempts:
            return
        wait = settings.webhook_retry_s * 2**parcel.attempt * random.uniform(0.8, 1.2)
        with self._changed:
            parcel.due = time.monotonic() + wait
            parcel.attempt += 1
            heapq.heappush(self._queue, parcel)
            self._changed.notify_all()

    def _post(self, url: str, app: AppConfig, body: bytes) -> int:
        """Return the answer's status, 0 when there was none."""
        timestamp = str(self.world.now_ms())
        legacy = hashlib.sha256(app.client_secret.encode() + body).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (simulator)",
            "X-HubSpot-Request-Timestamp": timestamp,
            "X-HubSpot-Signature-v3": signature(
                app.client_secret, url, body, timestamp
            ),
            "X-HubSpot-Signature": legacy,
            "X-HubSpot-Signature-Version": "v1",
        }
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", target, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


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

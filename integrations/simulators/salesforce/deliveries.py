"""Delivering events: a queue ordered by when each is due.

Delays, retries and deliberate disorder are all the same thing: a later due time.
"""

import heapq
import http.client
import itertools
import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrations.simulators.salesforce import change_events, outbound
from integrations.simulators.salesforce.changes import Change
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json

TIMEOUT_S = 5
WORKERS = 6
KEPT_DELIVERIES = 20_000
EVENTS, MESSAGES = "event_targets", "outbound_targets"
_OWN = frozenset({"API", "BULK"})


@dataclass(order=True, slots=True)
class Parcel:
    """What is delivered together. kind: EVENTS or MESSAGES; target: its name."""

    due: float
    number: int
    org: Org = field(compare=False)
    kind: str = field(compare=False)
    target: str = field(compare=False)
    items: list[Json] = field(compare=False)
    attempt: int = field(default=0, compare=False)


class Deliveries:
    """Tells subscribers of changes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries: deque[Json] = deque(maxlen=KEPT_DELIVERIES)
        self._queue: list[Parcel] = []
        self._numbers = itertools.count(1)
        self._in_flight = 0
        self._changed = threading.Condition()
        self._closed = False
        self._started = False
        self.refresh()

    def refresh(self) -> None:
        """Listen to changes only while somebody wants them."""
        active = any(
            org.documents(kind)
            for org in self.world.orgs.values()
            for kind in (EVENTS, MESSAGES)
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

    def clear(self) -> None:
        """Forget what waits and what was delivered."""
        with self._changed:
            self._queue.clear()
            self.deliveries.clear()

    def waiting(self) -> int:
        """Return how many events are not delivered yet."""
        with self._changed:
            return sum(len(parcel.items) for parcel in self._queue) + self._in_flight

    # -- hearing

    def hear(self, org: Org, changes: list[Change]) -> None:
        """Queue what subscribers ask for."""
        told = change_events.folded(changes)
        due = time.monotonic() + self.world.settings.event_delay_s
        if not self.world.settings.own_echoes:
            told = [change for change in told if change.source not in _OWN]
        for name, target in org.documents(EVENTS).items():
            self._hear_events(org, name, target, told, due)
        for name, target in org.documents(MESSAGES).items():
            self._hear_messages(org, name, target, told, due)
        with self._changed:
            self._changed.notify_all()

    def _hear_events(
        self, org: Org, name: str, target: Json, told: list[Change], due: float
    ) -> None:
        settings = self.world.settings
        wanted = change_events.wanted(told, target["objects"])
        found = change_events.bodies(
            org,
            wanted,
            merge=settings.event_merge,
            single_id=settings.event_single_id,
        )
        for event in found:
            self.push(org, EVENTS, name, event, due)

    def _hear_messages(
        self, org: Org, name: str, target: Json, told: list[Change], due: float
    ) -> None:
        for change in told:
            if change.table == target["object"] and change.kind != "DELETE":
                identifier = outbound.notification_id(org, next(self._numbers))
                item = {"id": identifier, "record": change.row.id}
                self.push(org, MESSAGES, name, item, due)

    def push(
        self, org: Org, kind: str, target: str, item: Json, due: float = 0.0
    ) -> None:
        """Queue one event, with the disorder the settings ask for."""
        settings = self.world.settings
        if random.random() < settings.event_lose:
            return
        if random.random() < settings.event_reorder:
            due += random.random()
        self._put(Parcel(due, next(self._numbers), org, kind, target, [item]))
        if random.random() < settings.event_duplicate:
            due += random.random() / 2
            self._put(Parcel(due, next(self._numbers), org, kind, target, [item]))

    def _put(self, parcel: Parcel) -> None:
        with self._changed:
            heapq.heappush(self._queue, parcel)
            self._changed.notify_all()

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
                    self._in_flight -= len(parcel.items)

    def _next(self) -> Parcel | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._queue and self._queue[0].due <= now:
                    parcel = self._gather(heapq.heappop(self._queue), now)
                    self._in_flight += len(parcel.items)
                    return parcel
                self._changed.wait(self._queue[0].due - now if self._queue else None)
        return None

    def _gather(self, parcel: Parcel, now: float) -> Parcel:
        """Put all that is due for the same target into one parcel."""
        most = self._most(parcel)
        while self._queue and parcel.attempt == 0 and len(parcel.items) < most:
            head = self._queue[0]
            same = (head.org, head.kind, head.target, head.attempt) == (
                parcel.org,
                parcel.kind,
                parcel.target,
                0,
            )
            if head.due > now or not same:
                break
            parcel.items += heapq.heappop(self._queue).items
        return parcel

    def _most(self, parcel: Parcel) -> int:
        if parcel.kind == MESSAGES:
            return outbound.MOST_NOTIFICATIONS
        target = parcel.org.documents(EVENTS).get(parcel.target, {})
        return int(target.get("batch", 1))

    def _deliver(self, parcel: Parcel) -> None:
        with self.world.lock:
            target = parcel.org.documents(parcel.kind).get(parcel.target)
            if target is None:
                return
            body, kind = self._body(parcel, target)
        status, answer = _post(target, body, kind)
        if parcel.kind == MESSAGES:
            good = outbound.acknowledged(status, answer)
        else:
            good = 200 <= status < 300
        self.deliveries.append(
            {
                "at": time.time(),
                "url": target["url"],
                "attempt": parcel.attempt,
                "status": status,
                "acknowledged": good,
                "events": parcel.items,
            }
        )
        if not good:
            self._retry(parcel)

    def _body(self, parcel: Parcel, target: Json) -> tuple[bytes, str]:
        if parcel.kind == MESSAGES:
            body = outbound.envelope(
                parcel.org,
                target,
                parcel.items,
                base=str(target.get("instance_url", "")),
                session=str(target.get("session_id", "")),
            )
            return body, "text/xml; charset=utf-8"
        payload = parcel.items if int(target["batch"]) > 1 else parcel.items[0]
        return json.dumps(payload).encode(), "application/json"

    def _retry(self, parcel: Parcel) -> None:
        settings = self.world.settings
        if parcel.attempt >= settings.event_attempts:
            return
        wait = settings.event_retry_s * 2**parcel.attempt * random.uniform(0.8, 1.2)
        parcel.due = time.monotonic() + wait
        parcel.attempt += 1
        self._put(parcel)


def _post(target: Json, body: bytes, content_type: str) -> tuple[int, bytes]:
    """Return the answer's status and body; status 0 when there was none."""
    headers = {"Content-Type": content_type, "SOAPAction": '""'}
    if content_type == "application/json":
        headers.pop("SOAPAction")
    headers |= target.get("headers") or {}
    parts = urlsplit(target["url"])
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()

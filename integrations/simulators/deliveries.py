"""Telling others what changed: a queue ordered by when each event is due.

Delays, retries and deliberate disorder are all the same thing: a later due time.
"""

import heapq
import http.client
import itertools
import random
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from integrations.simulators.settings import Settings
from integrations.simulators.wire import Json
from integrations.simulators.world import World

TIMEOUT_S = 5
KEPT_DELIVERIES = 20_000

ToT = TypeVar("ToT")


@dataclass(frozen=True, slots=True)
class Terms:
    """How events are told. reorder, duplicate, lose: how probable each mishap is."""

    delay_s: float
    retry_s: float
    attempts: int
    reorder: float
    duplicate: float
    lose: float

    @classmethod
    def among(cls, settings: Settings, prefix: str) -> "Terms":
        """Return the settings <prefix>_delay_s, <prefix>_retry_s and so on."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: getattr(settings, f"{prefix}_{name}") for name in names})


@dataclass(order=True, slots=True)
class Parcel(Generic[ToT]):
    """What is delivered together. due: monotonic seconds; attempt: 0 is the first."""

    due: float
    number: int
    to: ToT = field(compare=False)
    items: list[Json] = field(compare=False)
    attempt: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a delivery. status: 0 = no answer; more: for the panel."""

    url: str
    status: int
    events: list[Json]
    good: bool
    more: Json = field(default_factory=dict)


class Courier(ABC, Generic[ToT]):
    """Delivers parcels from threads of its own, and again when that failed.

    A vendor says whether anybody listens (`wanted`), what it tells them of a change
    (`hear`), how many events one parcel for a recipient takes (`most`), and sends it
    (`send`). Recipients are compared with ==. prefix: of the settings that are its
    terms.
    """

    workers: int
    prefix: str

    def __init__(self, world: World[Any, Any, Any]) -> None:
        self._world = world
        self.deliveries: deque[Json] = deque(maxlen=KEPT_DELIVERIES)
        self.numbers = itertools.count(1)
        self._queue: list[Parcel[ToT]] = []
        self._in_flight = 0
        self._changed = threading.Condition()
        self._closed = False
        self._started = False
        self.refresh()

    # -- what differs

    @abstractmethod
    def wanted(self) -> bool:
        """Say whether anybody is told of changes."""

    @abstractmethod
    def hear(self, *told: Any) -> None:
        """Queue what the recipients ask for. told: as the world announces it."""

    @abstractmethod
    def most(self, to: ToT) -> int:
        """Return how many events go into one delivery."""

    @abstractmethod
    def send(self, parcel: Parcel[ToT]) -> Sent | None:
        """Deliver; None when the recipient is no more."""

    # -- what is the same

    def refresh(self) -> None:
        """Listen to changes only while somebody wants them."""
        wanted = self.wanted()
        self._world.listeners = [self.hear] if wanted else []
        if wanted and not self._started:
            self._started = True
            for _ in range(self.workers):
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

    def push(self, to: ToT, events: Iterable[Json], *, at_once: bool = False) -> None:
        """Queue events, with the delay and disorder that the terms ask for."""
        terms = Terms.among(self._world.settings, self.prefix)
        now = 0.0 if at_once else time.monotonic() + terms.delay_s
        with self._changed:
            for event in events:
                if random.random() < terms.lose:
                    continue
                late = random.random() if random.random() < terms.reorder else 0.0
                self._put(now + late, to, event)
                if random.random() < terms.duplicate:
                    self._put(now + late + random.random() / 2, to, event)
            self._changed.notify_all()

    def _put(self, due: float, to: ToT, event: Json) -> None:
        heapq.heappush(self._queue, Parcel(due, next(self.numbers), to, [event]))

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

    def _next(self) -> Parcel[ToT] | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._queue and self._queue[0].due <= now:
                    parcel = self._gather(heapq.heappop(self._queue), now)
                    self._in_flight += len(parcel.items)
                    return parcel
                self._changed.wait(self._queue[0].due - now if self._queue else None)
        return None

    def _gather(self, parcel: Parcel[ToT], now: float) -> Parcel[ToT]:
        """Put all that is due for the same recipient into one parcel."""
        most = self.most(parcel.to)
        while self._queue and parcel.attempt == 0 and len(parcel.items) < most:
            head = self._queue[0]
            if head.due > now or head.attempt or head.to != parcel.to:
                break
            parcel.items += heapq.heappop(self._queue).items
        return parcel

    def _deliver(self, parcel: Parcel[ToT]) -> None:
        sent = self.send(parcel)
        if sent is None:
            return
        self.deliveries.append(
            {
                "at": time.time(),
                "url": sent.url,
                "attempt": parcel.attempt,
                "status": sent.status,
                "events": sent.events,
                **sent.more,
            }
        )
        if not sent.good:
            self._retry(parcel)

    def _retry(self, parcel: Parcel[ToT]) -> None:
        terms = Terms.among(self._world.settings, self.prefix)
        if parcel.attempt >= terms.attempts:
            return
        wait = terms.retry_s * 2**parcel.attempt * random.uniform(0.8, 1.2)
        with self._changed:
            parcel.due = time.monotonic() + wait
            parcel.attempt += 1
            heapq.heappush(self._queue, parcel)
            self._changed.notify_all()


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Return the answer's status and body; status 0 when there was none."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()

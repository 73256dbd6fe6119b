"""A load generator: keep-alive clients on raw sockets, closed loop or at a rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class Load:
    """What came of it. latencies_s: one per answer; statuses: status -> how many."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.latencies_s) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """Return the latency that `share` of the answers stayed under."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def note(self, status: int, latency_s: float) -> None:
        """Count one answer."""
        self.latencies_s.append(latency_s)
        self.statuses[status] = self.statuses.get(status, 0) + 1


def closed_loop(url: str, bodies: Sequence[bytes], *, clients: int) -> Load:
    """Post every body once; each client sends the next when it has its answer."""
    return asyncio.run(_closed(url, bodies, clients))


def at_rate(
    url: str, make: Callable[[int], bytes], *, per_s: float, seconds: float
) -> Load:
    """Post at a fixed rate whether or not answers come; waiting counts as latency."""
    return asyncio.run(_open(url, make, per_s, seconds))


async def _closed(url: str, bodies: Sequence[bytes], clients: int) -> Load:
    load, waiting = Load(), iter(bodies)

    async def client() -> None:
        line = _Line(url)
        for body in waiting:
            started = time.perf_counter()
            status = await line.post(body)
            load.note(status, time.perf_counter() - started)
        line.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = time.perf_counter() - started
    return load


async def _open(
    url: str, make: Callable[[int], bytes], per_s: float, seconds: float
) -> Load:
    load, free = Load(), asyncio.Queue[_Line]()
    for _ in range(64):
        free.put_nowait(_Line(url))
    total = int(per_s * seconds)
    started = time.perf_counter()

    async def one(number: int) -> None:
        due = started + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        line = await free.get()
        status = await line.post(make(number))
        load.note(status, time.perf_counter() - due)
        free.put_nowait(line)

    await asyncio.gather(*(one(number) for number in range(total)))
    load.seconds = time.perf_counter() - started
    while not free.empty():
        free.get_nowait().close()
    return load


class _Line:
    """One client's connection, kept as long as the server keeps it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """Send a body; return the status of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(_content_length(head))
        if head.startswith(b"http/1.0") or b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        """End the connection; the next post opens one anew."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0

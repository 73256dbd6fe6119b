"""Reads a request's body: whole or not at all, within limits of size, time, memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from integrations.webhooks.envelope import Refused
from integrations.webhooks.writer import Unavailable

Receive = Callable[[], Awaitable[dict[str, Any]]]

# All bodies that are being read by one process, however many senders there are.
MAX_HELD_BYTES = 128 * 1024 * 1024
# After a refusal: what is still coming is taken and dropped, so that the sender reads
# the answer instead of a reset connection.
LINGER_S = 2.0
LINGER_BYTES = 32 * 1024 * 1024


class Disconnected(Exception):
    """The sender left before the end of the body."""


class BodyReader:
    """Reads bodies, counting what is held for all requests together."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, receive: Receive, *, limit: int, within_s: float) -> bytes:
        """Return the whole body. Raises Refused, Disconnected or Unavailable."""
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(within_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Disconnected
                    chunk = message.get("body", b"")
                    self._hold(len(chunk))
                    size += len(chunk)
                    if size > limit:
                        raise too_large(limit)
                    chunks.append(chunk)
                    more = message.get("more_body", False)
        except TimeoutError:
            words = f"The body did not arrive within {within_s:g} seconds."
            raise Refused(408, "timeout", words, closes=True) from None
        finally:
            self._held -= size
        return b"".join(chunks)

    def _hold(self, size: int) -> None:
        if self._held + size > MAX_HELD_BYTES:
            raise Unavailable("Too many large bodies are arriving.")
        self._held += size


def too_large(limit: int) -> Refused:
    """Return the refusal of a body over the limit in bytes."""
    words = f"The body is larger than {limit} bytes."
    return Refused(413, "too_large", words, closes=True)


def announced(headers: Mapping[str, str]) -> int:
    """Return the Content-Length, 0 without one."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


async def linger(receive: Receive) -> None:
    """Drop what is still coming, for a short time."""
    dropped = 0
    try:
        async with asyncio.timeout(LINGER_S):
            while dropped < LINGER_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return

"""Collects what must be stored and hands it to one thread, a batch at a time.

Nothing waits for company: a flush starts as soon as the thread is free, and takes all
that arrived meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from integrations.webhooks.store import Row, Stored, store

log = logging.getLogger(__name__)

MAX_ROWS = 200
MAX_WAITING = 2000
MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_WAITING_BYTES = 64 * 1024 * 1024
# Senders give up after ten seconds; a clear answer must come before.
ANSWER_WITHIN_S = 8.0


Answer = asyncio.Future[Stored | None]


class Unavailable(Exception):
    """It was not stored, or we do not know; the sender should try again."""


class Writer:
    """The one way into the delivery table; lives in one event loop."""

    def __init__(
        self, store: Callable[[Sequence[Row]], list[Stored | None]] = store
    ) -> None:
        self._store = store
        self._waiting: deque[tuple[Row, Answer]] = deque()
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._runner: asyncio.Task[None] | None = None

    async def put(self, row: Row) -> Stored | None:
        """Return once the row is committed, None when it cannot be.

        Raises Unavailable when the database does not answer, or too many wait.
        """
        if self.is_full():
            raise Unavailable("Too many deliveries are waiting to be stored.")
        future: Answer = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._bytes += len(row.body)
        self._start()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await future
        except TimeoutError:
            raise Unavailable("The database takes too long.") from None

    def is_full(self) -> bool:
        """Tell whether nothing more is taken for now."""
        return len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES

    def is_busy(self) -> bool:
        """Tell whether there is no room for what is merely nice to have."""
        return 2 * len(self._waiting) >= MAX_WAITING or self._bytes * 2 >= (
            MAX_WAITING_BYTES
        )

    async def drain(self) -> None:
        """Return when everything that was taken is stored or refused."""
        if self._runner is not None:
            await self._runner

    def _start(self) -> None:
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._take()
            rows = [row for row, _ in batch]
            try:
                results = await loop.run_in_executor(self._thread, self._store, rows)
            except Exception as error:
                log.exception("deliveries not stored", extra={"count": len(rows)})
                _fail([future for _, future in batch], error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():  # the request may have stopped waiting
                    future.set_result(result)

    def _take(self) -> list[tuple[Row, Answer]]:
        batch: list[tuple[Row, Answer]] = []
        size = 0
        while self._waiting and len(batch) < MAX_ROWS and size < MAX_BATCH_BYTES:
            row, future = self._waiting.popleft()
            self._bytes -= len(row.body)
            size += len(row.body)
            batch.append((row, future))
        return batch


def _fail(futures: Sequence[Answer], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(Unavailable(str(error)))

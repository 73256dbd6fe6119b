"""Puts pages of a CRM together until there is enough to settle, and reads ahead.

What a transaction and its look-ups cost is then paid once for hundreds of records,
whatever the size of the vendor's pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

from django.db import connection, connections

from integrations.errors import SyncError
from integrations.records import Page, RemoteRecord

# Records that are settled together. More of them gain little, hold their rows for
# longer, and are read and settled again when the worker dies meanwhile.
ENOUGH = 500
# What a slow vendor has given by then is settled: who waits for it sees it come.
GATHER_S = 2.0

Read = Callable[[str | None], Page]


@dataclass(slots=True)
class _Gathered:
    """What was read, where to go on, and what ended the reading before its time."""

    records: list[RemoteRecord] = field(default_factory=list)
    cursor: str | None = None
    pages: int = 0
    error: SyncError | None = None


def together(
    read: Read, cursor: str | None, *, deadline: float | None = None
) -> Generator[Page]:
    """Yield what `read` gives from a cursor on, in pages that are worth settling.

    Ends after the last page, or at the deadline (monotonic) with what was read until
    then; the first page is read in any case. While one is settled, the next is read. An
    error is raised once what was read before it has been settled.
    """
    found = _gather(read, cursor, deadline)
    with _Ahead() as ahead:
        while True:
            if found.error is not None and not found.pages:
                raise found.error
            going_on = found.cursor is not None and not _is_over(deadline)
            following = found.cursor
            if going_on and found.error is None:
                ahead.start(lambda at=following: _gather(read, at, deadline))  # type: ignore[misc]
            yield Page(tuple(found.records), found.cursor)
            if found.error is not None:
                raise found.error
            if not going_on:
                return
            found = ahead.result()


def _gather(read: Read, cursor: str | None, deadline: float | None) -> _Gathered:
    found = _Gathered(cursor=cursor)
    until = time.monotonic() + GATHER_S
    if deadline is not None:
        until = min(until, deadline)
    while True:
        try:
            page = read(found.cursor)
        except SyncError as error:
            found.error = error
            return found
        found.records += page.records
        found.cursor = page.cursor
        found.pages += 1
        enough = len(found.records) >= ENOUGH or time.monotonic() > until
        if enough or page.cursor is None:
            return found


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


class _Ahead:
    """Does one thing at a time in a thread of its own, where there can be one.

    The thread needs a database connection: it would not see what an open transaction
    has written, and a pool may have none to spare.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._job: Future[_Gathered] | Callable[[], _Gathered] | None = None

    def __enter__(self) -> _Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.submit(connections.close_all)
            self._pool.shutdown()

    def start(self, job: Callable[[], _Gathered]) -> None:
        """Begin a job; in the thread it sees the same workspace and lane."""
        if connection.in_atomic_block or "pool" in connection.settings_dict["OPTIONS"]:
            self._job = job
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._job = self._pool.submit(copy_context().run, job)

    def result(self) -> _Gathered:
        """Return what the job gave, or raise what it raised."""
        assert self._job is not None
        job, self._job = self._job, None
        return job() if callable(job) else job.result()

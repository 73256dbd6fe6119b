"""Puts pages of a CRM together until there is enough to settle, and reads ahead.

What a transaction and its look-ups cost is then paid once for hundreds of records,
whatever the size of the vendor's pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from crmsync.core.aside import Aside
from integrations.errors import SyncError
from integrations.records import Page, RemoteRecord

# Records that are settled together. More of them gain little, hold their rows for
# longer, and are read and settled again when the worker dies meanwhile.
ENOUGH = 1_000
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
    begun_at: datetime = field(default_factory=timezone.now)


def together(
    read: Read, cursor: str | None, *, deadline: float | None = None
) -> Generator[Page]:
    """Yield what `read` gives from a cursor on, in pages that are worth settling.

    Ends after the last page, or at the deadline (monotonic) with what was read until
    then; the first page is read in any case. While one is settled, the next is read. An
    error is raised once what was read before it has been settled.
    """
    found = _gather(read, cursor, deadline)
    with Aside[_Gathered]("ahead") as ahead:
        while True:
            if found.error is not None and not found.pages:
                raise found.error
            going_on = found.cursor is not None and not _is_over(deadline)
            following = found.cursor
            if going_on and found.error is None:
                ahead.start(lambda at=following: _gather(read, at, deadline))  # type: ignore[misc]
            yield Page(tuple(found.records), found.cursor, found.begun_at)
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

"""One more thread for a piece of work that waits: for a page to come, for a database.

The thread needs a database connection: it would not see what an open transaction has
written, and a pool may have none to spare.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, TypeVar

from django.db import connection, connections

T = TypeVar("T")


def can_stand_aside() -> bool:
    """Tell whether a thread may have a database connection of its own here."""
    pooled = "pool" in connection.settings_dict["OPTIONS"]
    return not pooled and not connection.in_atomic_block


class Aside(Generic[T]):
    """Does one job at a time in a thread of its own, where there can be one.

    Elsewhere the job is done when its result is asked for. To be used as a context
    manager: leaving it waits for the job and gives the connection back.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pool: ThreadPoolExecutor | None = None
        self._job: Future[T] | Callable[[], T] | None = None

    def __enter__(self) -> Aside[T]:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.submit(connections.close_all)
            self._pool.shutdown()

    def start(self, job: Callable[[], T]) -> None:
        """Begin a job; in the thread it sees the same workspace and lane."""
        if not can_stand_aside():
            self._job = job
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        self._job = self._pool.submit(copy_context().run, job)

    def result(self) -> T:
        """Return what the job gave, or raise what it raised."""
        assert self._job is not None
        job, self._job = self._job, None
        return job() if callable(job) else job.result()

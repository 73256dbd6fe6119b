"""Several hands of one worker: threads that take turns while there is enough to do.

A call to another system is mostly waiting, so one process can have several under way.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections

# Workers that began together do not stop together: one takes the other's place.
_SPREAD = (0.75, 1.25)
# A slice that ended amid plenty is followed by one that begins so, if it is by then.
GOES_ON_S = 5.0

_lock = threading.Lock()
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
# When a slice of this process was over with all hands still busy (monotonic).
_left_amid: dict[int, float] = {}


def work(
    take_turn: Callable[[], int], *, hands: int, for_s: float, busy_from: int = 1
) -> int:
    """Take turns until there is nothing to do or time is over; return their sum.

    take_turn: does one piece of work in any thread, returns how much it was, 0 for
    nothing to do. Another hand joins, up to `hands`, after each piece of at least
    `busy_from`: what is small goes in order and costs no more than itself. All of them
    join at once where the last slice was over before the work was. What a hand raises
    is raised here, once all are done.
    """
    until = time.monotonic() + for_s * random.uniform(*_SPREAD)
    others: list[Future[int]] = []

    def join() -> None:
        if len(others) < hands - 1:
            others.append(_pool(hands).submit(_help, take_turn, until))

    if time.monotonic() - _left_amid.pop(os.getpid(), -GOES_ON_S) < GOES_ON_S:
        for _ in range(hands - 1):
            join()
    total = 0
    try:
        while time.monotonic() < until and (done := take_turn()):
            total += done
            if done >= busy_from:
                join()
        if others and time.monotonic() >= until:
            _left_amid[os.getpid()] = time.monotonic()
    finally:
        totals = [one.exception() or one.result() for one in others]
    for result in totals:
        if isinstance(result, BaseException):
            raise result
        total += result
    return total


def _help(take_turn: Callable[[], int], until: float) -> int:
    # A connection that broke since the last time must not fail this one.
    close_old_connections()
    total = 0
    try:
        while time.monotonic() < until and (done := take_turn()):
            total += done
    finally:
        close_old_connections()
    return total


def _pool(hands: int) -> ThreadPoolExecutor:
    """Return this process's threads: they keep their connections between drains."""
    # Threads do not survive a fork: a prefork child starts its own.
    with _lock:
        place = (os.getpid(), hands)
        if place not in _pools:
            _pools[place] = ThreadPoolExecutor(hands, thread_name_prefix="crew")
        return _pools[place]

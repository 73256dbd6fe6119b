"""Settles pages side by side, where a database lets several transactions write.

While one page waits for the database, the next is worked out. What two of them would
both make, the second finds made; see `turns` for how it comes to that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial

from django.db import connection

from crmsync.core.aside import Aside, can_stand_aside
from integrations.errors import SyncError
from integrations.records import Page
from integrations.sync.turns import Turn

# More of them only wait for each other: a process works one thing out at a time.
HANDS = 2

# What takes in a page; its turn is given where others are settled beside it.
Settle = Callable[[Page, Turn | None], None]


def settled(
    found: Iterator[Page], settle: Settle, *, wanted: Callable[[], bool]
) -> Generator[Page]:
    """Settle pages; yield each, in order, once it and all before it are.

    wanted: asked before each page, no is the end. Pages that have been begun by then,
    or before the reading failed, are settled and yielded all the same; after one that
    fails none is, for who keeps the place must not pass it.
    """
    if connection.vendor != "postgresql" or not can_stand_aside():
        while wanted() and (page := next(found, None)) is not None:
            settle(page, None)
            yield page
        return
    with ExitStack() as stack:
        hands = deque(stack.enter_context(Aside[None]("settle")) for _ in range(HANDS))
        yield from _abreast(found, settle, wanted, hands)


def _abreast(
    found: Iterator[Page],
    settle: Settle,
    wanted: Callable[[], bool],
    hands: deque[Aside[None]],
) -> Generator[Page]:
    begun: deque[tuple[Page, Aside[None]]] = deque()
    error: SyncError | None = None
    turn: Turn | None = None
    while wanted():
        try:
            page = next(found, None)
        except SyncError as failed:
            error = failed
            break
        if page is None:
            break
        turn = Turn(turn)
        hands[0].start(partial(_in_turn, settle, page, turn))
        begun.append((page, hands[0]))
        hands.rotate()
        if len(begun) == len(hands):
            page, hand = begun.popleft()
            hand.result()
            yield page
    for page, hand in begun:
        hand.result()
        yield page
    if error is not None:
        raise error


def _in_turn(settle: Settle, page: Page, turn: Turn) -> None:
    try:
        settle(page, turn)
    finally:
        turn.end()

"""Several hands of one worker take turns while there is enough to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from crmsync.core import crew

# A hand looks after its connections, and may have some from other tests.
pytestmark = pytest.mark.django_db(transaction=True)


class Pile:
    """Work that is taken piece by piece; remembers who took it."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces
        self.takers: set[int] = set()
        self._lock = threading.Lock()

    def take(self) -> int:
        """Take a piece if there is one."""
        with self._lock:
            if not self.left:
                return 0
            self.left -= 1
            self.takers.add(threading.get_ident())
        return 1


def test_all_is_done_and_counted_once() -> None:
    pile = Pile(100)

    done = crew.work(pile.take, hands=4, for_s=60)

    assert (done, pile.left) == (100, 0)


def test_a_lone_hand_does_all_by_itself() -> None:
    pile = Pile(20)

    crew.work(pile.take, hands=1, for_s=60)

    assert pile.takers == {threading.get_ident()}


def test_small_pieces_call_for_no_other_hand() -> None:
    pile = Pile(20)

    crew.work(pile.take, hands=4, for_s=60, busy_from=2)

    assert pile.takers == {threading.get_ident()}


def test_hands_work_side_by_side() -> None:
    together = threading.Barrier(2, timeout=20)
    turns = iter(range(3))
    lock = threading.Lock()

    def take_turn() -> int:
        with lock:
            turn = next(turns, None)
        if turn is None:
            return 0
        if turn >= 1:
            together.wait()
        return 1

    assert crew.work(take_turn, hands=2, for_s=60) == 3


def test_nothing_is_begun_after_its_time() -> None:
    pile = Pile(5)

    assert crew.work(pile.take, hands=4, for_s=0) == 0
    assert pile.left == 5


def _failing_elsewhere(pile: Pile) -> Callable[[], int]:
    here = threading.get_ident()

    def take_turn() -> int:
        if threading.get_ident() != here:
            raise ValueError("broken")
        return pile.take()

    return take_turn


def test_what_another_hand_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="broken"):
        crew.work(_failing_elsewhere(Pile(3)), hands=2, for_s=60)


@pytest.fixture
def mid_work() -> Iterator[None]:
    """A slice of this process was over while two hands still had enough to do."""
    met = threading.Barrier(2, timeout=20)
    late = iter([False])

    def take_turn() -> int:
        if next(late, True):
            met.wait()
            time.sleep(3)
        return 1

    crew.work(take_turn, hands=2, for_s=2)
    yield
    crew.work(lambda: 0, hands=2, for_s=60)


def test_after_a_slice_amid_plenty_all_hands_begin_at_once(mid_work: None) -> None:
    together = threading.Barrier(2, timeout=20)
    turns = iter([together.wait, together.wait])
    lock = threading.Lock()

    def take_turn() -> int:
        with lock:
            meet = next(turns, None)
        if meet is None:
            return 0
        meet()
        return 1

    assert crew.work(take_turn, hands=2, for_s=60, busy_from=10) == 2


def test_what_was_plenty_is_forgotten_once_there_is_none(mid_work: None) -> None:
    crew.work(lambda: 0, hands=2, for_s=60)
    pile = Pile(20)

    crew.work(pile.take, hands=4, for_s=60, busy_from=2)

    assert pile.takers == {threading.get_ident()}

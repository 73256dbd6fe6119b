"""Lanes: the urgent goes first, the others keep their share, nobody waits for ever."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from crmsync.core.lanes import (
    BATCH,
    BURST_TURNS,
    REALTIME,
    REPLAY,
    SHARES,
    Account,
    after_turn,
    next_lane,
)

ALL = {REALTIME, BATCH, REPLAY}


def served(account: Account, waiting: set[int], turns: int) -> list[int]:
    """Return the lanes of the next turns while the same lanes wait."""
    order = []
    for _ in range(turns):
        lane = next_lane(account, waiting)
        account = after_turn(account, waiting, lane)
        order.append(lane)
    return order


def test_urgent_work_that_comes_goes_next_however_long_the_others_have_waited() -> None:
    account: Account = []
    for _ in range(1000):
        account = after_turn(account, {BATCH, REPLAY}, BATCH)

    assert next_lane(account, ALL) == REALTIME


def test_lone_lane_takes_every_turn() -> None:
    assert served([], {REPLAY}, 50) == [REPLAY] * 50


def test_flood_of_urgent_work_leaves_each_lane_its_share() -> None:
    turns = sum(SHARES) * 100

    counted = Counter(served([], ALL, turns))

    for lane, share in enumerate(SHARES):
        assert abs(counted[lane] - share * 100) <= BURST_TURNS


def test_burst_of_urgent_work_is_not_held_up_by_the_others_share() -> None:
    account = after_turn([], {BATCH}, BATCH)

    assert served(account, {REALTIME, BATCH}, BURST_TURNS) == [REALTIME] * BURST_TURNS


def test_lane_that_was_empty_brings_no_credit_along() -> None:
    account: Account = []
    for _ in range(1000):
        account = after_turn(account, {REALTIME}, REALTIME)
    account = after_turn(account, {REALTIME, BATCH}, REALTIME)

    order = served(account, {REALTIME, BATCH}, 44)

    assert order.count(BATCH) <= 14


@given(st.lists(st.sets(st.sampled_from(sorted(ALL)), min_size=1), max_size=200))
def test_only_what_waits_is_served_and_the_account_stays_small(
    waits: list[set[int]],
) -> None:
    account: Account = []
    for waiting in waits:
        lane = next_lane(account, waiting)
        account = after_turn(account, waiting, lane)

        assert lane in waiting
        assert all(paid is None or 0 <= paid <= 200 for paid in account)


@given(st.lists(st.booleans(), min_size=80, max_size=80))
def test_no_lane_that_keeps_waiting_is_passed_over_for_ever(
    urgent: list[bool],
) -> None:
    """Whatever comes and goes in the urgent lane."""
    account: Account = []
    order = []
    for present in urgent:
        waiting = {BATCH, REPLAY} | ({REALTIME} if present else set())
        lane = next_lane(account, waiting)
        account = after_turn(account, waiting, lane)
        order.append(lane)

    assert BATCH in order
    assert REPLAY in order

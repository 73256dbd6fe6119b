"""The breaker: it opens after many failures and comes back step by step."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from crmsync.core.breaker import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    MAX_IN_A_ROW,
    MIN_CALLS,
    SUCCESSES_TO_CLOSE,
    Breaker,
    Outcomes,
    Room,
    after,
    room,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAP = 8
OK, FAILED = Outcomes(ok=1), Outcomes(failed=1)


def told(breaker: Breaker, *outcomes: Outcomes, at: datetime = AT) -> Breaker:
    for one in outcomes:
        breaker = after(breaker, one, cap=CAP, at=at, rng=random.Random(3))
    return breaker


def opened(times: int = 1) -> Breaker:
    breaker = told(Breaker(), *[FAILED] * MAX_IN_A_ROW)
    for _ in range(times - 1):
        breaker = told(breaker, FAILED, at=later(breaker))
    return breaker


def later(breaker: Breaker) -> datetime:
    assert breaker.until is not None
    return breaker.until + timedelta(seconds=1)


def wait_s(breaker: Breaker, since: datetime) -> float:
    assert breaker.until is not None
    return (breaker.until - since).total_seconds()


def test_it_opens_after_ten_failures_in_a_row_and_not_after_nine() -> None:
    nine = told(Breaker(), *[FAILED] * 9)

    ten = told(nine, FAILED)

    assert (nine.state, ten.state) == ("closed", "open")


def test_one_success_begins_the_count_anew() -> None:
    breaker = told(Breaker(), *[FAILED] * 9, OK, *[FAILED] * 9)

    assert breaker.failures == 9
    assert breaker.state == "closed"


def test_it_opens_when_half_of_twenty_calls_in_a_minute_failed() -> None:
    pairs = [FAILED, OK] * (MIN_CALLS // 2)

    before = told(Breaker(), *pairs[:-1])
    then = told(before, pairs[-1])

    assert (before.state, then.state) == ("closed", "open")


def test_three_failures_in_a_hundred_do_not_open_it() -> None:
    breaker = told(Breaker(), *([FAILED] + [OK] * 32) * 30)

    assert breaker.state == "closed"


def test_failures_of_another_minute_do_not_count() -> None:
    breaker = told(Breaker(), *[FAILED, OK] * 9)

    breaker = told(breaker, FAILED, OK, FAILED, OK, at=AT + timedelta(seconds=61))

    assert breaker.state == "closed"


def test_while_all_goes_well_nothing_changes() -> None:
    assert told(Breaker(), *[OK] * 100) == Breaker()


def test_open_lets_nothing_through_before_its_time_and_then_one_item() -> None:
    breaker = opened()

    assert room(breaker, cap=CAP, at=AT) == Room(0)
    assert room(breaker, cap=CAP, at=later(breaker)) == Room(1, items=1)


@pytest.mark.parametrize(("times", "step_s"), [(1, 30), (2, 60), (3, 120), (5, 480)])
def test_wait_doubles_each_time_in_a_row(times: int, step_s: float) -> None:
    before = opened(times - 1) if times > 1 else None
    since = later(before) if before else AT

    waited_s = wait_s(opened(times), since)

    assert step_s <= waited_s <= step_s * 1.2


def test_wait_never_passes_a_quarter_of_an_hour() -> None:
    before = opened(2000)

    breaker = told(before, FAILED, at=later(before))

    assert FIRST_WAIT_S < wait_s(breaker, later(before)) <= LONGEST_WAIT_S


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    breaker = opened()

    assert told(breaker, OK, FAILED) == breaker


def test_failure_of_the_one_that_was_let_through_opens_it_again() -> None:
    breaker = opened()
    half = told(breaker, OK, at=later(breaker))

    again = told(half, FAILED, at=later(breaker))

    assert (half.state, again.state, again.opened) == ("half", "open", 2)


def test_five_successes_close_it_with_room_for_one() -> None:
    breaker = opened()

    closed = told(breaker, *[OK] * SUCCESSES_TO_CLOSE, at=later(breaker))

    assert closed.state == "closed"
    assert room(closed, cap=CAP, at=AT) == Room(1)


def test_room_doubles_with_each_success_up_to_the_cap() -> None:
    breaker = opened()
    at = later(breaker)
    breaker = told(breaker, *[OK] * SUCCESSES_TO_CLOSE, at=at)
    rooms = []

    for _ in range(4):
        rooms.append(room(breaker, cap=CAP, at=at).leases)
        breaker = told(breaker, OK, at=at)

    assert rooms == [1, 2, 4, CAP]
    assert breaker.opened == 0


def test_failure_on_the_way_back_halves_the_room() -> None:
    breaker = Breaker(opened=1, ramp=4)

    breaker = told(breaker, FAILED)

    assert (breaker.state, breaker.ramp) == ("closed", 2)

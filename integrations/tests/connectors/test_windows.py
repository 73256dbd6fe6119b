"""Counting calls: in this process and in a store that all processes share."""

from __future__ import annotations

import itertools
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.shared_windows import SharedStore
from integrations.connectors.windows import (
    WARY_CALLS,
    LocalStore,
    Request,
    Store,
    Window,
    _Bucket,
    _take,
)

_scopes = (f"test-windows-{time.time()}-{number}" for number in itertools.count())
TEN = (Window(amount=10, per_s=60, left_over=8),)


@pytest.fixture(params=["this process", "shared"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "this process":
        return LocalStore()
    url = os.environ.get("REDIS_URL", "")
    if not url:
        pytest.skip("REDIS_URL names no store")
    return SharedStore(url)


@pytest.fixture
def scope() -> str:
    return next(_scopes)


def call(scope: str, **more: object) -> Request:
    values: dict[str, object] = {"bucket": "api", "windows": TEN, "urgent": True}
    return Request(scope, **(values | more))  # type: ignore[arg-type]


def granted(store: Store, request: Request, tries: int = 30) -> int:
    return sum(store.take(request) == 0.0 for _ in range(tries))


def test_no_more_than_the_amount_goes(store: Store, scope: str) -> None:
    assert granted(store, call(scope)) == 10


def test_the_wait_is_until_the_first_call_leaves_the_window(
    store: Store, scope: str
) -> None:
    granted(store, call(scope))

    assert 59 < store.take(call(scope)) <= 60


def test_every_window_holds(store: Store, scope: str) -> None:
    both = (Window(10, 60, 8), Window(3, 30, 3))

    assert granted(store, call(scope, windows=both)) == 3
    assert 29 < store.take(call(scope, windows=both)) <= 30


def test_a_call_that_counts_as_several_needs_room_for_all_of_them(
    store: Store, scope: str
) -> None:
    assert granted(store, call(scope, cost=4)) == 2
    assert granted(store, call(scope)) == 2


def test_what_costs_more_than_the_window_waits_and_harms_nothing(
    store: Store, scope: str
) -> None:
    assert 59 < store.take(call(scope, cost=11)) <= 60


def test_without_windows_all_may_go(store: Store, scope: str) -> None:
    assert granted(store, call(scope, windows=()), tries=50) == 50


def test_work_that_is_not_urgent_may_use_all_while_nothing_is_urgent(
    store: Store, scope: str
) -> None:
    assert granted(store, call(scope, urgent=False)) == 10


def test_while_urgent_calls_are_about_the_others_leave_their_reserve(
    store: Store, scope: str
) -> None:
    store.take(call(scope))

    others = granted(store, call(scope, urgent=False))

    assert 1 + others == 8
    assert granted(store, call(scope)) == 2


def test_while_an_urgent_call_waits_the_others_step_back(
    store: Store, scope: str
) -> None:
    granted(store, call(scope))
    elsewhere = (Window(100, 60, 100),)

    other = store.take(call(scope, urgent=False, windows=elsewhere))

    assert 0 < other <= 0.05


def test_while_held_nothing_goes(store: Store, scope: str) -> None:
    store.hold(scope, "api", 20)

    assert 19 < store.take(call(scope)) <= 20
    assert store.take(call(scope, bucket="search")) == 0.0


def test_a_hold_without_bucket_holds_all_of_them(store: Store, scope: str) -> None:
    store.hold(scope, "", 20)

    assert 19 < store.take(call(scope)) <= 20
    assert 19 < store.take(call(scope, bucket="search")) <= 20


def test_a_shorter_hold_does_not_shorten_a_longer_one(store: Store, scope: str) -> None:
    store.hold(scope, "api", 20)

    store.hold(scope, "api", 1)

    assert store.take(call(scope)) > 19


def test_after_a_refusal_one_call_goes_and_the_others_wait_for_its_answer(
    store: Store, scope: str
) -> None:
    store.hold(scope, "", 0.8, wary=True)
    time.sleep(0.81)

    first, second = store.take(call(scope)), store.take(call(scope, bucket="search"))

    assert first == 0.0
    assert 0 < second <= 0.8 / WARY_CALLS
    time.sleep(second + 0.002)
    assert store.take(call(scope, bucket="search")) == 0.0


def test_what_was_not_refused_goes_at_full_speed_soon(store: Store, scope: str) -> None:
    store.hold(scope, "api", 0.1, wary=True)
    time.sleep(0.21)

    assert granted(store, call(scope)) == 10


def test_a_hold_that_was_no_refusal_is_followed_by_all(
    store: Store, scope: str
) -> None:
    store.hold(scope, "api", 0.05)
    time.sleep(0.06)

    assert granted(store, call(scope)) == 10


def test_accounts_are_counted_apart(store: Store, scope: str) -> None:
    granted(store, call(scope))
    store.hold(scope, "", 20)

    assert store.take(call(next(_scopes))) == 0.0


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.integers(1, 3)), max_size=80)
)
def test_in_no_window_are_more_calls_than_it_allows(
    asks: list[tuple[float, bool, int]],
) -> None:
    known, now, went = _Bucket(), 0.0, []
    windows = (Window(6, 10, 5), Window(3, 2, 3))

    for later_s, urgent, cost in asks:
        now += later_s
        if _take(known, Request("a", "b", windows, urgent, cost), now) == 0.0:
            went += [now] * cost

    for one in windows:
        for end in went:
            inside = [at for at in went if end - one.per_s < at <= end]
            assert len(inside) <= one.amount


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_whoever_comes_back_after_the_told_wait_may_go(gaps: list[float]) -> None:
    known, now = _Bucket(), 0.0
    request = Request("a", "b", (Window(3, 10, 2),), urgent=True)

    for gap in gaps:
        now += gap
        wait_s = _take(known, request, now)
        if wait_s:
            now += wait_s + 1e-6
            assert _take(known, request, now) == 0.0

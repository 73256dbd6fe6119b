"""The call budget: windows, what headers teach, and a store that is down."""

import itertools
import logging
import multiprocessing
import os
import time
from typing import Any

import pytest

from integrations.connectors.limits import Budget, in_lane, shared_budget
from integrations.connectors.spec import RateHeaders, RateLimit
from integrations.connectors.windows import Window

HEADERS = RateHeaders("api", "X-Max", "X-Remaining", "X-Interval-Ms")
_scopes = (f"test-{time.time()}-{number}" for number in itertools.count())


def budget(*limits: Any, **options: Any) -> Any:
    return Budget(limits, scope=next(_scopes), rate_headers=(HEADERS,), **options)


def granted(one: Any, bucket: str = "api", *, tries: int = 50) -> Any:
    return sum(one.acquire(bucket) == 0.0 for _ in range(tries))


def granted_in_a_process(scope: str, url: str) -> int:
    limits = (RateLimit("api", 11, 60, "test"),)
    return int(granted(Budget(limits, scope=scope, redis_url=url)))


def test_a_window_grants_its_amount_but_for_one_where_what_remains_is_told() -> None:
    one = budget(RateLimit("api", 7, 60, "test"), RateLimit("search", 7, 60, "test"))

    assert (granted(one), granted(one, "search")) == (6, 7)


def test_the_wait_leads_past_the_end_of_the_window_by_what_may_bunch_up() -> None:
    one = budget(RateLimit("api", 1, 60, "test"))
    one.acquire("api")

    assert 60 < one.acquire("api") <= 60.25


def test_buckets_are_counted_apart() -> None:
    one = budget(RateLimit("api", 3, 60, "test"), RateLimit("search", 1, 60, "test"))

    assert granted(one) == 2
    assert granted(one, "search") == 1
    assert granted(one, "unheard of") == 50


def test_two_budgets_of_one_scope_share_the_window() -> None:
    scope = next(_scopes)
    limits = (RateLimit("api", 5, 60, "test"),)

    taken = granted(Budget(limits, scope=scope)) + granted(Budget(limits, scope=scope))

    assert taken == 5


def test_a_limit_told_in_headers_replaces_the_assumed_one_and_keeps_the_count() -> None:
    one = budget(RateLimit("api", 6, 60, "test"))
    granted(one)

    one.observe({"x-max": "9", "X-Interval-Ms": "60000", "X-Remaining": "3"})

    assert granted(one) == 3


def test_none_remaining_pauses_even_where_our_count_has_room() -> None:
    one = budget(RateLimit("api", 100, 10, "test"))

    one.observe({"X-Max": "100", "X-Interval-Ms": "10000", "X-Remaining": "0"})

    assert 0 < one.acquire("api") <= 1.0


@pytest.mark.parametrize("value", ["", "-1", "nan", "１２", "9" * 30, "1e3"])
def test_nonsense_in_headers_is_no_limit(value: Any) -> None:
    one = budget(RateLimit("api", 4, 60, "test"))

    one.observe({"X-Max": value, "X-Interval-Ms": "10", "X-Remaining": value})

    assert granted(one) == 3


def test_a_store_that_is_down_leaves_a_local_window_and_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = budget(RateLimit("api", 5, 60, "test"), redis_url="redis://127.0.0.1:1/0")

    with caplog.at_level(logging.WARNING):
        taken = granted(one)

    assert taken == 4
    assert len(caplog.records) == 1


def test_processes_share_a_window_where_there_is_a_store() -> None:
    url = os.environ.get("REDIS_URL", "")
    if not url:
        pytest.skip("REDIS_URL names no store that processes could share")
    scope = next(_scopes)

    with multiprocessing.get_context("spawn").Pool(3) as pool:
        taken = pool.starmap(granted_in_a_process, [(scope, url)] * 3)

    assert sum(taken) == 11


def test_a_process_has_one_budget_for_a_scope() -> None:
    scope = next(_scopes)
    limits = (RateLimit("api", 5, 60, "test"),)

    assert shared_budget(scope, None, limits, ()) is shared_budget(
        scope, None, limits, ()
    )


def test_the_reserve_of_a_window_is_a_tenth_and_work_that_can_wait_is_paced() -> None:
    one = budget(RateLimit("api", 190, 10, "test"))

    one.acquire("api")
    with in_lane(1):
        paced = granted(one, tries=100)
        windows = one._windows_of("api", urgent=False)

    assert paced == 20
    assert windows[0] == Window(189, 10.25, 170)


def test_urgent_calls_are_not_paced() -> None:
    one = budget(RateLimit("api", 190, 10, "test"))

    assert granted(one, tries=300) == 189


def test_a_hold_is_kept_here_while_the_store_is_down() -> None:
    one = budget(redis_url="redis://127.0.0.1:1/0")

    one.hold("", 30)

    assert 29 < one.acquire("api") <= 30

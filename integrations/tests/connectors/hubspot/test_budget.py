"""The call budget against the simulator's own limits."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from integrations.connectors import CONNECTORS
from integrations.connectors.http import CallRecord, HttpClient
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.limits import Budget
from integrations.connectors.spec import RateLimit
from integrations.errors import RateLimited
from integrations.records import Filter
from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator("hubspot") as running:
        yield running


def connector(
    simulator: RunningSimulator, budget: Budget, calls: list[CallRecord], **more: Any
) -> HubSpotConnector:
    client = HttpClient(
        simulator.base_url,
        lambda refused=None: PRIVATE_TOKEN,
        vendor="hubspot",
        parse_error=CONNECTORS["hubspot"].parse_error,
        limiter=budget,
        on_call=calls.append,
        **more,
    )
    return HubSpotConnector(client)


def budget(*limits: RateLimit) -> Budget:
    scope = f"test-{time.time_ns()}"
    return Budget(limits, scope=scope, rate_headers=SPEC.rate_headers)


def test_searches_are_spaced_so_that_none_is_refused(
    simulator: RunningSimulator,
) -> None:
    calls: list[CallRecord] = []
    hubspot = connector(simulator, budget(*SPEC.limits["token"]), calls, max_wait_s=2.0)

    for _ in range(12):
        hubspot.search("contacts", [Filter("email", "has")], [], 1)

    assert [one.status for one in calls] == [200] * 12


def test_the_first_answer_teaches_the_limit_of_the_plan(
    simulator: RunningSimulator,
) -> None:
    calls: list[CallRecord] = []
    too_careful = budget(RateLimit("api", 2, 10, "test"))
    hubspot = connector(simulator, too_careful, calls, max_wait_s=0.0)

    for _ in range(10):
        hubspot.fetch("notes", ["1"], fields=[])

    assert len(calls) == 10


def test_what_the_budget_refuses_is_never_sent(simulator: RunningSimulator) -> None:
    calls: list[CallRecord] = []
    spent = budget(RateLimit("search", 1, 60, "test"))
    hubspot = connector(simulator, spent, calls)
    hubspot.search("contacts", [], [], 1)

    with pytest.raises(RateLimited) as caught:
        hubspot.search("contacts", [], [], 1)

    assert caught.value.scope == "search"
    assert 50 < (caught.value.retry_after_s or 0) <= 61
    assert len(calls) == 1


def test_calls_that_others_used_up_are_waited_for_without_a_flood(
    simulator: RunningSimulator,
) -> None:
    """Another app has just used the whole window of 2 s; eight workers want to go on.

    Each tenth of the window one call asks whether there is room again, whatever the
    number of workers; ours all go as soon as there is, not a window later.
    """
    simulator.configure(private_limit=100, window_ms=2000)
    calls: list[CallRecord] = []
    shared = budget(RateLimit("api", 100, 2, "test"))
    connector(simulator, shared, calls).fetch("notes", ["1"], fields=[])
    use_up(simulator, calls=99)
    simulator.set_fault("latency", seconds=0.03)
    calls.clear()

    took_s = at_once(
        until_taken, [connector(simulator, shared, calls) for _ in range(8)]
    )

    refused = [one for one in calls if one.status == 429]
    assert len(calls) - len(refused) == 8
    assert 1 <= len(refused) <= 8 + 2 / 0.2
    assert took_s < 4


def use_up(simulator: RunningSimulator, *, calls: int) -> None:
    """Call as another app of the account does."""
    for _ in range(calls):
        requests.get(
            f"{simulator.base_url}/crm/v3/objects/notes",
            headers=simulator.headers,
            timeout=5,
        ).raise_for_status()


def until_taken(hubspot: HubSpotConnector) -> None:
    """Try as long as it is refused, as the queue does."""
    while True:
        try:
            hubspot.fetch("notes", ["1"], fields=[])
        except RateLimited:
            continue
        return


def at_once(
    work: Callable[[HubSpotConnector], None], workers: Sequence[HubSpotConnector]
) -> float:
    """Let each do the same in a thread; return how long all of them took."""
    started = time.monotonic()
    with ThreadPoolExecutor(len(workers)) as pool:
        for one in [pool.submit(work, worker) for worker in workers]:
            one.result(timeout=20)
    return time.monotonic() - started

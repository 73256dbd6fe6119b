"""The way of a reply through real processes, with trouble on the way."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from integrations.tests.live import LiveSystem, lgm_reply

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """Everything but the CRM."""
    with LiveSystem(tmp_path_factory.mktemp("live")) as system:
        system.start("broker", "web", "worker-ingest", "beat")
        yield system


def all_processed(live: LiveSystem) -> bool:
    return live.count("integrations_delivery", "state <> 'processed'") == 0


def recorded(live: LiveSystem, first: int, last: int) -> int:
    """Return how many of these messages are activities."""
    between = (f"{first:024x}", f"{last:024x}")
    return live.count("leads_activity", "external_id BETWEEN %s AND %s", *between)


def post_at_once(live: LiveSystem, payloads: list[dict[str, object]]) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda one: live.post("lgm", one), payloads))
    assert {answer.status for answer in answers} == {202}


def test_ten_replies_at_once_are_one_lead_one_deal_ten_activities(
    live: LiveSystem,
) -> None:
    post_at_once(live, [lgm_reply(n, person=500) for n in range(10)])

    live.wait_until(lambda: all_processed(live))

    assert live.count("leads_lead", "email = %s", "ada.500@example.com") == 1
    [(lead,)] = live.sql(
        "SELECT id FROM leads_lead WHERE email = %s", "ada.500@example.com"
    )
    tables = ("leads_deal", "leads_activity", "integrations_event")
    assert [live.count(table, "lead_id = %s", lead) for table in tables] == [1, 10, 10]


def test_a_broker_that_is_flushed_and_frozen_loses_nothing(live: LiveSystem) -> None:
    post_at_once(live, [lgm_reply(n) for n in range(1000, 1050)])
    live.flush_broker()
    live.freeze("broker")
    try:
        post_at_once(live, [lgm_reply(n) for n in range(2000, 2050)])
    finally:
        live.thaw("broker")
    live.flush_broker()

    live.wait_until(lambda: all_processed(live), timeout_s=90)

    assert recorded(live, 1000, 2049) == 100


def test_a_killed_worker_loses_and_doubles_nothing(live: LiveSystem) -> None:
    post_at_once(live, [lgm_reply(n) for n in range(5000, 5200)])
    live.kill("worker-ingest")
    live.start("worker-ingest")

    # What the dead worker held comes back when its lease has run out.
    live.wait_until(lambda: all_processed(live), timeout_s=120)
    assert recorded(live, 5000, 5199) == 200
    assert live.count("integrations_event", "outcome <> 'recorded'") == 0


def test_what_was_answered_survives_a_killed_server(live: LiveSystem) -> None:
    acked: list[int] = []
    numbers = itertools.count(10_000)

    def post_until_it_dies(_: int) -> None:
        for _ in range(200):
            try:
                answer = live.post("lgm", lgm_reply(next(numbers)))
            except (OSError, HTTPException):
                return
            acked.append(answer.json["id"])
            if len(acked) == 100:
                os.kill(live.pid_of("web"), 9)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post_until_it_dies, range(8)))
    live.kill("web")
    live.start("web")

    assert len(acked) >= 100
    stored = {row[0] for row in live.sql("SELECT id FROM integrations_delivery")}
    assert set(acked) <= stored
    keys = {row[0] for row in live.sql("SELECT key FROM core_workitem")}
    assert {str(one) for one in acked} <= keys

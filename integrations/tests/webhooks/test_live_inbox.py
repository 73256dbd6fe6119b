"""The way of a reply through real processes, with trouble on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


def post_at_once(live: LiveSystem, payloads: list[dict[str, object]]) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda one: live.post("lgm", one), payloads))
    assert {answer.status for answer in answers} == {202}


def test_ten_replies_at_once_are_one_lead_one_deal_ten_activities(
    live: LiveSystem,
) -> None:
    post_at_once(live, [lgm_reply(n, person=1) for n in range(10)])

    live.wait_until(lambda: all_processed(live))

    tables = ("leads_lead", "leads_deal", "leads_activity", "integrations_event")
    assert [live.count(table) for table in tables] == [1, 1, 10, 10]


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

    assert live.count("leads_activity", "external_id >= %s", f"{1000:024x}") == 100


def test_a_killed_worker_loses_and_doubles_nothing(live: LiveSystem) -> None:
    before = live.count("leads_activity")

    post_at_once(live, [lgm_reply(n) for n in range(5000, 5200)])
    live.kill("worker-ingest")
    live.start("worker-ingest")

    # What the dead worker held comes back when its lease has run out.
    live.wait_until(lambda: all_processed(live), timeout_s=120)
    assert live.count("leads_activity") == before + 200
    assert live.count("integrations_event", "outcome <> 'recorded'") == 0

"""Telling others of changes, at every simulator: again, doubled, lost, in time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.simulators.testing import wait_until
from integrations.simulators.tests.client import Receiver


@pytest.fixture
def receiver(bench, sim) -> Iterator[Receiver]:
    found = Receiver()
    sim.configure(**settings(bench, retry_s=0.02))
    sim.set_webhooks(found.url, [bench.subject])
    yield found
    sim.control("DELETE", "webhooks")
    found.close()


def settings(bench, **values: float) -> dict[str, Any]:
    return {f"{bench.delays}_{name}": value for name, value in values.items()}


def test_a_new_person_is_told_once(bench, client, sim, receiver) -> None:
    client.post(bench.collection, bench.one())

    wait_until(lambda: receiver.bodies and not sim.webhooks()["waiting"])

    assert len(receiver.bodies) == 1
    told = sim.webhooks()["deliveries"]
    assert (told[0]["status"], told[0]["attempt"]) == (200, 0)
    assert told[0]["url"] == receiver.url


def test_a_refused_delivery_comes_again(bench, client, sim, receiver) -> None:
    receiver.answers = [(500, ""), (404, "")]
    client.post(bench.collection, bench.one())

    wait_until(lambda: len(sim.webhooks()["deliveries"]) == 3)

    told = sim.webhooks()["deliveries"]
    assert [each["status"] for each in told] == [500, 404, 200]
    assert [each["attempt"] for each in told] == [0, 1, 2]


def test_it_is_given_up_some_time(bench, client, sim, receiver) -> None:
    sim.configure(**settings(bench, attempts=2))
    receiver.usual = (500, "")
    client.post(bench.collection, bench.one())

    wait_until(lambda: len(receiver.bodies) == 3 and not sim.webhooks()["waiting"])

    assert [each["status"] for each in sim.webhooks()["deliveries"]] == [500] * 3


def test_events_may_be_doubled_and_lost(bench, client, sim, receiver) -> None:
    sim.configure(**settings(bench, duplicate=1))
    client.post(bench.collection, bench.one(1))
    wait_until(lambda: len(receiver.bodies) == 2)
    sim.configure(**settings(bench, duplicate=0, lose=1))
    client.post(bench.collection, bench.one(2))
    sim.configure(**settings(bench, lose=0))
    client.post(bench.collection, bench.one(3))

    wait_until(lambda: len(receiver.bodies) == 3)

    first, doubled, last = (_ids(body) for body in receiver.bodies)
    made = [record["id"] for record in sim.dump(bench.people)]
    assert first == doubled
    assert (made[0] in first, made[2] in last) == (True, True)


def test_nobody_is_told_when_nobody_asks(bench, client, sim, receiver) -> None:
    sim.control("DELETE", "webhooks")

    client.post(bench.collection, bench.one())

    assert sim.webhooks()["waiting"] == 0
    assert sim.webhooks()["deliveries"] == []


def _ids(body: bytes) -> str:
    """Return what a delivery is about, as text, without what changes each time."""
    posted = json.loads(body)
    event = posted[0] if isinstance(posted, list) else posted
    header = event.get("ChangeEventHeader", event)
    return str(header.get("objectId", header.get("recordIds")))

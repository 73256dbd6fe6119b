"""Faults of every simulator: each does what its name says, as often as told."""

import email.utils
import time

import pytest
import requests

from integrations.simulators.faults import ERROR_STATUS, OF_THE_EDGE
from integrations.simulators.testing import SimulatorError


@pytest.mark.parametrize("kind", sorted(ERROR_STATUS))
def test_a_status_fault_refuses_without_applying(bench, client, sim, kind) -> None:
    sim.set_fault(kind, count=1)

    refused = client.post(bench.collection, bench.one())
    held = sim.dump()
    accepted = client.post(bench.collection, bench.one())

    assert refused.status_code == bench.statuses.get(kind, int(kind))
    assert refused.text.startswith("<!doctype html>") is (kind in OF_THE_EDGE)
    assert held == {}
    assert accepted.status_code == 201


@pytest.mark.parametrize("retry_after", ["20", "0", "999999"])
def test_a_429_may_say_when_to_come_back(bench, client, sim, retry_after) -> None:
    sim.set_fault("429", retry_after=retry_after)

    assert client.get(bench.reading).headers["Retry-After"] == retry_after


def test_a_429_may_say_it_as_a_date(bench, client, sim) -> None:
    sim.set_fault("429", retry_after="date:20")

    answer = client.get(bench.reading)

    said = email.utils.parsedate_to_datetime(answer.headers["Retry-After"])
    assert 18 <= said.timestamp() - time.time() <= 21


def test_a_redirect_leads_elsewhere(bench, client, sim) -> None:
    sim.set_fault("redirect")

    answer = client.get(bench.reading)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://elsewhere.example.com/"


@pytest.mark.parametrize(("kind", "made"), [("drop", 0), ("drop_after_apply", 1)])
def test_a_lost_connection_says_nothing_of_the_write(
    bench, client, sim, kind, made
) -> None:
    sim.set_fault(kind, method="POST", count=1)

    with pytest.raises(requests.ConnectionError):
        client.post(bench.collection, bench.one())

    assert len(sim.dump(bench.people)) == made
    assert sim.requests_since()[0]["status"] == 0
    assert sim.requests_since()[0]["template"] == bench.template


def test_hang_after_apply_holds_the_answer_back(bench, client, sim) -> None:
    sim.set_fault("hang_after_apply", count=1, seconds=30)

    with pytest.raises(requests.Timeout):
        client.post(bench.collection, bench.one(), timeout=0.3)

    assert len(sim.dump(bench.people)) == 1


def test_a_held_answer_may_come_after_all(bench, client, sim) -> None:
    sim.set_fault("hang_after_apply", count=1, seconds=0.2, then="respond")

    started = time.monotonic()

    assert client.post(bench.collection, bench.one()).status_code == 201
    assert time.monotonic() - started >= 0.2


def test_latency_delays(bench, client, sim) -> None:
    sim.set_fault("latency", seconds=0.2, count=1)

    started = time.monotonic()

    assert client.get(bench.reading).status_code == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("kind", "starts"),
    [("empty_2xx", b"{}"), ("blank_2xx", b""), ("html_2xx", b"<!doctype html>")],
)
def test_a_success_may_say_nothing(bench, client, sim, kind, starts) -> None:
    sim.set_fault(kind)

    answer = client.post(bench.collection, bench.one())

    assert answer.status_code == 201
    assert answer.content.startswith(starts)
    assert b'"id"' not in answer.content
    assert len(sim.dump(bench.people)) == 1


def test_a_success_may_be_cut_in_half(bench, client, sim) -> None:
    sim.set_fault("truncated_json")

    answer = client.post(bench.collection, bench.one())

    assert answer.content.startswith(b'{"')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("kind", ["missing_results", "reordered_results"])
def test_results_may_be_missing_or_reordered(bench, client, sim, kind) -> None:
    sim.set_fault(kind, count=1)

    answer = client.post(bench.batch, bench.several(3)).json()

    rows = answer["results"] if isinstance(answer, dict) else answer
    made = [record["id"] for record in sim.dump(bench.people)]
    told = {"missing_results": made[:2], "reordered_results": made[::-1]}
    assert [row["id"] for row in rows] == told[kind]


def test_a_slow_body_comes_byte_by_byte(bench, client, sim) -> None:
    whole = client.get(bench.reading)
    sim.set_fault("slow_body", seconds=0.001, count=1)

    started = time.monotonic()
    slow = client.get(bench.reading)

    assert time.monotonic() - started > 0.001 * len(slow.content) / 2
    assert slow.json().keys() == whole.json().keys()


def test_a_rule_is_narrowed_by_path_and_method(bench, client, sim) -> None:
    sim.set_fault("500", method="POST", path=f"{bench.batch}$")

    assert client.get(bench.reading).status_code == 200
    assert client.post(bench.collection, bench.one(9)).status_code == 201
    assert client.post(bench.batch, bench.several(1)).status_code == 500


def test_a_rule_is_narrowed_by_object(bench, client, sim) -> None:
    sim.set_fault("500", object=bench.people)

    assert client.post(bench.collection, bench.one()).status_code == 500

    sim.clear_faults()
    sim.set_fault("500", object="elsewhere")

    assert client.post(bench.collection, bench.one()).status_code == 201


def test_probability_with_a_seed_repeats_itself(bench, client, sim) -> None:
    def run() -> list[int]:
        sim.clear_faults()
        sim.set_fault("503", probability=0.5, seed=7)
        return [client.get(bench.reading).status_code for _ in range(20)]

    first = run()

    assert set(first) == {200, 503}
    assert run() == first


def test_signing_in_can_fail_too(bench, sim) -> None:
    sim.set_fault("503", path="oauth")

    url = f"{sim.base_url}{bench.sign_in.token}"

    assert requests.post(url, timeout=10).status_code == 503


@pytest.mark.parametrize("rule", [{"kind": "nonsense"}, {"kind": "500", "path": "("}])
def test_a_rule_that_makes_no_sense_is_refused(sim, rule) -> None:
    with pytest.raises(SimulatorError):
        sim.set_fault(**rule)


def test_faults_are_listed_with_how_often_they_fired(bench, client, sim) -> None:
    sim.set_fault("500", count=5)
    client.get(bench.reading)

    listed = sim.control("GET", "faults")["faults"]
    replaced = sim.control("PUT", "faults", [{"kind": "503"}])["faults"]
    left = sim.control("DELETE", f"faults/{replaced[0]['id']}")["faults"]

    assert (listed[0]["fired"], listed[0]["count"]) == (1, 4)
    assert [rule["kind"] for rule in replaced] == ["503"]
    assert left == []

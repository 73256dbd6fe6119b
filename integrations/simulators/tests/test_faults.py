"""Faults: each does exactly what its name says, as often as it was told to."""

import email.utils
import time

import pytest
import requests

from integrations.simulators.testing import SimulatorError
from integrations.simulators.tests.conftest import Api

CONTACTS = "/crm/v3/objects/contacts"
ANN = {"properties": {"email": "ann@example.com"}}


@pytest.mark.parametrize(
    "kind", ["401", "403", "409", "423", "477", "500", "502", "503"]
)
def test_a_status_fault_refuses_without_applying(api: Api, sim, kind) -> None:
    sim.set_fault(kind, object="contacts", count=1)

    refused = api.post(CONTACTS, ANN)
    accepted = api.post(CONTACTS, ANN)

    assert (refused.status_code, accepted.status_code) == (int(kind), 201)


def test_a_401_looks_like_an_expired_token(api: Api, sim) -> None:
    sim.set_fault("401")

    assert api.get(CONTACTS).json()["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize("retry_after", ["20", "0", "999999"])
def test_a_429_may_say_when_to_come_back(api: Api, sim, retry_after) -> None:
    sim.set_fault("429", retry_after=retry_after, policy="DAILY")

    answer = api.get(CONTACTS)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == retry_after
    assert answer.json()["policyName"] == "DAILY"


def test_a_429_may_say_it_as_a_date(api: Api, sim) -> None:
    sim.set_fault("429", retry_after="date:20")

    answer = api.get(CONTACTS)

    said = email.utils.parsedate_to_datetime(answer.headers["Retry-After"])
    assert 18 <= said.timestamp() - time.time() <= 21


def test_a_dropped_request_was_not_applied(api: Api, sim) -> None:
    sim.set_fault("drop", method="POST", count=1)

    with pytest.raises(requests.ConnectionError):
        api.post(CONTACTS, ANN)

    assert sim.dump() == {}
    assert sim.requests_since()[0]["status"] == 0


def test_drop_after_apply_keeps_the_write(api: Api, sim) -> None:
    sim.set_fault("drop_after_apply", method="POST", count=1)

    with pytest.raises(requests.ConnectionError):
        api.post(CONTACTS, ANN)

    assert len(sim.dump("contacts")) == 1


def test_hang_after_apply_holds_the_answer_back(api: Api, sim) -> None:
    sim.set_fault("hang_after_apply", count=1, seconds=30)

    with pytest.raises(requests.Timeout):
        api.session.post(api.base_url + CONTACTS, json=ANN, timeout=0.3)

    assert len(sim.dump("contacts")) == 1


def test_a_held_answer_may_come_after_all(api: Api, sim) -> None:
    sim.set_fault("hang_after_apply", count=1, seconds=0.2, then="respond")

    started = time.monotonic()

    assert api.post(CONTACTS, ANN).status_code == 201
    assert time.monotonic() - started >= 0.2


def test_latency_delays(api: Api, sim) -> None:
    sim.set_fault("latency", seconds=0.2, count=1)

    started = time.monotonic()

    assert api.get(CONTACTS).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_partial_batch_spoils_the_chosen_inputs(api: Api, sim) -> None:
    sim.set_fault("partial_batch", positions=[1])
    body = {
        "inputs": [
            {"objectWriteTraceId": str(n), "properties": {"email": f"p{n}@example.com"}}
            for n in range(3)
        ]
    }

    answer = api.post(f"{CONTACTS}/batch/create", body)

    assert answer.status_code == 207
    assert answer.json()["errors"][0]["context"]["objectWriteTraceId"] == ["1"]
    assert len(sim.dump("contacts")) == 2


@pytest.mark.parametrize(
    ("kind", "starts"),
    [("empty_2xx", b"{}"), ("blank_2xx", b""), ("html_2xx", b"<!doctype html>")],
)
def test_a_success_may_say_nothing(api: Api, sim, kind, starts) -> None:
    sim.set_fault(kind)

    answer = api.post(CONTACTS, ANN)

    assert answer.status_code in (200, 201)
    assert answer.content.startswith(starts)
    assert b'"id"' not in answer.content
    assert len(sim.dump("contacts")) == 1


def test_a_success_may_be_cut_in_half(api: Api, sim) -> None:
    sim.set_fault("truncated_json")

    answer = api.post(CONTACTS, ANN)

    assert answer.content.startswith(b'{"id"')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_results_may_be_missing_or_reordered(api: Api, sim) -> None:
    sim.seed([{"object": "contacts", "count": 3, "properties": {"lastname": "{n}"}}])
    body = {"properties": [], "inputs": [{"id": str(n)} for n in (101, 102, 103)]}

    sim.set_fault("missing_results", count=1)
    short = api.post(f"{CONTACTS}/batch/read", body).json()["results"]
    sim.clear_faults()
    sim.set_fault("reordered_results", count=1)
    turned = api.post(f"{CONTACTS}/batch/read", body).json()["results"]

    assert [record["id"] for record in short] == ["101", "102"]
    assert [record["id"] for record in turned] == ["103", "102", "101"]


def test_a_rule_is_narrowed_by_path_method_and_object(api: Api, sim) -> None:
    sim.set_fault("500", object="contacts", method="POST", path="/search$")

    assert api.get(CONTACTS).status_code == 200
    assert api.post("/crm/v3/objects/companies/search", {}).status_code == 200
    assert api.post(f"{CONTACTS}/search", {}).status_code == 500


def test_probability_with_a_seed_repeats_itself(api: Api, sim) -> None:
    def run() -> list[int]:
        sim.clear_faults()
        sim.set_fault("503", probability=0.5, seed=7)
        return [api.get(CONTACTS).status_code for _ in range(20)]

    first = run()

    assert set(first) == {200, 503}
    assert run() == first


def test_oauth_can_fail_too(sim) -> None:
    sim.set_fault("503", path="/oauth/")

    answer = requests.post(f"{sim.base_url}/oauth/v3/token", timeout=10)

    assert answer.status_code == 503


@pytest.mark.parametrize("rule", [{"kind": "nonsense"}, {"kind": "500", "path": "("}])
def test_a_rule_that_makes_no_sense_is_refused(sim, rule) -> None:
    with pytest.raises(SimulatorError):
        sim.set_fault(**rule)


def test_faults_are_listed_with_how_often_they_fired(api: Api, sim) -> None:
    sim.set_fault("500", count=5)
    api.get(CONTACTS)

    listed = sim.control("GET", "faults")["faults"]
    sim.control("DELETE", f"faults/{listed[0]['id']}")

    assert (listed[0]["fired"], listed[0]["count"]) == (1, 4)
    assert sim.control("GET", "faults")["faults"] == []

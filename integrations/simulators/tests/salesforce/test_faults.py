"""The fault panel's refusals in Salesforce's own words, limits, and crashes."""

from pathlib import Path

import pytest

from integrations.simulators.testing import RunningSimulator
from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import Api

LEAD = {"LastName": "Marsh", "Company": "Fern"}


@pytest.mark.parametrize(
    ("kind", "status", "exchange"),
    [
        ("401", 401, "error.invalid_session"),
        ("403", 403, "error.request_limit"),
        ("429", 403, "error.request_limit"),
        ("503", 503, "error.server_unavailable"),
    ],
)
def test_refusals_have_the_recorded_bodies(
    api, sim, kind: str, status: int, exchange: str
) -> None:
    sim.set_fault(kind, count=1)

    answer = api.post("/sobjects/Lead", LEAD)

    assert (answer.status_code, answer.json()) == (
        status,
        contract.recorded(exchange),
    )
    assert "Sforce-Limit-Info" in answer.headers
    assert api.post("/sobjects/Lead", LEAD).status_code == 201


def test_a_500_is_json_and_a_502_is_a_page(api, sim) -> None:
    sim.set_fault("500", count=1)
    own = api.get("/limits")
    sim.set_fault("502", count=1)
    edge = api.get("/limits")

    assert api.refused(own) == (500, "SERVER_UNAVAILABLE")
    assert edge.status_code == 502
    assert edge.text.startswith("<!doctype html>")


def test_a_fault_may_name_another_code(api, sim) -> None:
    sim.set_fault("403", count=1, policy="API_DISABLED_FOR_ORG")

    assert api.refused(api.get("/limits")) == (403, "API_DISABLED_FOR_ORG")


def test_the_login_host_has_its_bad_days_in_its_own_words(api, sim) -> None:
    sim.set_fault("503", count=1, path="oauth2/token")

    answer = api.session.post(f"{api.base_url}/services/oauth2/token", timeout=10)

    assert answer.status_code == 503
    assert set(answer.json()) == {"error", "error_description"}


def test_a_lock_may_hide_in_a_trigger(api, sim) -> None:
    code = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    sim.set_fault("partial_batch", count=1, positions=[0], policy=code)

    answer = api.post("/sobjects/Lead", LEAD)

    assert api.refused(answer) == (400, code)
    assert "UNABLE_TO_LOCK_ROW" in answer.json()[0]["message"]


def test_a_single_row_can_be_locked(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    sim.set_fault("partial_batch", count=1, positions=[0], object="Lead")

    answer = api.patch(f"/sobjects/Lead/{lead}", {"City": "Oslo"})

    assert api.refused(answer) == (400, "UNABLE_TO_LOCK_ROW")
    assert "City" not in sim.dump("Lead")[0]["properties"]


def test_rows_can_be_refused_with_any_code(api, sim) -> None:
    sim.set_fault("partial_batch", count=1, positions=[0], policy="QUERY_TIMEOUT")

    rows = [{"attributes": {"type": "Lead"}, **LEAD}]
    answer = api.post("/composite/sobjects", {"records": rows}).json()

    assert answer[0]["errors"][0]["statusCode"] == "QUERY_TIMEOUT"


def test_the_daily_limit_stops_calls_and_rolls_on(api, sim) -> None:
    sim.configure(limits=True, daily_limit=3)

    answers = [api.get("/limits") for _ in range(4)]
    sim.configure(clock_skew_s=86_401)
    later = api.get("/limits")

    infos = [answer.headers["Sforce-Limit-Info"] for answer in answers]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert infos == ["api-usage=1/3", "api-usage=2/3", *["api-usage=3/3"] * 2]
    assert answers[3].json() == contract.recorded("error.request_limit")
    assert answers[2].json()["DailyApiRequests"] == {"Max": 3, "Remaining": 0}
    assert later.status_code == 200


def test_others_use_the_allowance_too(api, sim) -> None:
    sim.configure(limits=True, daily_limit=100)
    sim.control("POST", "quota", {"used": 99})

    assert api.get("/limits").status_code == 200
    assert api.get("/limits").status_code == 403


def test_too_many_long_requests_are_refused(api, sim) -> None:
    sim.configure(limits=True, long_request_s=0, concurrent_limit=1)

    answer = api.get("/limits")

    assert answer.json() == contract.recorded("error.concurrent_limit")


def test_records_survive_a_kill(tmp_path: Path) -> None:
    with RunningSimulator("salesforce", data=tmp_path) as sim:
        api = Api(sim.base_url)
        sim.control("POST", "fields", {
            "full_name": "Lead.Ext__c",
            "metadata": {"type": "Text", "label": "Ext", "length": 9,
                         "externalId": True},
        })  # fmt: skip
        kept = api.create("Lead", **LEAD, Ext__c="1")
        gone = api.create("Lead", **LEAD)
        api.update("Lead", kept, City="Oslo")
        api.delete(f"/sobjects/Lead/{gone}")
        before = (sim.dump("Lead"), sim.history("Lead", kept))

        sim.restart()

        assert (sim.dump("Lead"), sim.history("Lead", kept)) == before
        assert api.get("/sobjects/Lead/Ext__c/1").json()["City"] == "Oslo"
        assert api.create("Lead", **LEAD) not in (kept, gone)
        api.session.close()

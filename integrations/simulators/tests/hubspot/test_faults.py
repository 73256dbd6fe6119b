"""Faults in HubSpot's own words."""

from integrations.simulators.tests.hubspot.conftest import Api

CONTACTS = "/crm/v3/objects/contacts"
ANN = {"properties": {"email": "ann@example.com"}}


def test_a_401_looks_like_an_expired_token(api: Api, sim) -> None:
    sim.set_fault("401")

    assert api.get(CONTACTS).json()["category"] == "EXPIRED_AUTHENTICATION"


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


def test_a_429_names_the_policy_it_was_told(api: Api, sim) -> None:
    sim.set_fault("429", policy="DAILY")

    assert api.get(CONTACTS).json()["policyName"] == "DAILY"

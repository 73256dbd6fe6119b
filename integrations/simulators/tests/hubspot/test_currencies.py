"""What an account says of itself, and which currencies its deals may have."""

import pytest

from integrations.simulators.testing import (
    OTHER_HUB_ID,
    RunningSimulator,
    SimulatorError,
)
from integrations.simulators.tests.hubspot.conftest import Api

DETAILS = "/account-info/v3/details"
DEALS = "/crm/v3/objects/deals"
DEAL = {"dealname": "Autumn order", "dealstage": "qualifiedtobuy"}


def options(api: Api) -> list[str]:
    found = api.get("/crm/v3/properties/deals/deal_currency_code").json()
    return [option["value"] for option in found["options"]]


def currency_of(api: Api, number: str) -> str | None:
    path = f"{DEALS}/{number}?properties=deal_currency_code"
    found: str | None = api.get(path).json()["properties"]["deal_currency_code"]
    return found


@pytest.mark.parametrize("path", [DETAILS, "/account-info/2026-03/details"])
def test_an_account_says_who_it_is_and_its_currency(api: Api, path) -> None:
    answer = api.get(path)

    assert answer.status_code == 200
    assert answer.json() == {
        "portalId": 4100001,
        "accountType": "STANDARD",
        "timeZone": "America/Puerto_Rico",
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "utcOffset": "-04:00",
        "utcOffsetMilliseconds": -14_400_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def test_any_token_reads_the_details_and_none_does_not(api: Api, sim) -> None:
    sim.add_token("pat-narrow", scopes=["oauth"])

    let_in = Api(sim.base_url, "pat-narrow").get(DETAILS)
    refused = Api(sim.base_url, "pat-unheard").get(DETAILS)

    assert (let_in.status_code, refused.status_code) == (200, 401)


def test_the_currencies_of_one_account_are_set_from_outside(api: Api, sim) -> None:
    wanted = {"company_currency": "EUR", "additional_currencies": ["GBP", "CHF"]}

    answer = sim.control("POST", "currencies", wanted)

    details = api.get(DETAILS).json()
    assert (answer, sim.control("GET", "currencies")) == (wanted, wanted)
    assert details["companyCurrency"] == "EUR"
    assert details["additionalCurrencies"] == ["GBP", "CHF"]
    assert options(api) == ["EUR", "GBP", "CHF"]
    other = sim.control("GET", f"currencies?hub={OTHER_HUB_ID}")
    assert other == {"company_currency": "USD", "additional_currencies": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"company_currency": "euro"},
        {"additional_currencies": ["GBP", "gb"]},
        {"additional_currencies": "GBP"},
        {"currency": "EUR"},
    ],
)
def test_what_is_no_currency_is_not_taken(api: Api, sim, wrong) -> None:
    with pytest.raises(SimulatorError):
        sim.control("POST", "currencies", wrong)

    assert api.get(DETAILS).json()["companyCurrency"] == "USD"


def test_what_is_not_named_stays_and_nothing_is_listed_twice(api: Api, sim) -> None:
    sim.control("POST", "currencies", {"additional_currencies": ["GBP", "EUR", "GBP"]})

    found = sim.control("POST", "currencies", {"company_currency": "EUR"})

    assert found == {"company_currency": "EUR", "additional_currencies": ["GBP"]}


def test_an_account_forgets_its_currencies_at_a_reset(api: Api, sim) -> None:
    sim.control("POST", "currencies", {"company_currency": "EUR"})

    sim.reset()

    assert api.get(DETAILS).json()["companyCurrency"] == "USD"
    assert options(api) == ["USD"]


def test_an_account_keeps_its_currencies_over_a_kill(tmp_path) -> None:
    with RunningSimulator(data=tmp_path) as sim:
        sim.control("POST", "currencies", {"company_currency": "EUR"})

        sim.restart()

        again = Api(sim.base_url)
        assert again.get(DETAILS).json()["companyCurrency"] == "EUR"
        assert options(again) == ["EUR"]


def test_an_account_of_one_currency_refuses_a_deal_in_another(api: Api) -> None:
    taken = api.create("deals", **DEAL, deal_currency_code="USD")

    refusals = [
        api.post(DEALS, {"properties": {**DEAL, "deal_currency_code": "EUR"}}),
        api.patch(f"{DEALS}/{taken}", {"properties": {"deal_currency_code": "EUR"}}),
    ]

    for answer in refusals:
        assert answer.status_code == 400
        assert answer.json()["category"] == "VALIDATION_ERROR"
        assert answer.json()["errors"][0]["code"] == "INVALID_OPTION"
        assert "EUR was not one of the allowed options: [USD]" in answer.text
    assert options(api) == ["USD"]
    assert currency_of(api, taken) == "USD"


def test_an_account_of_several_takes_each_of_them_and_no_other(api: Api, sim) -> None:
    wanted = {"company_currency": "EUR", "additional_currencies": ["GBP"]}
    sim.control("POST", "currencies", wanted)

    answers = [
        api.post(DEALS, {"properties": {**DEAL, "deal_currency_code": code}})
        for code in ("EUR", "GBP", "USD")
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 400]


def test_a_deal_without_a_currency_has_none_where_there_is_one(api: Api) -> None:
    assert currency_of(api, api.create("deals", **DEAL)) is None


@pytest.mark.parametrize("given", [{}, {"deal_currency_code": ""}])
def test_a_deal_without_a_currency_gets_the_companys_where_there_are_several(
    api: Api, sim, given
) -> None:
    wanted = {"company_currency": "EUR", "additional_currencies": ["GBP"]}
    sim.control("POST", "currencies", wanted)

    number = api.create("deals", **DEAL, **given)
    api.patch(f"{DEALS}/{number}", {"properties": {"amount": "12"}})

    assert currency_of(api, number) == "EUR"


def test_a_currency_that_is_set_outlives_the_accounts_change(api: Api, sim) -> None:
    number = api.create("deals", **DEAL, deal_currency_code="USD")
    sim.control("POST", "currencies", {"company_currency": "EUR"})

    answer = api.patch(f"{DEALS}/{number}", {"properties": {"amount": "12"}})

    assert answer.status_code == 200
    assert currency_of(api, number) == "USD"

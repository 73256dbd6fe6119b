"""Who a session belongs to by SOAP, and which currencies an organization has."""

from typing import Any
from xml.etree import ElementTree

import pytest

from integrations.simulators.testing import (
    SALESFORCE_ORG_ID,
    SALESFORCE_OTHER_ORG_ID,
    SALESFORCE_USER_ID,
    RunningSimulator,
    SimulatorError,
)
from integrations.simulators.tests.salesforce.conftest import Api
from integrations.simulators.tests.salesforce.test_setup import fields_of, soap

ASKED = '<getUserInfo xmlns="urn:partner.soap.sforce.com"/>'
# The result's elements in the partner WSDL's order; a client may insist on it.
ELEMENTS = [
    "accessibilityMode",
    "chatterExternal",
    "currencySymbol",
    "orgAttachmentFileSizeLimit",
    "orgDefaultCurrencyIsoCode",
    "orgDefaultCurrencyLocale",
    "orgDisallowHtmlAttachments",
    "orgHasPersonAccounts",
    "organizationId",
    "organizationMultiCurrency",
    "organizationName",
    "profileId",
    "roleId",
    "sessionSecondsValid",
    "userDefaultCurrencyIsoCode",
    "userEmail",
    "userFullName",
    "userId",
    "userLanguage",
    "userLocale",
    "userName",
    "userTimeZone",
    "userType",
    "userUiSkin",
]
SEVERAL = {"company_currency": "EUR", "additional_currencies": ["USD"]}
DEAL = {"Name": "Order", "StageName": "Prospecting", "CloseDate": "2031-01-31"}
LEAD = {"LastName": "Lee", "Company": "Fern"}


def user_info(api: Api) -> dict[str, str | None]:
    """Return the result's elements; None where xsi:nil says so."""
    root = ElementTree.fromstring(soap(api, "u", ASKED))
    space = "{urn:partner.soap.sforce.com}"
    result = root.find(f".//{space}getUserInfoResponse/{space}result")
    assert result is not None
    return {one.tag.removeprefix(space): _text(one) for one in result}


def _text(element: ElementTree.Element) -> str | None:
    nil = element.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    return None if nil else element.text


def currency_of(api: Api, kind: str, identifier: str) -> Any:
    query = f"SELECT CurrencyIsoCode FROM {kind} WHERE Id = '{identifier}'"
    return api.values(query)[0]


def test_a_session_says_whose_it_is(api: Api) -> None:
    found = user_info(api)

    assert list(found) == ELEMENTS
    assert found["organizationId"] == SALESFORCE_ORG_ID
    assert found["organizationName"] == "Fernhill Demo"
    assert found["userId"] == SALESFORCE_USER_ID
    assert found["userFullName"] == "Integration User"
    assert found["userName"] == "integration.user@fernhill.example.com"
    assert found["userTimeZone"] == "Europe/Paris"
    assert found["roleId"] is None
    assert found["orgHasPersonAccounts"] == "false"


def test_no_session_is_told_nothing(api: Api) -> None:
    assert "INVALID_SESSION_ID" in soap(api, "u", ASKED, session="unheard")


def test_the_session_lasts_as_long_as_it_says(api: Api, sim) -> None:
    sim.configure(access_token_ttl_s=900)

    assert user_info(api)["sessionSecondsValid"] == "900"


@pytest.mark.parametrize(
    ("code", "symbol", "locale"),
    [("USD", "$", "en_US"), ("EUR", "€", "fr_FR"), ("SEK", "SEK", "en_US")],
)
def test_an_organization_of_one_currency_says_which(
    api: Api, sim, code, symbol, locale
) -> None:
    sim.control("POST", "currencies", {"company_currency": code})

    found = user_info(api)

    assert found["organizationMultiCurrency"] == "false"
    assert found["orgDefaultCurrencyIsoCode"] == code
    assert found["orgDefaultCurrencyLocale"] == locale
    assert found["currencySymbol"] == symbol
    assert found["userDefaultCurrencyIsoCode"] is None


def test_an_organization_of_several_says_the_users_alone(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)

    found = user_info(api)

    assert found["organizationMultiCurrency"] == "true"
    assert found["userDefaultCurrencyIsoCode"] == "EUR"
    assert found["orgDefaultCurrencyIsoCode"] is None
    assert found["orgDefaultCurrencyLocale"] is None
    assert found["currencySymbol"] is None


def test_the_currencies_of_one_organization_are_set_from_outside(sim) -> None:
    usual = {"company_currency": "USD", "additional_currencies": []}

    answers = [
        sim.control("GET", "currencies"),
        sim.control("POST", "currencies", SEVERAL),
        sim.control("GET", "currencies"),
        sim.control("GET", f"currencies?org={SALESFORCE_OTHER_ORG_ID}"),
    ]

    assert answers == [usual, SEVERAL, SEVERAL, usual]


def test_what_is_no_currency_is_not_taken(api: Api, sim) -> None:
    with pytest.raises(SimulatorError):
        sim.control("POST", "currencies", {"company_currency": "euro"})

    assert user_info(api)["orgDefaultCurrencyIsoCode"] == "USD"


def test_records_name_no_currency_where_there_is_one(api: Api) -> None:
    answer = api.post("/sobjects/Opportunity", {**DEAL, "CurrencyIsoCode": "USD"})

    assert api.refused(answer) == (400, "INVALID_FIELD")
    assert "CurrencyIsoCode" not in fields_of(api, "Opportunity")


@pytest.mark.parametrize(
    "kind", ["Account", "Campaign", "Contact", "Lead", "Opportunity"]
)
def test_records_name_theirs_where_there_are_several(api: Api, sim, kind) -> None:
    sim.control("POST", "currencies", SEVERAL)

    found = fields_of(api, kind)["CurrencyIsoCode"]

    assert (found["type"], found["length"]) == ("picklist", 3)
    assert (found["createable"], found["updateable"]) == (True, True)
    assert (found["nillable"], found["defaultedOnCreate"]) == (True, True)
    assert found["restrictedPicklist"] is True
    values = [(o["value"], o["defaultValue"]) for o in found["picklistValues"]]
    assert values == [("EUR", True), ("USD", False)]


def test_a_deal_keeps_its_currency_and_has_the_users_by_default(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)
    api.update("User", SALESFORCE_USER_ID, DefaultCurrencyIsoCode="USD")

    given = api.create("Opportunity", **DEAL, CurrencyIsoCode="EUR")
    default = api.create("Opportunity", **DEAL)

    assert user_info(api)["userDefaultCurrencyIsoCode"] == "USD"
    assert currency_of(api, "Opportunity", given) == "EUR"
    assert currency_of(api, "Opportunity", default) == "USD"


def test_every_user_has_a_currency_where_there_are_several(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)

    assert set(api.values("SELECT DefaultCurrencyIsoCode FROM User")) == {"EUR"}


def test_a_currency_that_is_not_active_is_refused(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)

    answer = api.post("/sobjects/Opportunity", {**DEAL, "CurrencyIsoCode": "GBP"})

    assert api.refused(answer) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_what_was_there_before_is_in_the_companys(api: Api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    before = api.values("SELECT SystemModstamp FROM Lead")

    sim.control("POST", "currencies", SEVERAL)

    assert currency_of(api, "Lead", lead) == "EUR"
    assert api.values("SELECT SystemModstamp FROM Lead") == before


def test_one_currency_again_takes_the_field_away(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)
    lead = api.create("Lead", **LEAD)

    sim.control("POST", "currencies", {"additional_currencies": []})

    assert "CurrencyIsoCode" not in fields_of(api, "Lead")
    assert "DefaultCurrencyIsoCode" not in fields_of(api, "User")
    assert "CurrencyIsoCode" not in api.get(f"/sobjects/Lead/{lead}").json()
    assert user_info(api)["orgDefaultCurrencyIsoCode"] == "EUR"


def test_a_converted_lead_gives_its_deal_the_users_currency(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)
    lead = api.create("Lead", **LEAD)

    done = sim.control("POST", "convert", {"id": lead})

    assert currency_of(api, "Opportunity", done["opportunity_id"]) == "EUR"


def test_an_organization_keeps_its_currencies_over_a_kill(tmp_path) -> None:
    with RunningSimulator("salesforce", data=tmp_path) as sim:
        api = Api(sim.base_url)
        lead = api.create("Lead", **LEAD)
        sim.control("POST", "currencies", SEVERAL)

        sim.restart()

        again = Api(sim.base_url)
        assert user_info(again)["organizationMultiCurrency"] == "true"
        assert currency_of(again, "Lead", lead) == "EUR"


def test_an_organization_forgets_them_at_a_reset(api: Api, sim) -> None:
    sim.control("POST", "currencies", SEVERAL)

    sim.reset()

    assert user_info(api)["orgDefaultCurrencyIsoCode"] == "USD"
    assert "CurrencyIsoCode" not in fields_of(api, "Lead")

"""What an org's amounts are in, which only SOAP tells."""

import pytest

from integrations.errors import Retryable
from integrations.tests.connectors.salesforce.conftest import Org


def test_an_org_with_one_currency_says_which(org: Org) -> None:
    org.simulator.control("POST", "currencies", {"company_currency": "GBP"})

    assert org.connector().currency() == "GBP"
    assert [one.path for one in org.calls] == ["/services/Soap/u/64.0"]


def test_an_org_with_several_currencies_has_none_of_its_own(org: Org) -> None:
    told = {"company_currency": "USD", "additional_currencies": ["EUR"]}
    org.simulator.control("POST", "currencies", told)

    assert org.connector().currency() == ""


def test_an_answer_that_cannot_be_read_says_no_currency(org: Org) -> None:
    org.simulator.set_fault("html_2xx", path="/services/Soap/u/")

    assert org.connector().currency() == ""


def test_a_bad_day_is_not_taken_for_an_answer(org: Org) -> None:
    org.simulator.set_fault("503", path="/services/Soap/u/")

    with pytest.raises(Retryable):
        org.connector().currency()

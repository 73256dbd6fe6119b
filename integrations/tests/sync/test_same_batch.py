"""What comes in together is matched as what comes in one after the other."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, Link
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from leads.models import Company, Lead

PHONE = "+4930123456"


@pytest.mark.parametrize("together", [True, False])
def test_people_who_share_a_phone_and_have_nothing_else_are_one(
    hubspot: Connection, hubspot_simulator: RunningSimulator, together: bool
) -> None:
    (mapping,) = only(hubspot, "contacts")
    person = HubSpotUser(hubspot_simulator)
    pull.ask_pull(mapping)
    for name in ("Ada", "Bea", "Cem"):
        person.make(firstname=name, phone=PHONE)
        if not together:
            sync()
    sync()

    assert Lead.objects.count() == Link.objects.count() == 1
    told = WorkItem.objects.filter(state=State.PARKED)
    assert {one.error_class for one in told} == {"duplicate"}
    assert told.count() == 2


@pytest.mark.parametrize("together", [True, False])
def test_so_they_are_where_one_before_them_has_it_and_is_somebody_else(
    hubspot: Connection, hubspot_simulator: RunningSimulator, together: bool
) -> None:
    (mapping,) = only(hubspot, "contacts")
    person = HubSpotUser(hubspot_simulator)
    pull.ask_pull(mapping)
    profile = {"hs_linkedin_url": "https://www.linkedin.com/in/ada-example"}
    for fields in (
        {"lastname": "Ada", **profile},
        {"lastname": "Ada again", "phone": PHONE, **profile},
        *({"lastname": name, "phone": PHONE} for name in ("Bea", "Cem", "Dan")),
    ):
        person.make(**fields)
        if not together:
            sync()
    sync()

    assert Lead.objects.count() == Link.objects.count() == 2
    told = WorkItem.objects.filter(state=State.PARKED)
    assert [one.error_class for one in told] == ["duplicate"] * 3


def test_colleagues_who_share_a_phone_and_have_addresses_are_two(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    (mapping,) = only(hubspot, "contacts")
    person = HubSpotUser(hubspot_simulator)
    pull.ask_pull(mapping)
    person.make(email="ada@customer.example.org", phone=PHONE)
    person.make(email="bea@customer.example.org", phone=PHONE)
    sync()

    assert Lead.objects.count() == Link.objects.count() == 2


@pytest.mark.parametrize("together", [True, False])
def test_accounts_of_one_name_and_no_domain_are_one_company(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
    together: bool,
) -> None:
    (mapping,) = only(salesforce, "Account")
    seller = SalesforceUser(salesforce_simulator)
    pull.ask_pull(mapping)
    sync(1)
    for _ in range(2):
        seller.make("Account", Name="Fern", BillingCountry="France")
        if not together:
            sync()
    sync()

    assert Company.objects.count() == Link.objects.count() == 1
    assert WorkItem.objects.get(state=State.PARKED).error_class == "duplicate"

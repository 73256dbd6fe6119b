"""Amounts of accounts that have one currency, which their deals do not name."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, FieldMapping, ObjectMapping, SyncEntry
from integrations.services.setup import set_up_due
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.asking_setup import queue_setup
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from leads.facts import Origin
from leads.models import Deal
from leads.services import records
from leads.services.records import Edit

DEALS = "/crm/v3/objects/deals"
HERE = Origin(kind="user", id="1", label="A person")


@pytest.fixture
def marketer(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def deals(hubspot: Connection) -> ObjectMapping:
    """Deals of an account in dollars, both ways."""
    hubspot.currency = "USD"
    hubspot.save()
    FieldMapping.objects.filter(source="currency").delete()
    [found] = only(hubspot, "deals")
    pull.ask_pull(found)
    sync(1)
    return found


def polled_again(mapping: ObjectMapping) -> None:
    pull.ask_pull(mapping, soon=True)
    sync(3)


def make(workspace: Workspace, **values: object) -> Deal:
    (made,) = records.create(workspace, "deal", [values], origin=HERE)
    assert isinstance(made, Deal)
    return made


def there(marketer: HubSpotUser) -> list[str]:
    found = marketer.simulator.dump("deals")
    return [one["properties"].get("amount") or "" for one in found]


def test_an_amount_comes_in_the_currency_of_its_account(
    marketer: HubSpotUser, deals: ObjectMapping
) -> None:
    place = {"pipeline": "default", "dealstage": "appointmentscheduled"}
    made = {"dealname": "Pilot", "amount": "1200.50", **place}
    marketer.call("POST", DEALS, {"properties": made})

    polled_again(deals)

    deal = Deal.objects.get()
    assert (f"{deal.amount:.2f}", deal.currency) == ("1200.50", "USD")
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_a_currency_that_is_known_stays(
    workspace: Workspace, marketer: HubSpotUser, deals: ObjectMapping
) -> None:
    deal = make(workspace, name="Pilot", amount="100", currency="USD")
    sync(2)
    [remote] = marketer.simulator.dump("deals")
    marketer.call("PATCH", f"{DEALS}/{remote['id']}", {"properties": {"amount": "90"}})

    polled_again(deals)

    deal.refresh_from_db()
    assert (f"{deal.amount:.2f}", deal.currency) == ("90.00", "USD")


def test_an_amount_in_another_currency_is_not_sent_as_if_it_were_theirs(
    workspace: Workspace, marketer: HubSpotUser, deals: ObjectMapping
) -> None:
    deal = make(workspace, name="Pilot", amount="100", currency="EUR")

    sync(2)

    assert there(marketer) == []
    [item] = WorkItem.objects.filter(state=State.PARKED)
    told = "It is in EUR here, and all amounts in HubSpot are in USD."
    # Nobody refused it: the CRM was not asked.
    assert (item.error_class, item.error) == ("currency", told)

    edit = Edit(deal.pk, {"amount": "110", "currency": "USD"})
    records.update(workspace, "deal", [edit], origin=HERE)
    sync(2)
    assert there(marketer) == ["110"]


def test_their_amount_is_not_taken_in_as_if_it_were_in_another_currency(
    workspace: Workspace, marketer: HubSpotUser, deals: ObjectMapping
) -> None:
    deal = make(workspace, name="Pilot", amount="100", currency="USD")
    sync(2)
    edit = Edit(deal.pk, {"currency": "EUR"})
    records.update(workspace, "deal", [edit], origin=HERE)
    [remote] = marketer.simulator.dump("deals")
    change = {"amount": "90", "dealname": "Project"}
    marketer.call("PATCH", f"{DEALS}/{remote['id']}", {"properties": change})

    polled_again(deals)

    deal.refresh_from_db()
    assert (deal.name, str(deal.amount), deal.currency) == ("Project", "100.00", "EUR")
    held = SyncEntry.objects.filter(direction="pull", outcome="held")
    assert "all amounts in HubSpot are in USD" in held.latest("pk").message


def test_where_the_mapping_says_the_currency_any_can_be_sent(
    workspace: Workspace, marketer: HubSpotUser, deals: ObjectMapping
) -> None:
    FieldMapping.objects.create(
        mapping=deals, position=90, source="currency", destination="deal_currency_code"
    )
    make(workspace, name="Pilot", amount="100", currency="EUR")

    sync(2)

    assert there(marketer) == ["100"]


# --- by what the account itself says --------------------------------------------------

SEVERAL = {"company_currency": "EUR", "additional_currencies": ["USD"]}


def described_anew(connection: Connection, simulator: RunningSimulator) -> None:
    """Let the account have several currencies, and be set up as if it were new."""
    simulator.control("POST", "currencies", SEVERAL)
    ObjectMapping.objects.filter(connection=connection).delete()
    queue_setup(connection)
    assert set_up_due() == 1
    connection.refresh_from_db()


def test_a_deal_names_no_currency_where_there_is_one(
    hubspot: Connection, salesforce: Connection
) -> None:
    assert (hubspot.currency, salesforce.currency) == ("EUR", "EUR")
    assert not FieldMapping.objects.filter(source="currency").exists()


def test_of_several_currencies_each_deal_of_hubspot_names_its_own(
    marketer: HubSpotUser, hubspot: Connection
) -> None:
    described_anew(hubspot, marketer.simulator)
    place = {"pipeline": "default", "dealstage": "appointmentscheduled"}
    made = {"dealname": "Pilot", "amount": "90", "deal_currency_code": "USD", **place}
    marketer.call("POST", DEALS, {"properties": made})
    [mapping] = only(hubspot, "deals")
    pull.ask_pull(mapping)
    sync(1)
    marketer.call("POST", DEALS, {"properties": made | {"dealname": "Next"}})

    polled_again(mapping)

    assert hubspot.currency == ""
    deal = Deal.objects.get(name="Next")
    assert (str(deal.amount), deal.currency) == ("90.00", "USD")


def test_of_several_currencies_each_opportunity_names_its_own(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    described_anew(salesforce, salesforce_simulator)
    seller = SalesforceUser(salesforce_simulator)
    [mapping] = only(salesforce, "Opportunity")
    pull.ask_pull(mapping)
    sync(1)
    seller.make(
        "Opportunity",
        Name="Pilot",
        StageName="Prospecting",
        CloseDate="2027-01-31",
        Amount="90",
        CurrencyIsoCode="USD",
    )
    polled_again(mapping)
    ours = make(workspace, name="Ours", amount="70", currency="USD")
    sync(2)

    assert salesforce.currency == ""
    deal = Deal.objects.get(name="Pilot")
    assert (str(deal.amount), deal.currency) == ("90.00", "USD")
    [there] = [one for one in seller.has("Opportunity") if one["Name"] == ours.name]
    assert (float(there["Amount"]), there["CurrencyIsoCode"]) == (70, "USD")

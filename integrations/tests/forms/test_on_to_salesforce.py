"""A form submitted in HubSpot makes its person a campaign member in Salesforce."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.models import Connection, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.tests.forms.test_submissions import poll, source, submit
from integrations.tests.sync.crm import SalesforceUser, sync
from leads.models import CampaignMember


@pytest.fixture
def seller(
    hubspot: Connection,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> SalesforceUser:
    """Both connected as they come, with campaigns and members switched on."""
    ObjectMapping.objects.filter(
        connection=salesforce, record_type__in=["campaign", "campaign_member"]
    ).update(active=True)
    source(hubspot, name="Demo request")
    return SalesforceUser(salesforce_simulator)


def members(seller: SalesforceUser) -> list[tuple[str, str, str]]:
    """Return (campaign's name, e-mail, status) of each member."""
    campaigns = {one["Id"]: one["Name"] for one in seller.has("Campaign")}
    people = {one["Id"]: one["Email"] for one in seller.has("Lead")}
    return [
        (campaigns[one["CampaignId"]], people[one["LeadId"]], one["Status"])
        for one in seller.has("CampaignMember")
    ]


def test_who_submits_a_form_is_a_member_once(
    hubspot: Connection, hubspot_simulator: RunningSimulator, seller: SalesforceUser
) -> None:
    for _ in range(2):
        submit(hubspot_simulator, hubspot, email="ada@example.com", lastname="Lark")
        poll()
        sync(4)

    assert members(seller) == [("Demo request", "ada@example.com", "Responded")]
    assert len(seller.has("Lead")) == CampaignMember.objects.count() == 1
    assert not WorkItem.objects.filter(state=State.PARKED).exists()
    contacts = hubspot_simulator.dump("contacts")
    assert [one["properties"]["email"] for one in contacts] == ["ada@example.com"]


def test_a_campaign_of_that_name_there_is_the_one_they_are_in(
    hubspot: Connection, hubspot_simulator: RunningSimulator, seller: SalesforceUser
) -> None:
    there = seller.make("Campaign", Name="Demo request")

    submit(hubspot_simulator, hubspot, email="ada@example.com", lastname="Lark")
    poll()
    sync(4)

    assert [one["CampaignId"] for one in seller.has("CampaignMember")] == [there]
    assert len(seller.has("Campaign")) == 1

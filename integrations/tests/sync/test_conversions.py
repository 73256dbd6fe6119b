"""A lead is converted in Salesforce while a deal of theirs waits here: one deal."""

from __future__ import annotations

import pytest
from django.db.models import Q

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import Conversion
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import SalesforceUser, make_due, only, sync
from leads.facts import Origin
from leads.models import Deal, Lead, Stage
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    only(salesforce, "Lead", "Contact", "Opportunity")
    for one in ObjectMapping.objects.filter(active=True):
        pull.ask_pull(one)
    sync(1)
    return SalesforceUser(salesforce_simulator)


def make(workspace: Workspace, record_type: str, **values: object) -> int:
    (made,) = records.create(workspace, record_type, [values], origin=HERE)
    return int(made.pk)


def person(workspace: Workspace, email: str = "ada@customer.example.org") -> int:
    """Make somebody who is a lead there as well."""
    lead = make(workspace, "lead", email=email, last_name="Example")
    sync()
    return lead


def deal_of(workspace: Workspace, lead: int, name: str = "Robots") -> int:
    """Make a deal, which is not sent yet."""
    stage = Stage.objects.filter(outcome=Stage.Outcome.OPEN).earliest("position")
    values = {"lead_id": lead, "stage_id": stage.pk, "amount": 500, "currency": "EUR"}
    return make(workspace, "deal", name=name, **values)


def remote(record_type: str, record_id: int) -> str:
    return Link.objects.get(record_type=record_type, record_id=record_id).remote_id


def first(what: str) -> None:
    """Let the workers do one thing before all else: push the deal, or pull an object.

    What else there is waits.
    """
    name = "Opportunity" if what == "push" else what
    mapping = ObjectMapping.objects.get(remote_object=name, active=True)
    WorkItem.objects.update(not_before=outbox.WHEN_ASKED)
    if what == "push":
        rows = WorkItem.objects.filter(kind=outbox.KIND, group=str(mapping.pk))
        rows.update(not_before=queue.now())
        push_due()
    else:
        pull.ask_pull(mapping, soon=True)
        pull.pull_due()
    WorkItem.objects.update(not_before=queue.now())


ORDERS = ["push", "Lead", "Contact", "Opportunity"]


@pytest.mark.parametrize("what", ORDERS)
def test_a_deal_that_waits_is_the_one_that_the_conversion_made(
    workspace: Workspace, seller: SalesforceUser, what: str
) -> None:
    lead = person(workspace)
    deal = deal_of(workspace, lead)
    made = seller.convert(remote("lead", lead))

    first(what)
    sync(4)

    assert [one["Id"] for one in seller.has("Opportunity")] == [made["opportunity_id"]]
    assert list(Deal.objects.values_list("pk", flat=True)) == [deal]
    assert remote("deal", deal) == made["opportunity_id"]
    assert remote("lead", lead) == made["contact_id"]


def test_both_have_the_same_values_by_the_rules_of_a_first_meeting(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead = person(workspace)
    deal = deal_of(workspace, lead)
    made = seller.convert(remote("lead", lead), opportunity_name="Robots for Fern")

    sync(4)
    records.update(workspace, "deal", [Edit(deal, {"name": "Cranes"})], origin=HERE)
    sync(4)

    (there,) = seller.has("Opportunity")
    assert (there["Id"], there["Name"]) == (made["opportunity_id"], "Cranes")
    assert float(there["Amount"]) == 500


@pytest.mark.parametrize("what", ORDERS)
def test_of_several_deals_that_wait_a_person_says_which_it_is(
    workspace: Workspace, seller: SalesforceUser, what: str
) -> None:
    lead = person(workspace)
    names = ("Robots", "Cranes")
    for name in names:
        deal_of(workspace, lead, name)
    seller.convert(remote("lead", lead))

    first(what)
    sync(4)

    assert len(seller.has("Opportunity")) == 1
    assert Deal.objects.count() == 2
    assert not Link.objects.filter(record_type="deal").exists()
    told = list(WorkItem.objects.filter(state=State.PARKED).values_list("error"))
    assert len(told) == 3
    assert all(f"Deal {one}" in text for one in names for (text,) in told)


def test_once_the_others_are_closed_the_rest_follows(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead = person(workspace)
    robots = deal_of(workspace, lead)
    cranes = deal_of(workspace, lead, "Cranes")
    made = seller.convert(remote("lead", lead))
    sync(4)

    lost = Stage.objects.filter(outcome=Stage.Outcome.LOST).earliest("position")
    edit = Edit(cranes, {"stage_id": lost.pk})
    records.update(workspace, "deal", [edit], origin=HERE)
    queue.retry(
        WorkItem.objects.filter(state=State.PARKED).values_list("pk", flat=True)
    )
    sync(4)

    assert remote("deal", robots) == made["opportunity_id"]
    assert remote("deal", cranes) != made["opportunity_id"]
    assert len(seller.has("Opportunity")) == 2
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_a_deal_made_after_that_of_the_conversion_came_in_is_another(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead = person(workspace)
    seller.convert(remote("lead", lead))
    sync(4)

    deal_of(workspace, lead)
    sync(4)

    assert len(seller.has("Opportunity")) == Deal.objects.count() == 2
    assert {one.lead_id for one in Deal.objects.all()} == {lead}


def test_a_conversion_without_a_deal_leaves_ours_to_be_made(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead = person(workspace)
    deal_of(workspace, lead)
    made = seller.convert(remote("lead", lead), opportunity=False)

    sync(4)

    (deal,) = seller.has("Opportunity")
    assert deal["ContactId"] == made["contact_id"]


def test_a_conversion_of_ours_makes_no_deal_beside_the_one_that_waits(
    workspace: Workspace, salesforce: Connection, seller: SalesforceUser
) -> None:
    lead = person(workspace)
    deal = deal_of(workspace, lead)
    connector, _ = open_connector(salesforce)

    (done,) = connector.convert([Conversion(remote("lead", lead))])
    sync(4)

    (there,) = seller.has("Opportunity")
    assert done.error is None
    assert remote("deal", deal) == there["Id"]
    assert remote("lead", lead) == done.fields["Contact"]


def test_what_has_no_lead_there_is_not_looked_up(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    sync()
    before = seller.simulator.stats()["routes"]
    stage = Stage.objects.filter(outcome=Stage.Outcome.OPEN).earliest("position")
    make(workspace, "deal", name="Robots", stage_id=stage.pk)
    ObjectMapping.objects.filter(~Q(remote_object="Opportunity")).update(active=False)

    make_due()
    push_due()

    after = seller.simulator.stats()["routes"]
    asked = [n for n in after if "query" in n and after[n] != before.get(n)]
    assert (asked, len(seller.has("Opportunity"))) == ([], 1)
    assert Lead.objects.count() == 0

"""The person of a deal is a contact role of its opportunity, both ways."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.models import Connection, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull, runs
from integrations.sync.push import push_due
from integrations.tests.sync.crm import SalesforceUser, only, sync
from integrations.tests.sync.test_main_ties import change, make, remote
from integrations.tests.sync.test_ties_follow import calls, emptying, poll
from leads.models import Deal, Stage


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    """People who are contacts there, or leads, and their deals; polled from now on."""
    only(salesforce, "Lead", "Contact", "Opportunity")
    for one in ObjectMapping.objects.filter(active=True):
        pull.ask_pull(one)
    sync(1)
    return SalesforceUser(salesforce_simulator)


def contact(workspace: Workspace, seller: SalesforceUser, name: str) -> tuple[int, str]:
    """Make somebody who is a contact there; return their ids, ours first."""
    email = f"{name}@customer.example.org".lower()
    there = seller.make("Contact", LastName=name, Email=email)
    poll("Contact")
    return Link.objects.get(remote_id=there).record_id, there


def deal(workspace: Workspace, lead: int | None = None, name: str = "Robots") -> int:
    stage = Stage.objects.filter(outcome=Stage.Outcome.OPEN).earliest("position")
    return make(workspace, "deal", name=name, stage_id=stage.pk, lead_id=lead)


def roles(seller: SalesforceUser) -> list[tuple[str, str, bool]]:
    """Return (opportunity, contact, whether it is the primary one) of each role."""
    return sorted(
        (one["OpportunityId"], one["ContactId"], bool(one.get("IsPrimary")))
        for one in seller.has("OpportunityContactRole")
    )


def test_a_deal_of_a_contact_gets_one_role_in_the_call_that_makes_it(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ada, there = contact(workspace, seller, "Ada")

    made = deal(workspace, ada)
    sync(4)

    assert roles(seller) == [(remote("deal", made), there, True)]
    poll("Opportunity")
    assert Deal.objects.get().lead_id == ada


def test_a_lost_answer_makes_no_second_deal_and_no_second_role(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ada, there = contact(workspace, seller, "Ada")
    seller.simulator.set_fault("drop_after_apply", method="POST", count=1)

    made = deal(workspace, ada)
    sync(6)

    assert roles(seller) == [(remote("deal", made), there, True)]


def test_a_deal_that_gets_a_person_later_gets_a_role(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ada, there = contact(workspace, seller, "Ada")
    made = [deal(workspace, name=f"Deal {n}") for n in range(5)]
    sync(3)
    for one in made:
        change(workspace, "deal", one, lead_id=ada)
    before = calls(seller.simulator)

    push_due()

    assert roles(seller) == sorted((remote("deal", one), there, True) for one in made)
    # One query for the roles that are there, one call that makes the others.
    assert calls(seller.simulator) - before == 2


def test_another_person_is_added_beside_the_one_who_is_the_primary_contact(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ada, first = contact(workspace, seller, "Ada")
    ben, second = contact(workspace, seller, "Ben")
    made = deal(workspace, ada)
    sync(3)

    change(workspace, "deal", made, lead_id=ben)
    sync(3)
    poll("Opportunity")

    there = remote("deal", made)
    assert roles(seller) == sorted([(there, first, True), (there, second, False)])
    assert Deal.objects.get().lead_id == ben


def test_a_person_taken_away_here_loses_the_role_where_that_follows(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    emptying()
    ada, _ = contact(workspace, seller, "Ada")
    made = deal(workspace, ada)
    sync(3)
    _, other = contact(workspace, seller, "Ben")
    role = {"OpportunityId": remote("deal", made), "ContactId": other}
    seller.make("OpportunityContactRole", **role)

    change(workspace, "deal", made, lead_id=None)
    sync(2)

    assert roles(seller) == [(remote("deal", made), other, False)]


def test_a_person_taken_away_here_keeps_the_role_where_that_does_not_follow(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ada, there = contact(workspace, seller, "Ada")
    made = deal(workspace, ada)
    sync(3)

    change(workspace, "deal", made, lead_id=None)
    sync(2)

    assert roles(seller) == [(remote("deal", made), there, True)]


def test_a_role_taken_away_there_is_taken_away_here_where_that_follows(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    emptying()
    ada, _ = contact(workspace, seller, "Ada")
    deal(workspace, ada)
    sync(3)
    (role,) = seller.has("OpportunityContactRole")
    found = {"object": "OpportunityContactRole", "id": role["Id"]}
    seller.simulator.control("POST", "delete", found)

    mapping = ObjectMapping.objects.get(remote_object="Opportunity")
    runs.start(mapping, Run.Kind.RECONCILE)
    sync(3)

    assert Deal.objects.get().lead_id is None


def test_an_opportunity_that_comes_in_belongs_to_its_primary_contact(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    _, first = contact(workspace, seller, "Ada")
    ben, second = contact(workspace, seller, "Ben")
    there = seller.make(
        "Opportunity", Name="Robots", StageName="Prospecting", CloseDate="2026-12-31",
        ContactId=first,
    )  # fmt: skip
    role = {"OpportunityId": there, "ContactId": second, "IsPrimary": "true"}
    seller.make("OpportunityContactRole", **role)

    poll("Opportunity")

    assert Deal.objects.get().lead_id == ben
    assert roles(seller) == sorted([(there, first, False), (there, second, True)])


def test_a_deal_of_a_lead_there_has_no_role(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    eva = make(workspace, "lead", email="eva@customer.example.org", last_name="E")
    sync(3)

    deal(workspace, eva)
    sync(3)

    assert len(seller.has("Opportunity")) == 1
    assert roles(seller) == []


def test_the_role_that_a_conversion_made_is_not_doubled(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    eva = make(workspace, "lead", email="eva@customer.example.org", last_name="E")
    sync(3)
    waiting = deal(workspace, eva)
    made = seller.convert(remote("lead", eva))

    sync(4)
    change(workspace, "deal", waiting, name="Cranes")
    sync(3)

    assert roles(seller) == [(made["opportunity_id"], made["contact_id"], True)]
    assert remote("deal", waiting) == made["opportunity_id"]


def test_a_deal_sent_before_its_lead_was_converted_gets_the_contact(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    eva = make(workspace, "lead", email="eva@customer.example.org", last_name="E")
    sync(3)
    sent = deal(workspace, eva)
    sync(3)

    made = seller.convert(remote("lead", eva), opportunity=False)
    sync(4)

    assert remote("lead", eva) == made["contact_id"]
    assert roles(seller) == [(remote("deal", sent), made["contact_id"], True)]


def test_a_conversion_is_told_once_to_the_deals_that_were_there(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    eva = make(workspace, "lead", email="eva@customer.example.org", last_name="E")
    sync(3)
    deal(workspace, eva)
    sync(3)
    seller.convert(remote("lead", eva), opportunity=False)
    sync(4)
    (role,) = seller.has("OpportunityContactRole")
    found = {"object": "OpportunityContactRole", "id": role["Id"]}
    seller.simulator.control("POST", "delete", found)

    change(workspace, "deal", Deal.objects.get().pk, name="Cranes")
    sync(3)

    assert roles(seller) == []

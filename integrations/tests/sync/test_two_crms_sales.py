"""Companies, deals, stages, owners and tasks between HubSpot and Salesforce."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.testing import make_user
from integrations.models import Connection, FieldMapping, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import (
    HubSpotUser,
    SalesforceUser,
    both_ways,
    sync,
)
from leads.models import Activity, Company, Deal, Lead


@pytest.fixture
def marketer(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    return SalesforceUser(salesforce_simulator)


def join(*objects: str) -> dict[str, ObjectMapping]:
    """Keep these objects of both CRMs in step, both ways, and nothing else."""
    ObjectMapping.objects.exclude(remote_object__in=objects).update(active=False)
    found = {
        one.remote_object: one
        for one in ObjectMapping.objects.filter(remote_object__in=objects)
    }
    for one in found.values():
        one.active = True
        both_ways(one)
        pull.ask_pull(one)
    sync(1)
    return found


def rest() -> None:
    for one in ObjectMapping.objects.filter(active=True):
        pull.ask_pull(one, soon=True)
    sync(4)


def make(marketer: HubSpotUser, kind: str, **properties: str) -> str:
    made: Any = marketer.call(
        "POST", f"/crm/v3/objects/{kind}", {"properties": properties}
    )
    return str(made["id"])


def edit(marketer: HubSpotUser, kind: str, remote_id: str, **properties: str) -> None:
    path = f"/crm/v3/objects/{kind}/{remote_id}"
    marketer.call("PATCH", path, {"properties": properties})


def has(marketer: HubSpotUser, kind: str) -> list[dict[str, Any]]:
    return [
        dict(one["properties"])
        for one in marketer.simulator.dump(kind)
        if not one.get("archived")
    ]


# --- companies ------------------------------------------------------------------------


def test_a_company_is_the_account_of_its_domain_however_it_is_written(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    join("companies", "Account")
    FieldMapping.objects.filter(destination="Website").update(direction="both")
    account = seller.make("Account", Name="Fern Ltd", Website="https://www.fern.org/")
    make(marketer, "companies", name="Fern", domain="fern.org", city="Lyon")
    rest()

    (there,) = seller.has("Account")
    assert (there["Id"], there["Name"], there.get("BillingCity")) == (
        account,
        "Fern Ltd",
        "Lyon",
    )
    assert Company.objects.count() == len(has(marketer, "companies")) == 1


def test_a_company_without_a_domain_is_the_account_of_its_name_and_country(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    join("companies", "Account")
    seller.make("Account", Name="Fern", BillingCountry="France")
    seller.make("Account", Name="Fern", BillingCountry="Chile")
    make(marketer, "companies", name="Fern", country="Chile", city="Lota")

    rest()

    cities = {
        one["BillingCountry"]: one.get("BillingCity") for one in seller.has("Account")
    }
    assert cities == {"France": None, "Chile": "Lota"}
    assert Company.objects.count() == len(has(marketer, "companies")) == 2
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


# --- deals ----------------------------------------------------------------------------


def test_a_deal_becomes_an_opportunity_and_salesforce_wins_its_stage(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    mappings = join("deals", "Opportunity")
    FieldMapping.objects.filter(
        mapping=mappings["Opportunity"], source__in=["stage_id", "amount"]
    ).update(rule="crm")
    FieldMapping.objects.create(
        mapping=mappings["deals"],
        position=90,
        source="currency",
        destination="deal_currency_code",
    )
    deal = make(
        marketer,
        "deals",
        dealname="Robots",
        pipeline="default",
        dealstage="appointmentscheduled",
        amount="500",
        deal_currency_code="EUR",
    )
    rest()
    (opportunity,) = seller.has("Opportunity")

    edit(marketer, "deals", deal, dealstage="closedlost", amount="700")
    seller.edit("Opportunity", opportunity["Id"], StageName="Closed Won", Amount="900")
    rest()
    rest()

    (there,) = seller.has("Opportunity")
    (here,) = has(marketer, "deals")
    assert (there["StageName"], float(there["Amount"])) == ("Closed Won", 900)
    assert (here["dealstage"], float(here["amount"])) == ("closedwon", 900)
    assert Deal.objects.get().stage.outcome == "won"


# --- status and lifecycle stage -------------------------------------------------------

STATUSES = {
    "new": "Open - Not Contacted",
    "contacted": "Working - Contacted",
    "lost": "Closed - Not Converted",
}
LIFECYCLE = {
    "new": "lead",
    "contacted": "marketingqualifiedlead",
    "qualified": "salesqualifiedlead",
    "customer": "customer",
}


def with_status(mappings: dict[str, ObjectMapping]) -> None:
    rows = (("Lead", "Status", STATUSES), ("contacts", "lifecyclestage", LIFECYCLE))
    for name, destination, values in rows:
        FieldMapping.objects.create(
            mapping=mappings[name],
            position=90,
            source="status",
            destination=destination,
            values=values,
            rule="latest",
        )


def lead_of(person: Lead) -> str:
    return Link.objects.get(record_id=person.pk, remote_object="Lead").remote_id


def test_a_lead_status_moves_the_lifecycle_stage_forward_and_never_back(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    with_status(join("contacts", "Lead"))
    given = {"LastName": "Example", "Company": "Fern", "Email": "ada@fern.org"}
    lead = seller.make("Lead", **given)
    rest()
    steps = [has(marketer, "contacts")[0]["lifecyclestage"]]

    for status in ("Working - Contacted", "Open - Not Contacted"):
        seller.edit("Lead", lead, Status=status)
        rest()
        steps.append(has(marketer, "contacts")[0]["lifecyclestage"])

    assert steps == ["lead", "marketingqualifiedlead", "marketingqualifiedlead"]
    assert [one["Status"] for one in seller.has("Lead")] == ["Open - Not Contacted"]


def test_a_status_that_has_no_stage_is_held_and_blanks_nothing(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    with_status(join("contacts", "Lead"))
    given = {"LastName": "Example", "Company": "Fern", "Email": "ada@fern.org"}
    lead = seller.make("Lead", **given)
    rest()

    seller.edit("Lead", lead, Status="Closed - Not Converted")
    rest()

    assert has(marketer, "contacts")[0]["lifecyclestage"] == "lead"
    assert Lead.objects.get().status == "lost"
    told = WorkItem.objects.get(state=State.PARKED)
    assert (told.error_class, told.error_field) == ("held", "status")


# --- tasks and owners -----------------------------------------------------------------


def test_a_task_of_salesforce_is_one_of_hubspot_and_stays_it(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    join("contacts", "Lead", "Task", "tasks")
    given = {"LastName": "Example", "Company": "Fern", "Email": "ada@fern.org"}
    lead = seller.make("Lead", **given)
    rest()
    task = seller.make("Task", Subject="Call", WhoId=lead, ActivityDate="2026-12-24")
    rest()
    first = has(marketer, "tasks")

    seller.edit("Task", task, Subject="Call again", Status="Completed")
    rest()

    assert [one["hs_task_subject"] for one in first] == ["Call"]
    (there,) = has(marketer, "tasks")
    assert (there["hs_task_subject"], there["hs_task_status"]) == (
        "Call again",
        "COMPLETED",
    )
    assert Activity.objects.filter(kind="task").count() == 1


def test_an_owner_is_who_has_the_address_in_both(
    workspace: Workspace,
    hubspot: Connection,
    salesforce: Connection,
    marketer: HubSpotUser,
    seller: SalesforceUser,
) -> None:
    join("contacts", "Lead")
    owners = {
        one.vendor: {owner["email"].lower(): owner["id"] for owner in one.owners}
        for one in (hubspot, salesforce)
    }
    email = next(iter(owners["hubspot"].keys() & owners["salesforce"].keys()))
    user = make_user(workspace, email=email)

    given = {"LastName": "Example", "Company": "Fern", "Email": "ada@fern.org"}
    seller.make("Lead", **given, OwnerId=owners["salesforce"][email])
    rest()

    (contact,) = has(marketer, "contacts")
    assert contact["hubspot_owner_id"] == owners["hubspot"][email]
    assert Lead.objects.get().owner == user

"""HubSpot and Salesforce kept in step through the hub, at the same time."""

from __future__ import annotations

import pytest
from django.db.models import Q

from crmsync.core.models import Workspace
from integrations.connectors import session
from integrations.models import Connection, Link, LinkAlias, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
PEOPLE = ("contacts", "Lead", "Contact")


@pytest.fixture
def mappings(hubspot: Connection, salesforce: Connection) -> dict[str, ObjectMapping]:
    """People both ways in both CRMs, and nothing else; polled from now on."""
    ObjectMapping.objects.exclude(remote_object__in=PEOPLE).update(active=False)
    found = {
        one.remote_object: one for one in ObjectMapping.objects.filter(active=True)
    }
    for one in found.values():
        both_ways(one)
        pull.ask_pull(one)
    sync(1)
    return found


@pytest.fixture
def marketer(
    mappings: dict[str, ObjectMapping], hubspot_simulator: RunningSimulator
) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def seller(
    mappings: dict[str, ObjectMapping], salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    return SalesforceUser(salesforce_simulator)


def remote_id(lead: Lead, remote_object: str) -> str:
    return Link.objects.get(record_id=lead.pk, remote_object=remote_object).remote_id


def everywhere(marketer: HubSpotUser, **values: str) -> Lead:
    """Make a contact in HubSpot that is a lead in Salesforce as well."""
    given = {"email": "ada@customer.example.org", "firstname": "Ada", **values}
    marketer.make(**{"lastname": "Example", "company": "Fern", **given})
    sync()
    return Lead.objects.get(email=given["email"])


# --- from one to the other ------------------------------------------------------------


def test_a_hubspot_contact_becomes_a_salesforce_lead(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    everywhere(marketer, phone="+49 30 123456")

    (lead,) = seller.has("Lead")
    assert (lead["FirstName"], lead["Email"], lead["Company"]) == (
        "Ada",
        "ada@customer.example.org",
        "Fern",
    )
    assert seller.has("Contact") == []


def test_who_is_a_salesforce_contact_is_not_made_a_lead_as_well(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    contact_id = seller.make(
        "Contact", LastName="Example", Email="ada@customer.example.org"
    )

    lead = everywhere(marketer, jobtitle="Head of Sales")
    sync()

    assert seller.has("Lead") == []
    (contact,) = seller.has("Contact")
    assert contact["Id"] == contact_id == remote_id(lead, "Contact")
    assert contact["Title"] == "Head of Sales"


def test_a_salesforce_lead_becomes_a_hubspot_contact(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    seller.make(
        "Lead", LastName="Example", Company="Fern", Email="ada@customer.example.org"
    )

    sync()

    (contact,) = marketer.simulator.dump("contacts")
    assert contact["properties"]["lastname"] == "Example"
    assert contact["properties"]["company"] == "Fern"


def test_edits_in_both_crms_in_the_same_minute_survive_in_both(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    lead = everywhere(marketer)
    seller.edit("Lead", remote_id(lead, "Lead"), Phone="+49 30 123456")
    marketer.edit(remote_id(lead, "contacts"), jobtitle="Head of Sales")

    sync()

    lead.refresh_from_db()
    assert (lead.phone, lead.job_title) == ("+4930123456", "Head of Sales")
    (there,) = seller.has("Lead")
    assert (there["Phone"], there["Title"]) == ("+49 30 123456", "Head of Sales")
    assert marketer.sees(remote_id(lead, "contacts"), "phone", "jobtitle") == {
        "phone": "+4930123456",
        "jobtitle": "Head of Sales",
    }


def test_salesforce_does_not_give_our_leads_to_somebody_else(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    everywhere(marketer)

    users = seller.simulator.control("GET", "orgs")
    by_mail = {m: i for org in users.values() for m, i in org["users"].items()}
    (lead,) = seller.has("Lead")
    assert lead["OwnerId"] != by_mail["elena.ortiz@example.com"]


# --- rest -----------------------------------------------------------------------------


def writes(marketer: HubSpotUser, seller: SalesforceUser) -> int:
    """Return how many calls have written to either CRM."""
    total = 0
    for simulator in (marketer.simulator, seller.simulator):
        for route, told in simulator.stats()["routes"].items():
            reads = route.startswith("GET") or "search" in route or "read" in route
            total += 0 if reads else told["inputs"]
    return total


def test_everything_comes_to_rest_after_the_last_edit(
    workspace: Workspace, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    people = [
        {"email": f"p{n}@customer.example.org", "lastname": f"P{n}", "company": "Fern"}
        for n in range(20)
    ]
    ids = marketer.make_many(people)
    sync(4)
    before = writes(marketer, seller)
    edits = 0
    for turn in range(3):
        marketer.edit_many({one: {"city": f"City {turn}"} for one in ids[:10]})
        for lead in Lead.objects.order_by("pk")[10:]:
            seller.edit("Lead", remote_id(lead, "Lead"), Title=f"Title {turn}")
        edits += 20
        sync(4)
    # The marketer's own edits were counted as well.
    made = writes(marketer, seller) - before - 30
    sync(5)

    assert writes(marketer, seller) - before - 30 == made
    assert made <= edits * 2
    cities = [one.get("City") for one in seller.has("Lead")]
    assert cities.count("City 2") == 10


@pytest.mark.parametrize("skew_s", [300.0, -300.0])
def test_clocks_that_differ_do_not_turn_the_most_recent_round(
    workspace: Workspace,
    marketer: HubSpotUser,
    seller: SalesforceUser,
    skew_s: float,
) -> None:
    seller.simulator.configure(clock_skew_s=skew_s)
    Connection.objects.filter(vendor="salesforce").update(clock_offset_s=None)
    session.close_all()
    lead = everywhere(marketer)
    sync()
    seller.edit("Lead", remote_id(lead, "Lead"), City="Paris")
    edit = Edit(lead.pk, {"city": "Lyon"})
    records.update(workspace, "lead", [edit], origin=HERE)
    _make_older(lead, seconds=10)

    sync()

    lead.refresh_from_db()
    assert lead.city == "Paris"


def _make_older(lead: Lead, *, seconds: int) -> None:
    from datetime import timedelta

    from django.db.models import F

    from leads.models import Change

    rows = Change.objects.filter(record_id=lead.pk)
    rows.update(at=F("at") - timedelta(seconds=seconds))


# --- converted and merged -------------------------------------------------------------


@pytest.mark.parametrize("order", ["lead first", "contact first"])
def test_a_converted_lead_stays_one_person(
    marketer: HubSpotUser,
    seller: SalesforceUser,
    mappings: dict[str, ObjectMapping],
    order: str,
) -> None:
    lead = everywhere(marketer)
    lead_id = remote_id(lead, "Lead")
    made = seller.convert(lead_id, opportunity=False)
    first = "Contact" if order == "contact first" else "Lead"
    ObjectMapping.objects.exclude(
        Q(remote_object=first) | Q(remote_object="contacts")
    ).update(active=False)

    sync(2)
    ObjectMapping.objects.filter(remote_object__in=PEOPLE).update(active=True)
    pull.ask_due()
    sync(3)
    seller.edit("Contact", made["contact_id"], Title="Head of Sales")
    sync(3)

    lead.refresh_from_db()
    assert Lead.objects.count() == 1
    assert lead.job_title == "Head of Sales"
    assert remote_id(lead, "Contact") == made["contact_id"]
    assert not Link.objects.filter(remote_object="Lead").exists()
    assert LinkAlias.objects.get(remote_id=lead_id).link.remote_object == "Contact"
    assert len(marketer.simulator.dump("contacts")) == 1
    assert len(seller.has("Contact")) == 1


def test_leads_merged_in_salesforce_are_merged_here(
    marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    first = everywhere(marketer)
    second = everywhere(marketer, email="bea@customer.example.org")
    kept, lost = remote_id(first, "Lead"), remote_id(second, "Lead")

    seller.merge("Lead", kept, lost)
    from integrations.models import Cursor

    Cursor.objects.update(gone_up_to=None)
    sync()

    assert Lead.objects.count() == 1
    assert remote_id(Lead.objects.get(), "Lead") == kept
    assert len(seller.has("Lead")) == 1

"""What a record belongs to is changed here: the CRM learns of it, once."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull, runs
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from leads.facts import Origin
from leads.models import Company, Deal, Lead, Stage
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


def make(workspace: Workspace, record_type: str, **values: object) -> int:
    (made,) = records.create(workspace, record_type, [values], origin=HERE)
    return int(made.pk)


def change(workspace: Workspace, record_type: str, pk: int, **values: object) -> None:
    records.update(workspace, record_type, [Edit(pk, values)], origin=HERE)


def remote(record_type: str, record_id: int) -> str:
    return Link.objects.get(record_type=record_type, record_id=record_id).remote_id


@pytest.fixture
def person(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def employed(workspace: Workspace, hubspot: Connection) -> tuple[int, int]:
    """Let somebody be in HubSpot with their company; return them and another one."""
    only(hubspot, "contacts", "companies")
    first = make(workspace, "company", name="Fern", domain="fern.example.com")
    second = make(workspace, "company", name="Moss", domain="moss.example.com")
    lead = make(workspace, "lead", email="ada@fern.example.com", company_id=first)
    sync(4)
    return lead, second


def companies_of(person: HubSpotUser, contact_id: str) -> set[str]:
    path = f"/crm/v4/objects/contacts/{contact_id}/associations/companies"
    return {str(one["toObjectId"]) for one in person.call("GET", path)["results"]}


def test_a_person_who_changes_companies_here_does_so_there(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    lead, second = employed(workspace, hubspot)

    change(workspace, "lead", lead, company_id=second)
    sync(4)

    assert remote("company", second) in companies_of(person, remote("lead", lead))
    told = SyncEntry.objects.filter(record_type="lead", outcome="updated").latest("id")
    assert "Company Moss" in told.message


def test_a_tie_is_told_once(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    lead, second = employed(workspace, hubspot)
    change(workspace, "lead", lead, company_id=second)
    sync(4)
    before = tie_calls(person.simulator)

    change(workspace, "lead", lead, city="Lyon")
    sync(4)

    assert tie_calls(person.simulator) == before > 0


def tie_calls(simulator: RunningSimulator) -> int:
    """Return how often ties were made or taken away."""
    return sum(
        route["count"]
        for name, route in simulator.stats()["routes"].items()
        if "/associations/" in name and not name.endswith("read")
    )


def test_a_deal_of_salesforce_gets_another_account(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    only(salesforce, "Account", "Opportunity")
    seller = SalesforceUser(salesforce_simulator)
    first = make(workspace, "company", name="Fern", domain="fern.example.com")
    second = make(workspace, "company", name="Moss", domain="moss.example.com")
    stage = Stage.objects.order_by("position").first()
    assert stage is not None
    deal = make(workspace, "deal", name="Robots", stage_id=stage.pk, company_id=first)
    sync(4)

    change(workspace, "deal", deal, company_id=second)
    sync(4)

    (made,) = seller.has("Opportunity")
    assert made["AccountId"] == remote("company", second)


def test_a_person_taken_in_is_tied_once_somebody_here_gives_them_a_company(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    only(hubspot, "contacts", "companies")
    company = make(workspace, "company", name="Fern", domain="fern.example.com")
    contact_id = person.make(email="ada@customer.example.org", firstname="Ada")
    pull.ask_pull(ObjectMapping.objects.get(remote_object="contacts"))
    sync(4)
    lead = Lead.objects.get(email="ada@customer.example.org")
    untouched = companies_of(person, contact_id)

    change(workspace, "lead", lead.pk, company_id=company)
    sync(4)

    assert remote("company", company) not in untouched
    assert remote("company", company) in companies_of(person, contact_id)


def test_what_was_changed_here_is_not_undone_by_a_comparison_before_it_left(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    lead, second = employed(workspace, hubspot)
    mapping = ObjectMapping.objects.get(remote_object="contacts")
    change(workspace, "lead", lead, company_id=second)

    runs.start(mapping, Run.Kind.RECONCILE)
    while runs.runs_due():
        pass
    compared = Lead.objects.get(pk=lead).company_id
    sync(4)

    assert compared == second
    assert Company.objects.count() == 2
    assert remote("company", second) in companies_of(person, remote("lead", lead))


def test_a_deal_that_was_moved_there_is_not_moved_back(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    only(hubspot, "contacts", "deals")
    first = make(workspace, "lead", email="ada@customer.example.org")
    second = make(workspace, "lead", email="bea@customer.example.org")
    stage = Stage.objects.order_by("position").first()
    assert stage is not None
    deal = make(workspace, "deal", name="Robots", lead_id=first, stage_id=stage.pk)
    sync(4)
    path = f"/crm/v4/objects/deals/{remote('deal', deal)}/associations"
    person.call("DELETE", f"{path}/contacts/{remote('lead', first)}")
    person.call("PUT", f"{path}/default/contacts/{remote('lead', second)}")
    mapping = ObjectMapping.objects.get(remote_object="deals")
    runs.start(mapping, Run.Kind.RECONCILE)
    sync(4)
    before = tie_calls(person.simulator)

    change(workspace, "deal", deal, name="More robots")
    sync(4)

    assert Deal.objects.get(pk=deal).lead_id == second
    assert tie_calls(person.simulator) == before

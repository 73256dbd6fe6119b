"""What is taken away or changed of a record's ties on one side follows on the other."""

from __future__ import annotations

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.queue import now
from integrations.models import Connection, FieldMapping, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import hints, pull, runs
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from integrations.tests.sync.test_main_ties import (
    change,
    make,
    remote,
    tie,
    tie_plainly,
    types_of,
)
from integrations.webhooks.base import Hint
from leads.models import Deal, Lead, Stage
from leads.services import removal
from leads.services.records import Origin

HERE = Origin("user", "1", "Ada Example")


def emptying() -> None:
    """Let what is taken away on one side be taken away on the other."""
    ObjectMapping.objects.update(clear_ties=True)


def compare(remote_object: str) -> Run:
    run = runs.start(
        ObjectMapping.objects.get(remote_object=remote_object), Run.Kind.RECONCILE
    )
    sync(2)
    run.refresh_from_db()
    return run


def poll(remote_object: str) -> None:
    pull.ask_pull(ObjectMapping.objects.get(remote_object=remote_object), soon=True)
    sync(2)


def tell_of_associations(connection: Connection, remote_object: str, one: str) -> None:
    """Let the CRM's own notice say that an association of a record changed."""
    hint = Hint(
        remote_object=remote_object,
        remote_id=one,
        kind="association",
        at=now(),
        other_id="1",
    )
    hints.take(connection, [(hint, "trace")])
    sync(1)


# --- HubSpot --------------------------------------------------------------------------


@pytest.fixture
def person(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    only(hubspot, "contacts", "companies")
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def employed(workspace: Workspace, person: HubSpotUser) -> tuple[int, int, int]:
    """A lead of the first of two companies, all of them in HubSpot."""
    first = make(workspace, "company", name="Fern", domain="fern.example.com")
    second = make(workspace, "company", name="Moss", domain="moss.example.com")
    lead = make(workspace, "lead", email="ada@customer.example.org", company_id=first)
    sync(3)
    return lead, first, second


def part(person: HubSpotUser, lead: int, company: int) -> None:
    ends = f"{remote('lead', lead)}/associations/companies/{remote('company', company)}"
    person.call("DELETE", f"/crm/v4/objects/contacts/{ends}")


def test_a_company_taken_away_there_is_taken_away_here(
    employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    part(person, *employed[:2])

    compare("contacts")

    assert Lead.objects.get().company_id is None


def test_it_is_taken_away_within_seconds_where_the_crm_tells(
    hubspot: Connection, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    part(person, *employed[:2])

    tell_of_associations(hubspot, "contacts", remote("lead", employed[0]))

    assert Lead.objects.get().company_id is None


def test_another_primary_company_comes_in_where_the_crm_tells(
    hubspot: Connection, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    tie(person, remote("lead", employed[0]), remote("company", employed[2]))

    tell_of_associations(hubspot, "contacts", remote("lead", employed[0]))

    assert Lead.objects.get().company_id == employed[2]


def test_a_company_taken_away_there_stays_here_where_blanks_do_not_travel(
    employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    part(person, *employed[:2])

    compare("contacts")

    assert Lead.objects.get().company_id == employed[1]


def test_a_company_that_a_contact_never_had_there_is_not_taken_away_here(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    person.make(email="bea@customer.example.org")
    poll("contacts")
    bea = Lead.objects.get(email="bea@customer.example.org")
    Lead.objects.filter(pk=bea.pk).update(company=employed[1])

    compare("contacts")

    bea.refresh_from_db()
    assert bea.company_id == employed[1]


def test_a_company_that_was_deleted_there_takes_nobody_with_it(
    employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    company = remote("company", employed[1])
    person.call("DELETE", f"/crm/v3/objects/companies/{company}")

    compare("contacts")

    assert Lead.objects.get().company_id == employed[1]


def test_what_came_in_and_was_taken_away_there_is_taken_away_here(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    contact = person.make(email="bea@customer.example.org")
    tie_plainly(person, contact, remote("company", employed[2]))
    poll("contacts")
    bea = Lead.objects.get(email="bea@customer.example.org")
    had = bea.company_id
    part(person, bea.pk, employed[2])

    compare("contacts")

    bea.refresh_from_db()
    assert (had, bea.company_id) == (employed[2], None)


def test_a_company_taken_away_here_is_taken_away_there(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    change(workspace, "lead", employed[0], company_id=None)

    sync(2)
    compare("contacts")

    assert types_of(person, remote("lead", employed[0])) == {}
    assert Lead.objects.get().company_id is None


def test_a_company_taken_away_here_stays_there_where_blanks_do_not_travel(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    change(workspace, "lead", employed[0], company_id=None)

    sync(2)

    company = remote("company", employed[1])
    assert types_of(person, remote("lead", employed[0])) == {company: [1, 279]}


def test_a_company_deleted_here_parts_nobody_from_it_there(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    company = remote("company", employed[1])
    removal.delete(workspace, "company", [employed[1]], origin=HERE)

    sync(2)

    assert types_of(person, remote("lead", employed[0])) == {company: [1, 279]}


def test_when_hubspot_shows_no_associations_at_all_a_person_is_asked(
    workspace: Workspace, employed: tuple[int, int, int], person: HubSpotUser
) -> None:
    emptying()
    people = [
        {"email": f"p{n}@customer.example.org", "company_id": employed[1]}
        for n in range(25)
    ]
    for one in people:
        make(workspace, "lead", **one)
    sync(3)
    for lead in Lead.objects.all():
        part(person, lead.pk, employed[1])

    run = compare("contacts")

    assert run.state == Run.State.STOPPED
    assert run.mass_change == Run.MassChange.CLEARS
    assert Lead.objects.filter(company=None).count() == 0


# --- Salesforce -----------------------------------------------------------------------


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    only(salesforce, "Account", "Contact", "Opportunity")
    return SalesforceUser(salesforce_simulator)


@pytest.fixture
def selling(workspace: Workspace, seller: SalesforceUser) -> tuple[int, int, int]:
    """A deal with the first of two companies, all of them in Salesforce."""
    first = make(workspace, "company", name="Fern", domain="fern.example.com")
    second = make(workspace, "company", name="Moss", domain="moss.example.com")
    stage = Stage.objects.order_by("position").first()
    assert stage is not None
    deal = make(workspace, "deal", name="Robots", stage_id=stage.pk, company_id=first)
    sync(3)
    poll("Opportunity")
    return deal, first, second


def test_a_poll_follows_an_account_that_was_changed(
    selling: tuple[int, int, int], seller: SalesforceUser
) -> None:
    moss = remote("company", selling[2])
    seller.edit("Opportunity", remote("deal", selling[0]), AccountId=moss)

    poll("Opportunity")

    assert Deal.objects.get().company_id == selling[2]


def test_a_poll_follows_an_account_that_was_taken_away(
    selling: tuple[int, int, int], seller: SalesforceUser
) -> None:
    emptying()
    seller.edit("Opportunity", remote("deal", selling[0]), AccountId="")

    poll("Opportunity")

    assert Deal.objects.get().company_id is None


def test_an_account_taken_away_here_is_taken_away_there(
    workspace: Workspace, selling: tuple[int, int, int], seller: SalesforceUser
) -> None:
    emptying()
    change(workspace, "deal", selling[0], company_id=None)

    sync(2)

    (made,) = seller.has("Opportunity")
    assert not made.get("AccountId")


def test_a_poll_asks_no_further_call_for_accounts(
    selling: tuple[int, int, int], seller: SalesforceUser
) -> None:
    seller.edit("Opportunity", remote("deal", selling[0]), Name="More robots")
    before = calls(seller.simulator)

    pull.ask_pull(ObjectMapping.objects.get(remote_object="Opportunity"), soon=True)
    pull.pull_due()

    assert calls(seller.simulator) - before == 1


def calls(simulator: RunningSimulator) -> int:
    return sum(one["count"] for one in simulator.stats()["routes"].values())


@pytest.mark.parametrize("mended_by", ["retry", "edit"])
def test_a_tie_to_what_failed_arrives_when_that_is_mended(
    workspace: Workspace,
    employed: tuple[int, int, int],
    person: HubSpotUser,
    mended_by: str,
) -> None:
    lead = employed[0]
    row = FieldMapping.objects.filter(source="name", mapping__record_type="company")
    row.update(values={"Fern": "Fern", "Reed Ltd": "Reed Ltd"})
    third = make(workspace, "company", name="Reed", domain="reed.example.com")
    sync(1)
    assert not Link.objects.filter(record_type="company", record_id=third).exists()
    change(workspace, "lead", lead, company_id=third)
    sync(1)
    assert len(types_of(person, remote("lead", lead))) == 1

    if mended_by == "retry":
        row.update(values={})
        queue.retry(
            WorkItem.objects.filter(state="parked").values_list("pk", flat=True)
        )
    else:
        change(workspace, "company", third, name="Reed Ltd")
    sync(2)

    assert remote("company", third) in types_of(person, remote("lead", lead))

"""HubSpot marks one of several companies as the primary one: that is the parent."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.models import Connection, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull, runs
from integrations.tests.sync.crm import HubSpotUser, only, sync
from leads.facts import Origin
from leads.models import Deal, Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
PRIMARY = {("contacts", "companies"): 1, ("deals", "companies"): 5}


def make(workspace: Workspace, record_type: str, **values: object) -> int:
    (made,) = records.create(workspace, record_type, [values], origin=HERE)
    return int(made.pk)


def change(workspace: Workspace, record_type: str, pk: int, **values: object) -> None:
    records.update(workspace, record_type, [Edit(pk, values)], origin=HERE)


def remote(record_type: str, record_id: int) -> str:
    return Link.objects.get(record_type=record_type, record_id=record_id).remote_id


def types_of(
    person: HubSpotUser, remote_id: str, near: str = "contacts"
) -> dict[str, list[int]]:
    """Return company id -> types of its association with a record, in order."""
    path = f"/crm/v4/objects/{near}/{remote_id}/associations/companies"
    return {
        one["toObjectId"]: sorted(kind["typeId"] for kind in one["associationTypes"])
        for one in person.call("GET", path)["results"]
    }


def tie(
    person: HubSpotUser,
    remote_id: str,
    company: str,
    *,
    near: str = "contacts",
    types: tuple[tuple[str, int], ...] = (),
) -> None:
    """Associate a record with a company, as the primary one unless types are given."""
    kinds = types or (("HUBSPOT_DEFINED", PRIMARY[near, "companies"]),)
    body = [
        {"associationCategory": category, "associationTypeId": number}
        for category, number in kinds
    ]
    path = f"/crm/v4/objects/{near}/{remote_id}/associations/companies/{company}"
    person.call("PUT", path, body)


def tie_plainly(person: HubSpotUser, remote_id: str, company: str) -> None:
    path = f"/crm/v4/objects/contacts/{remote_id}/associations/default/companies"
    person.call("PUT", f"{path}/{company}")


@pytest.fixture
def person(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    only(hubspot, "contacts", "companies", "deals")
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def companies(workspace: Workspace, person: HubSpotUser) -> tuple[int, int]:
    """Two companies that are in HubSpot, the older one first."""
    first = make(workspace, "company", name="Fern", domain="fern.example.com")
    second = make(workspace, "company", name="Moss", domain="moss.example.com")
    sync(2)
    return first, second


def read(remote_object: str) -> None:
    pull.ask_pull(ObjectMapping.objects.get(remote_object=remote_object), soon=True)
    sync(2)


def compare(remote_object: str) -> None:
    runs.start(
        ObjectMapping.objects.get(remote_object=remote_object), Run.Kind.RECONCILE
    )
    sync(2)


# --- reading --------------------------------------------------------------------------


def test_the_primary_of_several_companies_is_the_persons_company(
    companies: tuple[int, int], person: HubSpotUser
) -> None:
    contact = person.make(email="ada@customer.example.org")
    tie_plainly(person, contact, remote("company", companies[0]))
    tie(person, contact, remote("company", companies[1]))

    read("contacts")

    assert Lead.objects.get().company_id == companies[1]


def test_the_primary_of_several_companies_is_the_deals_company(
    companies: tuple[int, int], person: HubSpotUser
) -> None:
    made = person.call(
        "POST",
        "/crm/v3/objects/deals",
        {"properties": {"dealname": "Robots", "dealstage": "appointmentscheduled"}},
    )
    deal = str(made["id"])
    tie(person, deal, remote("company", companies[1]), near="deals")
    plain = (("HUBSPOT_DEFINED", 341),)
    first = remote("company", companies[0])
    tie(person, deal, first, near="deals", types=plain)

    read("deals")

    assert Deal.objects.get().company_id == companies[1]


def test_another_primary_company_is_followed_though_the_old_one_stays_tied(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    lead = make(
        workspace, "lead", email="ada@customer.example.org", company_id=companies[0]
    )
    sync(2)

    tie(person, remote("lead", lead), remote("company", companies[1]))
    compare("contacts")

    assert Lead.objects.get().company_id == companies[1]


def test_where_none_is_the_primary_ours_stays_if_it_is_among_them(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    lead = make(
        workspace, "lead", email="ada@customer.example.org", company_id=companies[1]
    )
    sync(2)
    contact = remote("lead", lead)
    for one in companies:
        plain = (("HUBSPOT_DEFINED", 279),)
        tie(person, contact, remote("company", one), types=plain)

    compare("contacts")

    assert Lead.objects.get().company_id == companies[1]


def test_where_none_is_the_primary_a_new_person_gets_the_oldest_company(
    companies: tuple[int, int], person: HubSpotUser
) -> None:
    contact = person.make(email="ada@customer.example.org")
    for one in reversed(companies):
        tie_plainly(person, contact, remote("company", one))

    read("contacts")

    assert Lead.objects.get().company_id == companies[0]


# --- writing --------------------------------------------------------------------------


def test_our_company_is_made_the_primary_one_of_a_new_contact_and_deal(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    lead = make(
        workspace, "lead", email="ada@customer.example.org", company_id=companies[0]
    )
    deal = make(workspace, "deal", name="Robots", lead_id=lead, company_id=companies[0])

    sync(4)

    company = remote("company", companies[0])
    assert types_of(person, remote("lead", lead)) == {company: [1, 279]}
    assert types_of(person, remote("deal", deal), "deals") == {company: [5, 341]}


def test_a_person_who_changes_companies_here_gets_that_as_the_primary_one(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    lead = make(
        workspace, "lead", email="ada@customer.example.org", company_id=companies[0]
    )
    sync(2)

    change(workspace, "lead", lead, company_id=companies[1])
    sync(3)
    compare("contacts")

    assert types_of(person, remote("lead", lead)) == {
        remote("company", companies[0]): [279],
        remote("company", companies[1]): [1, 279],
    }
    assert Lead.objects.get().company_id == companies[1]


def test_labels_that_people_gave_stay_when_a_company_becomes_the_primary_one(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    lead = make(
        workspace, "lead", email="ada@customer.example.org", company_id=companies[0]
    )
    sync(2)
    label = person.call(
        "POST",
        "/crm/v4/associations/contacts/companies/labels",
        {"name": "advises", "label": "Advises", "inverseLabel": "Advised by"},
    )["results"][0]["typeId"]
    second = remote("company", companies[1])
    tie(person, remote("lead", lead), second, types=(("USER_DEFINED", label),))

    change(workspace, "lead", lead, company_id=companies[1])
    sync(3)

    assert types_of(person, remote("lead", lead))[second] == sorted([1, 279, label])


def test_the_primary_company_of_a_contact_that_was_there_stays_it(
    workspace: Workspace, companies: tuple[int, int], person: HubSpotUser
) -> None:
    contact = person.make(email="ada@customer.example.org")
    tie(person, contact, remote("company", companies[1]))
    ObjectMapping.objects.filter(remote_object="contacts").update(direction="push")

    make(workspace, "lead", email="ada@customer.example.org", company_id=companies[0])
    sync(3)

    assert types_of(person, contact) == {
        remote("company", companies[0]): [279],
        remote("company", companies[1]): [1, 279],
    }

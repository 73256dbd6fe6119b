"""A person says who a held record is: linked, merged, or kept apart for good."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.roles import Role
from crmsync.core.testing import api_client, make_user, make_workspace
from integrations.models import Connection, KeptApart, Link, ObjectMapping, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import (
    HubSpotUser,
    SalesforceUser,
    make_due,
    only,
    sync,
)
from integrations.tests.sync.trio import HERE
from leads.facts import Origin
from leads.models import Company, Lead, Merge
from leads.services import merging, records, unmerging
from leads.services.records import Edit

EMAIL = "ada@customer.example.org"


@pytest.fixture
def contacts(workspace: Workspace, hubspot: Connection) -> ObjectMapping:
    (mapping,) = only(hubspot, "contacts")
    pull.ask_pull(mapping)
    sync(1)
    return mapping


@pytest.fixture
def marketer(hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def seller(salesforce_simulator: RunningSimulator) -> SalesforceUser:
    return SalesforceUser(salesforce_simulator)


@pytest.fixture
def ops(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_user(workspace, Role.SALES_OPS))
    return client


def make_lead(workspace: Workspace, **values: str) -> Lead:
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    return Lead.objects.get(pk=made.pk)


def edit(workspace: Workspace, lead: Lead, **values: object) -> None:
    records.update(workspace, "lead", [Edit(lead.pk, values)], origin=HERE)


def held() -> WorkItem:
    return WorkItem.objects.get(state=State.PARKED)


def decide(client: Client, choice: str, candidate: str = "") -> str:
    """Post a decision about the one row that is held; return what the page says."""
    url = reverse("issue-decide", args=[held().pk])
    body = {"choice": choice, "candidate": candidate}
    return client.post(url, body, follow=True).content.decode()


def remote_of(lead: Lead) -> list[str]:
    rows = Link.objects.filter(record_id=lead.pk, state=Link.State.LINKED)
    return list(rows.values_list("remote_id", flat=True))


def two_keys(workspace: Workspace, marketer: HubSpotUser) -> tuple[Lead, Lead, str]:
    """Make two leads and a contact that has the e-mail of one, the profile of other."""
    first = make_lead(workspace, email=EMAIL, first_name="Ada", last_name="Mail")
    second = make_lead(workspace, linkedin_id="ada-example", first_name="Profile")
    WorkItem.objects.filter(kind="push").delete()
    there = marketer.make(
        email=EMAIL,
        hs_linkedin_url="https://www.linkedin.com/in/ada-example",
        city="Rome",
    )
    sync(2)
    return first, second, there


# --- what comes in and may be any of several ------------------------------------------


def test_a_contact_that_may_be_either_of_two_names_both_and_offers_each(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    first, second, _ = two_keys(workspace, marketer)

    assert held().error_class == "ambiguous"
    assert str(first) in held().error
    assert str(second) in held().error
    page = ops.get(reverse("issue-decide", args=[held().pk])).content.decode()
    assert f"here:{first.pk}" in page
    assert f"here:{second.pk}" in page
    assert "Rome" in page
    listed = ops.get(reverse("errors")).content.decode()
    assert ">Decide<" in listed


def test_it_is_linked_to_the_one_that_was_chosen_and_comes_in(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    _, second, there = two_keys(workspace, marketer)

    decide(ops, "link", f"here:{second.pk}")
    sync()

    second.refresh_from_db()
    assert remote_of(second) == [there]
    assert second.city == "Rome"
    # The e-mail is another lead's: that alone stays out, and is told.
    assert (held().error_class, held().error_field) == ("held", "email")
    entry = AuditEntry.objects.get(action="pair.linked")
    assert entry.details["remote_id"] == there
    assert "by hand" in SyncEntry.objects.get(message__contains="hand").message


def test_the_two_are_made_one_here_which_can_be_taken_back(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    first, second, there = two_keys(workspace, marketer)

    decide(ops, "merge", f"here:{first.pk}")
    sync()

    assert list(Lead.objects.values_list("pk", flat=True)) == [first.pk]
    assert remote_of(first) == [there]
    merge = Merge.objects.get()
    assert (merge.winner_id, merge.loser_id) == (first.pk, second.pk)
    assert AuditEntry.objects.filter(action="pair.merged").exists()
    unmerging.undo(merge, origin=HERE)
    assert Lead.objects.count() == 2


def test_a_merge_made_elsewhere_lets_the_contact_come_in(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    first, second, there = two_keys(workspace, marketer)

    merging.merge(
        workspace,
        "lead",
        winner_id=first.pk,
        loser_id=second.pk,
        origin=Origin("user"),
    )
    sync(2)

    assert not WorkItem.objects.filter(state=State.PARKED).exists()
    assert remote_of(first) == [there]
    assert Lead.objects.get().city == "Rome"


def test_what_is_kept_apart_stays_out_and_is_never_asked_again(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    _first, _second, there = two_keys(workspace, marketer)

    decide(ops, "apart")
    sync()
    marketer.edit(there, city="Bologna")
    sync()

    assert not Link.objects.exists()
    assert Lead.objects.count() == 2
    assert not WorkItem.objects.filter(state=State.PARKED).exists()
    assert KeptApart.objects.filter(remote_id=there).count() == 2


def test_a_decision_comes_once_and_a_second_one_too_late(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    first, second, there = two_keys(workspace, marketer)
    url = reverse("issue-decide", args=[held().pk])
    body = {"choice": "link", "candidate": f"here:{first.pk}"}

    ops.post(url, body)
    again = ops.post(url, {**body, "candidate": f"here:{second.pk}"}, follow=True)
    sync()

    assert "settled already" in again.content.decode()
    assert remote_of(first) == [there]
    assert AuditEntry.objects.filter(action__startswith="pair.").count() == 1


# --- what goes out and is another record there ----------------------------------------


def second_email(workspace: Workspace, marketer: HubSpotUser) -> tuple[Lead, Lead, str]:
    """Return the lead of a contact, and a lead with its additional e-mail."""
    first = marketer.make(email="main@customer.example.org", lastname="Main")
    kept = marketer.merge(first, marketer.make(email=EMAIL, lastname="Second"))
    sync()
    owner = Lead.objects.get()
    lead = make_lead(workspace, email=EMAIL, last_name="Ours", city="Kiel")
    sync(1)
    return owner, lead, kept


def test_a_lead_that_is_a_contact_of_another_is_merged_into_that(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    owner, _lead, kept = second_email(workspace, marketer)
    assert held().error_code == "ALREADY_LINKED"
    assert str(owner) in held().error

    page = ops.get(reverse("issue-decide", args=[held().pk])).content.decode()
    decide(ops, "merge", f"there:contacts:{kept}")
    sync()

    assert f"Merge into {owner}" in page
    assert list(Lead.objects.values_list("pk", "city")) == [(owner.pk, "Kiel")]
    assert marketer.sees(kept, "city") == {"city": "Kiel"}
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_a_lead_that_is_kept_apart_goes_nowhere_until_it_has_its_own_email(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    _, lead, kept = second_email(workspace, marketer)

    decide(ops, "apart")
    sync()
    edit(workspace, lead, city="Lübeck")
    sync()
    assert not WorkItem.objects.filter(state=State.PARKED).exists()
    assert remote_of(lead) == []
    edit(workspace, lead, email="own@customer.example.org")
    sync()

    (own,) = remote_of(lead)
    assert own != kept
    assert marketer.sees(own, "city") == {"city": "Lübeck"}


def taken_email(workspace: Workspace, marketer: HubSpotUser) -> tuple[Lead, str, str]:
    """Let a linked lead want the e-mail of a contact that nobody here knows."""
    lead = make_lead(workspace, email=EMAIL, first_name="Ada", last_name="Ours")
    sync()
    (mine,) = remote_of(lead)
    other = marketer.make(email="taken@customer.example.org", city="Rome")
    edit(workspace, lead, email="taken@customer.example.org", job_title="Boss")
    make_due()
    while push_due():
        pass
    return lead, mine, other


def test_a_linked_lead_is_linked_to_the_contact_that_has_its_email(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    lead, mine, other = taken_email(workspace, marketer)
    assert held().error_class == "duplicate"

    decide(ops, "link", f"there:contacts:{other}")
    sync()
    marketer.edit(mine, city="Pisa")
    sync()

    lead.refresh_from_db()
    assert remote_of(lead) == [other]
    assert marketer.sees(other, "jobtitle") == {"jobtitle": "Boss"}
    assert lead.city == "Rome"
    assert Lead.objects.count() == 1
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_a_linked_lead_that_is_kept_apart_sends_all_but_the_shared_value(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    lead, mine, _other = taken_email(workspace, marketer)

    decide(ops, "apart")
    sync()
    edit(workspace, lead, city="Kiel")
    sync()

    assert remote_of(lead) == [mine]
    seen = marketer.sees(mine, "email", "jobtitle", "city")
    assert seen == {"email": EMAIL, "jobtitle": "Boss", "city": "Kiel"}
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_what_was_kept_apart_can_be_asked_again(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser, ops: Client
) -> None:
    _owner, lead, _kept = second_email(workspace, marketer)
    decide(ops, "apart")
    sync()
    apart = KeptApart.objects.get()
    page = ops.get(lead.get_absolute_url()).content.decode()
    forget = reverse("kept-apart-forget", args=[apart.pk])

    ops.post(forget, {"next": lead.get_absolute_url()})
    sync()

    assert forget in page
    assert held().error_code == "ALREADY_LINKED"
    assert AuditEntry.objects.filter(action="pair.asked_again").exists()


def test_the_api_compares_decides_and_takes_back(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    owner, lead, kept = second_email(workspace, marketer)
    client = api_client(workspace, Role.SALES_OPS)
    row = f"/api/v1/sync/rows/{held().pk}"

    compared = client.get(f"{row}/candidates/").json()
    refused = client.post(
        f"{row}/decide/", {"choice": "link", "candidate": "x"}, format="json"
    )
    done = client.post(f"{row}/decide/", {"choice": "apart"}, format="json")
    late = client.post(f"{row}/decide/", {"choice": "apart"}, format="json")
    sync()
    (pair,) = client.get("/api/v1/kept-apart/").json()["results"]
    gone = client.delete(f"/api/v1/kept-apart/{pair['id']}/")

    assert compared["subject"]["name"] == str(lead)
    (candidate,) = compared["candidates"]
    assert candidate["key"] == f"there:contacts:{kept}"
    assert (candidate["record_id"], candidate["linked"]) == (owner.pk, str(owner))
    assert candidate["can"] == ["apart", "merge"]
    assert {"name": "Last name", "value": "Main", "same": False} in candidate["facts"]
    statuses = [one.status_code for one in (refused, done, late, gone)]
    assert statuses == [400, 202, 409, 204]
    assert (pair["record_id"], pair["remote_id"]) == (lead.pk, kept)
    assert not KeptApart.objects.exists()


def test_a_row_of_another_workspace_is_not_there_and_a_rep_may_not_decide(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    second_email(workspace, marketer)
    stranger = Client()
    stranger.force_login(make_user(make_workspace(name="Elsewhere"), Role.ADMIN))

    rep = Client()
    rep.force_login(make_user(workspace, Role.REP))
    url = reverse("issue-decide", args=[held().pk])

    answers = [one.post(url, {"choice": "apart"}) for one in (stranger, rep)]

    assert [one.status_code for one in answers] == [404, 403]
    assert not KeptApart.objects.exists()


# --- Salesforce -----------------------------------------------------------------------


def test_of_several_leads_with_one_email_the_chosen_one_is_linked(
    workspace: Workspace, salesforce: Connection, seller: SalesforceUser, ops: Client
) -> None:
    only(salesforce, "Lead")
    given = {"LastName": "Twin", "Company": "Fern", "Email": EMAIL}
    twins = [seller.make("Lead", **given) for _ in range(2)]
    lead = make_lead(workspace, email=EMAIL, last_name="Twin", city="Kiel")
    sync(1)
    assert held().error_class == "ambiguous"

    page = ops.get(reverse("issue-decide", args=[held().pk])).content.decode()
    decide(ops, "link", f"there:Lead:{twins[1]}")
    sync()

    assert all(one in page for one in twins)
    assert remote_of(lead) == [twins[1]]
    there = {one["Id"]: one.get("City") for one in seller.has("Lead")}
    assert there == {twins[0]: None, twins[1]: "Kiel"}
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_companies_of_one_name_are_chosen_from(
    workspace: Workspace, hubspot: Connection, marketer: HubSpotUser, ops: Client
) -> None:
    (mapping,) = only(hubspot, "companies")
    pull.ask_pull(mapping)
    sync(1)
    rows = [{"name": "Fern", "country": "Italy"} for _ in range(2)]
    made = records.create(workspace, "company", rows, origin=HERE)
    WorkItem.objects.filter(kind="push").delete()
    body = {"properties": {"name": "Fern", "country": "Italy", "city": "Turin"}}
    there = marketer.call("POST", "/crm/v3/objects/companies", body)["id"]
    pull.ask_pull(mapping, soon=True)
    sync(2)

    decide(ops, "link", f"here:{made[1].pk}")
    sync()

    assert Company.objects.get(pk=made[1].pk).city == "Turin"
    assert Link.objects.get(remote_id=there).record_id == made[1].pk

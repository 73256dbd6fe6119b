"""Who opted out stays out, until somebody lets them in again by an act of their own."""

from __future__ import annotations

import time

import pytest

from integrations.models import FieldMapping, Link, ObjectMapping, Run
from integrations.sync import pull, runs
from integrations.sync.runs import runs_due
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, sync
from integrations.tests.sync.fields import add_field
from integrations.tests.sync.trio import HERE, Trio
from leads.models import Lead
from leads.services import merging, records
from leads.services.records import Edit

EMAIL = "ada@customer.example.org"


@pytest.fixture
def trio(trio: Trio) -> Trio:
    add_field(trio, "optout", "bool", rule="restrictive")
    return trio


@pytest.fixture
def marketer(trio: Trio) -> HubSpotUser:
    return HubSpotUser(trio.hubspot)


@pytest.fixture
def seller(trio: Trio) -> SalesforceUser:
    return SalesforceUser(trio.salesforce)


def next_second() -> None:
    """Wait until what happens now has another stamp, where those are whole seconds."""
    time.sleep(1.1)


def only_sends(trio: Trio) -> None:
    """Let HubSpot only be sent to; Salesforce has no part in it."""
    rows = ObjectMapping.objects
    rows.filter(pk=trio.mappings["hubspot"].pk).update(direction="push")
    rows.filter(pk=trio.mappings["salesforce"].pk).update(active=False)


def person(trio: Trio, *, out: bool | None, email: str = EMAIL) -> int:
    custom = {} if out is None else {"custom": {"optout": out}}
    values = {"email": email, "last_name": "Example", "company_name": "Fern", **custom}
    (made,) = records.create(trio.workspace, "lead", [values], origin=HERE)
    rest(trio)
    return int(made.pk)


def rest(trio: Trio) -> None:
    for mapping in ObjectMapping.objects.filter(active=True).exclude(direction="push"):
        pull.ask_pull(mapping, soon=True)
    sync(4)


def say(trio: Trio, lead: int, *, out: bool, **more: object) -> None:
    edit = Edit(lead, {"custom": {"optout": out}, **more})
    records.update(trio.workspace, "lead", [edit], origin=HERE)


def contact_of(lead: int) -> str:
    return Link.objects.get(record_id=lead, remote_object="contacts").remote_id


def lead_of(lead: int) -> str:
    return Link.objects.get(record_id=lead, remote_object="Lead").remote_id


def here(lead: int) -> object:
    return Lead.objects.get(pk=lead).custom.get("optout")


def everywhere(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser, lead: int
) -> list[str]:
    """Return what the three say."""
    there = {one["Id"]: one for one in seller.has("Lead")}
    return [
        str(here(lead)),
        str(marketer.sees(contact_of(lead), "optout")["optout"]).capitalize(),
        str(there[lead_of(lead)].get("Optout__c")),
    ]


# --- an act of somebody's own ---------------------------------------------------------


@pytest.mark.parametrize("where", ["hub", "hubspot", "salesforce"])
def test_who_lets_them_in_again_later_does_so_everywhere(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser, where: str
) -> None:
    lead = person(trio, out=True)
    before = everywhere(trio, marketer, seller, lead)

    if where == "hub":
        say(trio, lead, out=False)
    elif where == "hubspot":
        marketer.edit(contact_of(lead), optout="false")
    else:
        next_second()
        seller.edit("Lead", lead_of(lead), Optout__c=False)  # type: ignore[arg-type]
    rest(trio)

    assert before == ["True", "True", "True"]
    assert everywhere(trio, marketer, seller, lead) == ["False", "False", "False"]


def test_what_may_have_been_before_the_opt_out_is_put_back(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    lead = person(trio, out=True)
    seller.edit("Lead", lead_of(lead), Optout__c=False)  # type: ignore[arg-type]
    # As within one second, which is all that the vendor's stamps tell apart.
    stamp = seller.simulator.dump("Lead")[0]["updatedAt"]
    Link.objects.filter(remote_object="Lead").update(remote_version=stamp)
    rest(trio)

    assert everywhere(trio, marketer, seller, lead) == ["True", "True", "True"]


@pytest.mark.parametrize("where", ["hubspot", "salesforce"])
def test_out_here_and_in_there_at_the_same_time_is_out(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser, where: str
) -> None:
    lead = person(trio, out=None)
    say(trio, lead, out=True)
    if where == "hubspot":
        marketer.edit(contact_of(lead), optout="false")
    else:
        seller.edit("Lead", lead_of(lead), Optout__c=False)  # type: ignore[arg-type]
    rest(trio)

    assert everywhere(trio, marketer, seller, lead) == ["True", "True", "True"]


# --- what is no such act --------------------------------------------------------------


@pytest.mark.parametrize("clears", [True, False])
def test_emptying_the_field_lets_nobody_in(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser, clears: bool
) -> None:
    FieldMapping.objects.update(clear_blanks=clears)
    lead = person(trio, out=True)

    marketer.edit(contact_of(lead), optout="")
    rest(trio)

    assert everywhere(trio, marketer, seller, lead) == ["True", "True", "True"]


def test_a_mapping_that_only_sends_lets_nobody_in_who_is_there_already(
    trio: Trio, marketer: HubSpotUser
) -> None:
    only_sends(trio)
    contact = marketer.make(email=EMAIL, lastname="Example", optout="true")

    person(trio, out=False)

    assert marketer.sees(contact, "optout", "company") == {
        "optout": "true",
        "company": "Fern",
    }


def test_a_mapping_that_only_sends_lets_nobody_in_who_opted_out_there_since(
    trio: Trio, marketer: HubSpotUser
) -> None:
    only_sends(trio)
    lead = person(trio, out=None)
    marketer.edit(contact_of(lead), optout="true")

    say(trio, lead, out=False, city="Lyon")
    rest(trio)

    assert marketer.sees(contact_of(lead), "optout", "city") == {
        "optout": "true",
        "city": "Lyon",
    }


def test_what_was_altered_without_a_word_lets_nobody_in(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    lead = person(trio, out=True)
    row = {"object": "contacts", "id": contact_of(lead), "silent": True}
    trio.hubspot.seed([{**row, "properties": {"optout": "false"}}])

    runs.start(trio.mappings["hubspot"], Run.Kind.AUDIT)
    runs_due()
    rest(trio)

    assert everywhere(trio, marketer, seller, lead) == ["True", "True", "True"]


def test_taking_a_run_back_lets_nobody_in(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    lead = person(trio, out=False)
    Link.objects.filter(remote_object="contacts").update(pulled_at=None)
    marketer.edit(contact_of(lead), optout="true", city="Lyon")
    run = runs.start(trio.mappings["hubspot"], Run.Kind.RECONCILE)
    while runs_due():
        pass
    rest(trio)

    runs.start(trio.mappings["hubspot"], Run.Kind.REVERT, options={"run": run.pk})
    while runs_due():
        pass
    rest(trio)

    assert Lead.objects.get(pk=lead).city == ""
    assert everywhere(trio, marketer, seller, lead) == ["True", "True", "True"]


@pytest.mark.parametrize("winner_is_out", [True, False])
def test_two_who_become_one_are_out_when_one_of_them_was(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser, winner_is_out: bool
) -> None:
    winner = person(trio, out=winner_is_out)
    loser = person(trio, out=not winner_is_out, email="bea@customer.example.org")

    merging.merge(trio.workspace, "lead", winner_id=winner, loser_id=loser, origin=HERE)
    rest(trio)

    assert everywhere(trio, marketer, seller, winner) == ["True", "True", "True"]


def test_two_who_become_one_in_hubspot_are_out_when_one_of_them_was(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    kept = person(trio, out=False)
    lost = person(trio, out=True, email="bea@customer.example.org")
    marketer.merge(contact_of(kept), contact_of(lost))

    rest(trio)
    ObjectMapping.objects.get(remote_object="contacts").cursor.delete()
    rest(trio)

    (left,) = Lead.objects.all()
    assert everywhere(trio, marketer, seller, left.pk) == ["True", "True", "True"]

"""Records that were merged in a CRM before we read of it, and are edited here."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from integrations.models import (
    Connection,
    Cursor,
    FieldMapping,
    Link,
    LinkAlias,
    ObjectMapping,
)
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from integrations.tests.sync.trio import HERE, Trio
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

pytestmark = pytest.mark.django_db


@pytest.fixture
def contacts(workspace: Workspace, hubspot: Connection) -> ObjectMapping:
    return only(hubspot, "contacts")[0]


@pytest.fixture
def marketer(hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def pair(marketer: HubSpotUser, mapping: ObjectMapping) -> tuple[str, str]:
    """Make two contacts that are linked to leads here; return their ids."""
    first = marketer.make(email="a@customer.example.org", lastname="A")
    second = marketer.make(email="b@customer.example.org", lastname="B")
    pull.ask_pull(mapping)
    sync()
    return first, second


def give_city(workspace: Workspace, email: str, city: str) -> None:
    lead = Lead.objects.get(email=email)
    records.update(workspace, "lead", [Edit(lead.pk, {"city": city})], origin=HERE)


def push_only() -> None:
    """Push and read nothing, so that the merge is not known yet."""
    WorkItem.objects.exclude(kind="push").delete()
    while push_due():
        pass


def test_an_edit_of_the_loser_of_a_merge_reaches_the_winner(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    first, second = pair(marketer, contacts)
    kept = marketer.merge(first, second)

    give_city(workspace, "b@customer.example.org", "Bonn")
    push_only()
    sync(2)

    assert Lead.objects.get().city == "Bonn"
    assert Link.objects.get().remote_id == kept
    assert Link.objects.get().state == Link.State.LINKED
    assert LinkAlias.objects.filter(remote_id=second).exists()
    assert marketer.sees(kept, "city") == {"city": "Bonn"}
    assert not WorkItem.objects.exclude(error="").exists()


def test_a_lead_follows_its_contact_into_one_that_is_not_linked(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    _, second = pair(marketer, contacts)
    stranger = marketer.make(email="c@customer.example.org", lastname="C")
    kept = marketer.merge(stranger, second)

    give_city(workspace, "b@customer.example.org", "Bonn")
    push_only()

    link = Link.objects.get(record_id=Lead.objects.get(city="Bonn").pk)
    assert (link.remote_id, link.state) == (kept, Link.State.LINKED)
    assert marketer.sees(kept, "city") == {"city": "Bonn"}


def test_an_edit_of_a_lead_that_lost_in_salesforce_reaches_the_winner(
    trio: Trio,
) -> None:
    trio.populate(2)
    kept, lost = trio.ids["salesforce"]
    SalesforceUser(trio.salesforce).merge("Lead", kept, lost)

    trio.edit("hub", {1: {"city": "Bonn"}})
    trio.push("salesforce")
    Cursor.objects.update(gone_up_to=None)
    trio.rest()

    assert Lead.objects.count() == 1
    link = Link.objects.get(remote_object="Lead")
    assert (link.remote_id, link.state) == (kept, Link.State.LINKED)
    assert not WorkItem.objects.exclude(error="").exists()


@pytest.mark.parametrize("remote_object", ["contacts", "Lead"])
def test_a_loser_that_is_written_unread_is_asked_about_before_it_counts_as_deleted(
    trio: Trio, remote_object: str
) -> None:
    trio.populate(2)
    mapping = ObjectMapping.objects.get(remote_object=remote_object, active=True)
    FieldMapping.objects.filter(mapping=mapping).update(rule="hub", direction="push")
    if remote_object == "Lead":
        kept, lost = trio.ids["salesforce"]
        SalesforceUser(trio.salesforce).merge("Lead", kept, lost)
    else:
        kept = HubSpotUser(trio.hubspot).merge(*trio.ids["hubspot"])

    trio.edit("hub", {1: {"city": "Bonn"}})
    push_only()

    link = Link.objects.get(remote_object=remote_object)
    assert (link.remote_id, link.state) == (kept, Link.State.LINKED)
    assert Lead.objects.count() == 1


def test_a_link_that_was_taken_for_deleted_follows_a_merge_read_later(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    first, second = pair(marketer, contacts)
    Link.objects.filter(remote_id=second).update(state=Link.State.DELETED)
    kept = marketer.merge(first, second)

    pull.ask_pull(contacts, soon=True)
    sync(2)

    assert Lead.objects.count() == 1
    assert Link.objects.get().remote_id == kept


@pytest.mark.parametrize("known", ["here", "nowhere"])
def test_a_merge_notice_heals_a_link_that_was_taken_for_deleted(
    salesforce: Connection, salesforce_simulator: RunningSimulator, known: str
) -> None:
    [mapping] = only(salesforce, "Lead")
    pull.ask_pull(mapping)
    sync(1)
    crm = SalesforceUser(salesforce_simulator)
    kept = crm.make("Lead", LastName="A", Company="C", Email="a@customer.example.org")
    lost = crm.make("Lead", LastName="B", Company="C", Email="b@customer.example.org")
    sync(2)
    at = timezone.now()
    rows = Link.objects.filter(remote_id=lost)
    rows.update(state=Link.State.DELETED, gone_at=at)
    if known == "nowhere":
        Link.objects.filter(remote_id=kept).delete()
    crm.merge("Lead", kept, lost)

    Cursor.objects.update(gone_up_to=None)
    pull.ask_pull(mapping, soon=True)
    sync(1)

    link = Link.objects.get()
    assert (link.remote_id, link.state, link.gone_at) == (kept, Link.State.LINKED, None)
    assert LinkAlias.objects.filter(link=link, remote_id=lost).exists()


def test_a_deletion_that_a_push_met_first_follows_the_policy_once_it_is_named(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    contacts.deletes = ObjectMapping.Deletes.PROPAGATE
    contacts.save()
    first, _ = pair(marketer, contacts)
    FieldMapping.objects.filter(mapping=contacts).update(rule="hub", direction="push")
    marketer.delete(first)
    give_city(workspace, "a@customer.example.org", "Bonn")
    push_only()
    assert Link.objects.get(remote_id=first).state == Link.State.DELETED

    Cursor.objects.update(gone_up_to=None)
    pull.ask_pull(contacts, soon=True)
    sync(1)

    assert Link.objects.get(remote_id=first).gone_at is not None

"""What changes around the records: fields that go, ties, merges here, conversions."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, FieldMapping, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import fetches, hints, plans, runs
from integrations.sync.push import push_due
from integrations.tests.sync.crm import (
    HubSpotUser,
    SalesforceUser,
    make_due,
    only,
    sync,
)
from integrations.webhooks.base import Hint
from leads.facts import Origin
from leads.models import Deal, Lead, Stage
from leads.services import merging, records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


def make_lead(workspace: Workspace, **values: object) -> Lead:
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    assert isinstance(made, Lead)
    return made


@pytest.fixture
def person(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def test_a_field_that_is_gone_there_takes_its_row_out_of_use_and_no_more(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    (mapping,) = only(hubspot, "contacts")
    person.call(
        "POST",
        "/crm/v3/properties/contacts",
        {
            "name": "shoe_size",
            "label": "Shoe size",
            "type": "string",
            "fieldType": "text",
            "groupName": "contactinformation",
        },
    )
    from integrations.services.setup import set_up_due
    from integrations.sync.asking_setup import queue_setup

    queue_setup(hubspot)
    set_up_due()
    FieldMapping.objects.create(
        mapping=mapping, position=90, source="source", destination="shoe_size"
    )
    lead = make_lead(workspace, email="ada@customer.example.org", source="fair")
    sync()
    person.call("DELETE", "/crm/v3/properties/contacts/shoe_size")
    edit = Edit(lead.pk, {"city": "Lyon", "source": "web"})
    records.update(workspace, "lead", [edit], origin=HERE)

    sync()

    remote_id = Link.objects.get().remote_id
    assert person.sees(remote_id, "city") == {"city": "Lyon"}
    row = FieldMapping.objects.get(destination="shoe_size")
    assert row.suspended_because
    from crmsync.core.models import WorkItem

    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_people_merged_here_keep_one_contact_and_lose_none(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    only(hubspot, "contacts")
    kept = make_lead(workspace, email="ada@customer.example.org")
    lost = make_lead(workspace, email="bea@customer.example.org")
    sync()

    merging.merge(workspace, "lead", winner_id=kept.pk, loser_id=lost.pk, origin=HERE)
    sync()

    links = {one.record_id: one.state for one in Link.objects.all()}
    assert links == {kept.pk: Link.State.LINKED, lost.pk: Link.State.UNLINKED}
    assert len(person.simulator.dump("contacts")) == 2


def test_a_tie_that_changes_there_is_found_by_a_full_comparison(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    only(hubspot, "contacts", "deals")
    first = make_lead(workspace, email="ada@customer.example.org")
    second = make_lead(workspace, email="bea@customer.example.org")
    stage = Stage.objects.order_by("position").first()
    assert stage is not None
    (deal,) = records.create(
        workspace,
        "deal",
        [{"name": "Robots", "lead_id": first.pk, "stage_id": stage.pk}],
        origin=HERE,
    )
    sync(4)
    ids = {
        one.record_id: one.remote_id for one in Link.objects.filter(record_type="lead")
    }
    deal_id = Link.objects.get(record_type="deal").remote_id
    path = f"/crm/v4/objects/deals/{deal_id}/associations"
    person.call("DELETE", f"{path}/contacts/{ids[first.pk]}")
    person.call(
        "PUT",
        f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{ids[second.pk]}",
    )

    mapping = ObjectMapping.objects.get(remote_object="deals")
    run = runs.start(mapping, Run.Kind.RECONCILE)
    sync(4)

    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert Deal.objects.get(pk=deal.pk).lead_id == second.pk


def test_a_hint_of_a_changed_tie_brings_it(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    only(hubspot, "companies", "contacts")
    first, second = records.create(
        workspace,
        "company",
        [
            {"name": "Acme", "domain": "acme.example.com"},
            {"name": "Globex", "domain": "globex.example.com"},
        ],
        origin=HERE,
    )
    lead = make_lead(workspace, email="ada@customer.example.org", company_id=first.pk)
    sync(4)
    ids = {
        one.record_id: one.remote_id
        for one in Link.objects.filter(record_type="company")
    }
    contact_id = Link.objects.get(record_type="lead").remote_id
    path = f"/crm/v4/objects/contacts/{contact_id}/associations"
    person.call("DELETE", f"{path}/companies/{ids[first.pk]}")
    person.call("PUT", f"{path}/default/companies/{ids[second.pk]}")
    hint = Hint("contacts", contact_id, "association", other_id=ids[second.pk])

    hints.take(hubspot, [(hint, "trace-1")])
    fetches.fetch_due()

    lead.refresh_from_db()
    assert lead.company_id == second.pk


def test_a_push_that_meets_a_converted_lead_follows_it(
    workspace: Workspace, salesforce: Connection, salesforce_simulator: RunningSimulator
) -> None:
    seller = SalesforceUser(salesforce_simulator)
    only(salesforce, "Lead", "Contact")
    ObjectMapping.objects.filter(remote_object="Lead").update(direction="push")
    ObjectMapping.objects.filter(remote_object="Contact").update(direction="push")
    lead = make_lead(workspace, email="ada@customer.example.org", last_name="Example")
    sync()
    lead_id = Link.objects.get(remote_object="Lead").remote_id
    made = seller.convert(lead_id, opportunity=False)
    edit = Edit(lead.pk, {"job_title": "Head of Sales"})
    records.update(workspace, "lead", [edit], origin=HERE)

    for _ in range(4):
        make_due()
        push_due()

    assert Link.objects.get(record_id=lead.pk).remote_id == made["contact_id"]
    (contact,) = seller.has("Contact")
    assert contact["Title"] == "Head of Sales"


def test_deletions_wait_in_quarantine_before_they_are_carried_over(
    workspace: Workspace, hubspot: Connection, person: HubSpotUser
) -> None:
    from datetime import timedelta

    from crmsync.core import queue
    from integrations.models import Cursor

    (mapping,) = only(hubspot, "contacts")
    mapping.deletes = ObjectMapping.Deletes.PROPAGATE
    mapping.save()
    make_lead(workspace, email="ada@customer.example.org")
    plans.ask_due()
    sync()
    person.delete(Link.objects.get().remote_id)
    Cursor.objects.update(gone_up_to=None)
    sync()

    at_once = Lead.objects.count()
    Link.objects.update(gone_at=queue.now() - timedelta(days=8))
    # What was deleted is asked for now and then, and late deletions are looked at then.
    Cursor.objects.update(gone_up_to=None)
    plans.ask_due()
    sync()

    assert at_once == 1
    assert Lead.objects.count() == 0
    assert not Link.objects.exists()

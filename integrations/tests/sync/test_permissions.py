"""What a CRM does not allow: only that field waits, and what is missing is told."""

from __future__ import annotations

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, FieldMapping, SyncEntry
from integrations.sentences import told
from integrations.simulators.testing import RunningSimulator
from integrations.tests.sync.crm import SalesforceUser, only, sync
from integrations.tests.sync.test_main_ties import change, make
from integrations.tests.sync.trio import HERE
from leads.services import records


def test_fields_that_may_not_be_written_wait_and_the_rest_is_sent(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    only(salesforce, "Lead")
    salesforce_simulator.configure(readonly_fields="Lead.City,Lead.Country")
    rows = [
        {"email": f"p{n}@x.example.org", "last_name": f"P{n}", "city": "Ulm",
         "country": "Chad"}
        for n in range(3)
    ]  # fmt: skip
    records.create(workspace, "lead", rows, origin=HERE)

    sync(4)

    there = SalesforceUser(salesforce_simulator).has("Lead")
    assert sorted(one["LastName"] for one in there) == ["P0", "P1", "P2"]
    assert not any(one.get("City") or one.get("Country") for one in there)
    waiting = FieldMapping.objects.exclude(suspended_because="")
    why = dict(waiting.values_list("destination", "suspended_because"))
    assert set(why) == {"City", "Country"}
    assert "security settings" in why["City"]
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_an_edit_of_a_field_that_may_not_be_written_costs_the_other_edits_nothing(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    only(salesforce, "Lead")
    lead = make(workspace, "lead", email="p@x.example.org", last_name="P", city="Ulm")
    sync(3)
    salesforce_simulator.configure(readonly_fields="Lead.City")

    change(workspace, "lead", lead, city="Bonn", last_name="Q")
    sync(4)

    (there,) = SalesforceUser(salesforce_simulator).has("Lead")
    assert (there["LastName"], there["City"]) == ("Q", "Ulm")
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_a_missing_scope_is_named_where_the_failure_is_told(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    only(hubspot, "contacts")
    make(workspace, "lead", email="p@x.example.org")
    hubspot_simulator.set_fault("403", object="contacts")

    sync(1)

    item = WorkItem.objects.get(kind="push", state=State.PARKED)
    entry = SyncEntry.objects.latest("id")
    assert "the scope crm.objects.contacts.read" in item.error
    assert ".. " not in item.error
    assert "the scope crm.objects.contacts.read" in told(entry, "HubSpot").sentence

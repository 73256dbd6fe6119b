"""What a push is about to write over is looked at first, and kept."""

from __future__ import annotations

import pytest

from crmsync.core import queue
from crmsync.core.models import Workspace
from integrations.models import Conflict, Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, pull
from integrations.sync.fetches import fetch_due
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    found = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    return both_ways(found, city={"rule": "hub"})


@pytest.fixture
def lead(workspace: Workspace, mapping: ObjectMapping) -> Lead:
    values = {"email": "ada@customer.example.org", "first_name": "Ada"}
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    push_due()
    assert isinstance(made, Lead)
    return made


def edit_on_both_sides(
    workspace: Workspace, lead: Lead, simulator: RunningSimulator
) -> tuple[HubSpotUser, str]:
    """Let a city be entered there, then another one here."""
    person = HubSpotUser(simulator)
    remote_id = Link.objects.get().remote_id
    person.edit(remote_id, city="Paris")
    edit = Edit(lead.pk, {"city": "Lyon"})
    records.update(workspace, "lead", [edit], origin=HERE)
    return person, remote_id


@pytest.mark.parametrize(
    ("rule", "kept"), [("hub", "Lyon"), ("crm", "Paris"), ("latest", "Paris")]
)
def test_what_both_sides_enter_before_the_first_poll_is_a_conflict(
    workspace: Workspace,
    mapping: ObjectMapping,
    lead: Lead,
    hubspot_simulator: RunningSimulator,
    rule: str,
    kept: str,
) -> None:
    both_ways(mapping, city={"rule": rule, "tie": "crm"})
    person, remote_id = edit_on_both_sides(workspace, lead, hubspot_simulator)

    push_due()

    lead.refresh_from_db()
    assert (lead.city, person.sees(remote_id, "city")) == (kept, {"city": kept})
    conflict = Conflict.objects.get()
    assert (conflict.hub_value, conflict.crm_value) == ("Lyon", "Paris")
    assert conflict.winner == ("hub" if kept == "Lyon" else "crm")


# --- our own write, whose answer was lost ---------------------------------------------


@pytest.fixture
def person(
    lead: Lead, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> HubSpotUser:
    """Somebody in HubSpot, where the lead is in step, with a city that both know."""
    both_ways(mapping, city={"rule": "latest"})
    pull.ask_pull(mapping)
    enter_here(lead, "Paris")
    sync()
    return HubSpotUser(hubspot_simulator)


def enter_here(lead: Lead, city: str) -> None:
    edit = Edit(lead.pk, {"city": city})
    records.update(lead.workspace, "lead", [edit], origin=HERE)


@pytest.mark.parametrize("city", ["Nice", "Paris"])
def test_a_write_whose_answer_was_lost_does_not_undo_what_was_entered_since(
    lead: Lead, person: HubSpotUser, city: str
) -> None:
    enter_here(lead, "Lyon")
    path = "contacts/batch/update"
    person.simulator.set_fault("drop_after_apply", path=path, count=1)
    push_due()
    enter_here(lead, city)

    sync()

    lead.refresh_from_db()
    remote_id = Link.objects.get().remote_id
    assert (lead.city, person.sees(remote_id, "city")) == (city, {"city": city})
    assert Conflict.objects.count() == 0


def test_a_write_under_way_does_not_undo_what_is_entered_meanwhile(
    lead: Lead, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_here(lead, "Lyon")
    channel = mapping.connection.channel_id or 0
    group = str(mapping.pk)
    items = queue.claim("push", channel_id=channel, group=group, limit=10)
    remote_id = Link.objects.get().remote_id
    person.edit(remote_id, city="Lyon")
    enter_here(lead, "Nice")

    queue.ask(failures_in.asks(mapping, [remote_id]))
    fetch_due()

    lead.refresh_from_db()
    assert lead.city == "Nice"
    queue.give_back(items)
    sync()
    assert person.sees(remote_id, "city") == {"city": "Nice"}


def test_a_person_is_not_taken_for_a_write_whose_answer_was_lost(
    lead: Lead, person: HubSpotUser
) -> None:
    enter_here(lead, "Lyon")
    person.simulator.set_fault("drop", path="contacts/batch/update", count=1)
    push_due()
    enter_here(lead, "Nice")
    person.edit(Link.objects.get().remote_id, city="Rome")

    sync()

    lead.refresh_from_db()
    assert lead.city == "Rome"
    assert Conflict.objects.get().hub_value == "Nice"

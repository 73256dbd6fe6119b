"""What a push is about to write over is looked at first, and kept."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.models import Conflict, Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, both_ways
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

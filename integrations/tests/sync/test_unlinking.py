"""A pair that was parted by hand goes two ways, and is in step again once joined."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from crmsync.core.services import Actor
from integrations.models import Connection, Link, ObjectMapping, SyncEntry
from integrations.services import links
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, polled once from now on."""
    found = both_ways(
        ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    )
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    pull.ask_pull(found)
    sync(1)
    return found


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def lead(workspace: Workspace, person: HubSpotUser) -> Lead:
    """A lead that is in step with its contact."""
    values = {"email": "ada@customer.example.org", "first_name": "Ada", "city": "Bonn"}
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    assert isinstance(made, Lead)
    sync()
    return made


def link_of(lead: Lead) -> Link:
    return Link.objects.get(record_id=lead.pk)


def edit(lead: Lead, **values: object) -> None:
    records.update(lead.workspace, "lead", [Edit(lead.pk, values)], origin=HERE)


def test_a_parted_pair_goes_two_ways(person: HubSpotUser, lead: Lead) -> None:
    link = links.unlink(link_of(lead), Actor())
    edit(lead, city="Lyon")
    person.edit(link.remote_id, jobtitle="Head of Sales")

    sync()

    lead.refresh_from_db()
    assert lead.job_title == ""
    assert person.sees(link.remote_id, "city") == {"city": "Bonn"}
    assert Lead.objects.count() == 1
    newest = SyncEntry.objects.filter(record_id=lead.pk).order_by("-id")[0]
    assert newest.outcome == SyncEntry.Outcome.EXCLUDED


def test_a_joined_pair_takes_over_what_each_side_changed(
    person: HubSpotUser, lead: Lead
) -> None:
    link = links.unlink(link_of(lead), Actor())
    edit(lead, city="Lyon")
    person.edit(link.remote_id, jobtitle="Head of Sales")
    sync()

    links.relink(link, Actor())
    sync()

    lead.refresh_from_db()
    assert (lead.city, lead.job_title) == ("Lyon", "Head of Sales")
    assert person.sees(link.remote_id, "city", "jobtitle") == {
        "city": "Lyon",
        "jobtitle": "Head of Sales",
    }


def test_what_both_changed_meanwhile_is_a_conflict_like_any(
    person: HubSpotUser, lead: Lead, mapping: ObjectMapping
) -> None:
    mapping.rows.filter(destination="city").update(rule="ask")
    link = links.unlink(link_of(lead), Actor())
    edit(lead, city="Lyon")
    person.edit(link.remote_id, city="Paris")
    sync()

    links.relink(link, Actor())
    sync()

    lead.refresh_from_db()
    assert lead.city == "Lyon"
    assert person.sees(link.remote_id, "city") == {"city": "Paris"}
    (conflict,) = link.conflicts.all()
    assert (conflict.hub_value, conflict.crm_value) == ("Lyon", "Paris")
    assert (conflict.base_value, conflict.state) == ("Bonn", "open")

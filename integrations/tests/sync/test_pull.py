"""What a person changes in the CRM comes here, once, and never undoes anything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.services import Actor
from integrations.models import (
    Conflict,
    Connection,
    Cursor,
    Link,
    ObjectMapping,
    Run,
    SyncEntry,
)
from integrations.services import runs as services
from integrations.simulators.testing import RunningSimulator, wait_until
from integrations.sync import pull, window
from integrations.tests.sync.crm import HubSpotUser, both_ways, make_due, sync
from leads.facts import Origin
from leads.models import Change, Lead
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


def edit(workspace: Workspace, lead_id: int, **values: object) -> None:
    records.update(workspace, "lead", [Edit(lead_id, values)], origin=HERE)


def make_lead(workspace: Workspace, **values: object) -> Lead:
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    assert isinstance(made, Lead)
    return made


def linked_pair(workspace: Workspace, **values: object) -> tuple[Lead, str]:
    """Make a lead that is in step with its contact."""
    lead = make_lead(
        workspace, email="ada@customer.example.org", first_name="Ada", **values
    )
    sync()
    return lead, Link.objects.get(record_id=lead.pk).remote_id


# --- coming in ------------------------------------------------------------------------


def test_a_new_contact_becomes_a_lead(
    workspace: Workspace, person: HubSpotUser
) -> None:
    remote_id = person.make(
        email="New@Customer.example.org", firstname="Nia", city="Lyon"
    )

    sync()

    lead = Lead.objects.get()
    assert (lead.email, lead.first_name, lead.city) == (
        "new@customer.example.org",
        "Nia",
        "Lyon",
    )
    assert Link.objects.get(record_id=lead.pk).remote_id == remote_id
    assert Change.objects.get(record_id=lead.pk).origin_kind == "connection"


def test_a_change_there_comes_here_and_is_not_sent_back(
    workspace: Workspace, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.edit(remote_id, jobtitle="Head of Sales")
    before = len(hubspot_simulator.history("contacts", remote_id)["writes"])

    sync()

    lead.refresh_from_db()
    assert lead.job_title == "Head of Sales"
    assert len(hubspot_simulator.history("contacts", remote_id)["writes"]) == before


def test_edits_of_different_fields_on_both_sides_survive_on_both(
    workspace: Workspace, person: HubSpotUser
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.edit(remote_id, jobtitle="Head of Sales")
    edit(workspace, lead.pk, city="Lyon")

    sync()

    lead.refresh_from_db()
    assert (lead.job_title, lead.city) == ("Head of Sales", "Lyon")
    assert person.sees(remote_id, "jobtitle", "city") == {
        "jobtitle": "Head of Sales",
        "city": "Lyon",
    }


def test_a_contact_that_is_a_lead_already_is_linked_and_blanks_are_filled(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    ObjectMapping.objects.update(active=False)
    lead = make_lead(workspace, email="ada@customer.example.org", city="Lyon")
    remote_id = person.make(
        email="ada@customer.example.org", firstname="Ada", city="Paris"
    )
    ObjectMapping.objects.filter(pk=mapping.pk).update(active=True)
    pull.ask_pull(mapping)

    sync()

    lead.refresh_from_db()
    assert Lead.objects.count() == 1
    assert (lead.first_name, lead.city) == ("Ada", "Lyon")
    assert person.sees(remote_id, "city") == {"city": "Paris"}


def test_a_page_of_nothing_new_costs_one_call(
    workspace: Workspace,
    mapping: ObjectMapping,
    hubspot_simulator: RunningSimulator,
) -> None:
    Cursor.objects.update(gone_up_to=Cursor.objects.get().read_up_to)
    before = hubspot_simulator.stats()["total"]

    make_due()
    pull.pull_due()

    assert hubspot_simulator.stats()["total"] - before == 1
    assert Run.objects.count() == 0


def test_reading_a_window_twice_changes_nothing(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    person.make(email="new@customer.example.org", firstname="Nia")
    sync()
    changes, entries = Change.objects.count(), SyncEntry.objects.count()
    Cursor.objects.update(read_up_to=None)

    sync()

    assert (Change.objects.count(), SyncEntry.objects.count()) == (changes, entries)


def test_a_killed_pull_goes_on_at_its_page(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    people = [{"email": f"p{n}@customer.example.org"} for n in range(450)]
    person.make_many(people)
    make_due()

    assert _pull_one_page(mapping) is False
    first = Lead.objects.count()
    sync()

    assert first == 200
    assert Lead.objects.count() == 450


def _pull_one_page(mapping: ObjectMapping) -> bool:
    from integrations.connectors.session import open_connector

    connector, _ = open_connector(mapping.connection)
    return window.read(mapping, connector, deadline=0.0)


def arrived_by_now(count: int) -> bool:
    sync(1)
    return Lead.objects.count() >= count


def test_late_visible_changes_are_found_by_the_overlap(
    workspace: Workspace, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.configure(index_delay_s=2)
    person.make(email="late@customer.example.org")

    sync(1)
    at_once = Lead.objects.count()
    wait_until(lambda: arrived_by_now(1), timeout_s=20)

    assert at_once == 0
    assert Lead.objects.count() == 1


def test_a_mapping_says_how_far_its_polls_read_back(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    person.make(email="late@customer.example.org")
    ahead = queue.now() + timedelta(minutes=30)
    Cursor.objects.update(read_up_to=ahead)
    sync(1)
    at_once = Lead.objects.count()

    ObjectMapping.objects.filter(pk=mapping.pk).update(overlap_s=3600)
    Cursor.objects.update(read_up_to=ahead)
    sync(1)

    assert (at_once, Lead.objects.count()) == (0, 1)


# --- conflicts ------------------------------------------------------------------------


def both_edit(
    workspace: Workspace, person: HubSpotUser, lead: Lead, remote_id: str
) -> None:
    edit(workspace, lead.pk, city="Lyon")
    person.edit(remote_id, city="Paris")


@pytest.mark.parametrize(("rule", "kept"), [("crm", "Paris"), ("hub", "Lyon")])
def test_what_both_changed_follows_the_rule_and_the_loser_is_kept(
    workspace: Workspace,
    person: HubSpotUser,
    mapping: ObjectMapping,
    rule: str,
    kept: str,
) -> None:
    both_ways(mapping, city={"rule": rule})
    lead, remote_id = linked_pair(workspace)

    both_edit(workspace, person, lead, remote_id)
    sync()

    lead.refresh_from_db()
    assert lead.city == kept
    assert person.sees(remote_id, "city") == {"city": kept}
    conflict = Conflict.objects.get()
    assert (conflict.hub_value, conflict.crm_value) == ("Lyon", "Paris")
    assert conflict.winner == rule


def test_the_most_recent_wins_by_the_times_of_the_field(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.edit(remote_id, city="Paris")
    edit(workspace, lead.pk, city="Lyon")
    _shift_history(lead, seconds=10)
    person.edit(remote_id, jobtitle="Later, but another field")

    sync()

    lead.refresh_from_db()
    assert lead.city == "Lyon"
    assert person.sees(remote_id, "city") == {"city": "Lyon"}


def _shift_history(lead: Lead, *, seconds: int) -> None:
    from datetime import timedelta

    from django.db.models import F

    rows = Change.objects.filter(record_id=lead.pk)
    rows.update(at=F("at") + timedelta(seconds=seconds))


def test_a_question_leaves_both_sides_alone_until_it_is_answered(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    both_ways(mapping, city={"rule": "ask"})
    lead, remote_id = linked_pair(workspace)

    both_edit(workspace, person, lead, remote_id)
    sync()
    edit(workspace, lead.pk, first_name="Adele")
    sync()

    lead.refresh_from_db()
    assert lead.city == "Lyon"
    assert person.sees(remote_id, "city", "firstname") == {
        "city": "Paris",
        "firstname": "Adele",
    }
    assert Conflict.objects.get().state == Conflict.State.OPEN


# --- what cannot come in --------------------------------------------------------------


def test_two_contacts_of_one_lead_are_told_and_never_merged_by_us(
    workspace: Workspace, person: HubSpotUser
) -> None:
    lead, _ = linked_pair(workspace)
    edit(workspace, lead.pk, linkedin_id="ada-example")
    sync()
    person.make(
        email="second@customer.example.org",
        hs_linkedin_url="https://www.linkedin.com/in/ada-example",
    )

    sync()

    assert Lead.objects.count() == 1
    item = WorkItem.objects.get(kind="fetch")
    assert (item.state, item.error_class) == (State.PARKED, "duplicate")


def test_a_value_the_lead_cannot_have_is_held_and_the_rest_comes_in(
    workspace: Workspace, person: HubSpotUser
) -> None:
    make_lead(workspace, email="taken@customer.example.org")
    lead, remote_id = linked_pair(workspace)
    person.edit(remote_id, phone="not a phone", jobtitle="Head of Sales")

    sync()

    lead.refresh_from_db()
    assert (lead.phone, lead.job_title) == ("", "Head of Sales")
    item = WorkItem.objects.get(kind="fetch")
    assert (item.state, item.error_class, item.error_field) == (
        State.PARKED,
        "held",
        "phone",
    )


def test_what_a_poll_shows_again_is_not_told_again(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    both_ways(mapping, city={"rule": "ask"})
    lead, remote_id = linked_pair(workspace)
    both_edit(workspace, person, lead, remote_id)
    person.edit(remote_id, phone="not a phone")
    sync()
    entries, runs = SyncEntry.objects.count(), Run.objects.count()
    items = list(WorkItem.objects.order_by("pk").values_list("kind", "dead"))

    sync(8)

    assert (SyncEntry.objects.count(), Run.objects.count()) == (entries, runs)
    now = list(WorkItem.objects.order_by("pk").values_list("kind", "dead"))
    assert now == items
    assert Conflict.objects.get().reason == "Ask me"


# --- deletes and merges ---------------------------------------------------------------


def gone_is_asked_again() -> None:
    Cursor.objects.update(gone_up_to=None)


def test_a_deleted_contact_is_unlinked_and_flagged_and_not_made_again(
    workspace: Workspace, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.delete(remote_id)

    gone_is_asked_again()
    sync()
    edit(workspace, lead.pk, city="Lyon")
    sync()

    assert Link.objects.get().state == Link.State.DELETED
    assert hubspot_simulator.dump("contacts") == [] or all(
        one.get("archived") for one in hubspot_simulator.dump("contacts")
    )
    item = WorkItem.objects.get(kind="push")
    assert item.state == State.PARKED
    assert "deleted in the CRM" in item.error


def test_contacts_merged_there_are_merged_here(
    workspace: Workspace, person: HubSpotUser
) -> None:
    first, first_id = linked_pair(workspace)
    second = make_lead(workspace, email="bea@customer.example.org", city="Lyon")
    sync()
    second_id = Link.objects.get(record_id=second.pk).remote_id
    kept_id = person.merge(first_id, second_id)

    gone_is_asked_again()
    sync()

    assert Lead.objects.count() == 1
    assert Lead.objects.get().pk == first.pk
    assert Link.objects.get().remote_id == kept_id


def test_many_deletions_at_once_stop_and_ask(
    workspace: Workspace, person: HubSpotUser
) -> None:
    ids = person.make_many([{"email": f"p{n}@customer.example.org"} for n in range(30)])
    sync()
    for one in ids[:25]:
        person.delete(one)

    gone_is_asked_again()
    sync(1)

    assert Link.objects.filter(state=Link.State.LINKED).count() == 30
    run = Run.objects.get(state=Run.State.STOPPED)
    assert len(run.samples) == 20
    assert (run.mass_change, run.mass_count) == ("deletes", 25)
    assert run.message == "25 linked records were deleted in the CRM."


def test_an_approved_mass_deletion_is_carried_out(
    workspace: Workspace, person: HubSpotUser
) -> None:
    ids = person.make_many([{"email": f"p{n}@customer.example.org"} for n in range(25)])
    sync()
    for one in ids:
        person.delete(one)
    gone_is_asked_again()
    sync(1)

    services.steer(Run.objects.get(state=Run.State.STOPPED), Actor(), "approve")
    sync(2)

    assert Link.objects.filter(state=Link.State.DELETED).count() == 25


def test_a_mass_deletion_that_is_not_wanted_stops_no_later_pull(
    workspace: Workspace, person: HubSpotUser
) -> None:
    ids = person.make_many([{"email": f"p{n}@customer.example.org"} for n in range(25)])
    sync()
    for one in ids:
        person.delete(one)
    gone_is_asked_again()
    sync(1)

    services.steer(Run.objects.get(state=Run.State.STOPPED), Actor(), "cancel")
    person.make(email="later@customer.example.org")
    sync(2)

    assert Link.objects.filter(state=Link.State.LINKED).count() == 26
    assert Lead.objects.filter(email="later@customer.example.org").exists()


def test_a_contact_made_anew_after_a_deletion_is_linked_again(
    workspace: Workspace, person: HubSpotUser
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.delete(remote_id)
    gone_is_asked_again()
    sync()
    new_id = person.make(email="ada@customer.example.org", city="Lyon")

    sync()

    link = Link.objects.get(record_id=lead.pk)
    assert (link.remote_id, link.state) == (new_id, Link.State.LINKED)
    lead.refresh_from_db()
    assert lead.city == "Lyon"


def test_a_record_that_was_unlinked_is_left_alone_without_an_error(
    workspace: Workspace, person: HubSpotUser
) -> None:
    lead, remote_id = linked_pair(workspace)
    Link.objects.update(state=Link.State.UNLINKED)
    edit(workspace, lead.pk, city="Lyon")
    person.edit(remote_id, jobtitle="Head of Sales")

    sync()

    lead.refresh_from_db()
    assert lead.job_title == ""
    assert not person.sees(remote_id, "city")["city"]
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_an_edited_e_mail_updates_the_linked_lead(
    workspace: Workspace, person: HubSpotUser
) -> None:
    lead, remote_id = linked_pair(workspace)
    person.edit(remote_id, email="ada+new@customer.example.org")

    sync()

    lead.refresh_from_db()
    assert Lead.objects.count() == 1
    assert lead.email == "ada+new@customer.example.org"

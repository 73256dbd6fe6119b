"""What a CRM neither shows nor names as deleted is hidden from us, and stays here."""

from __future__ import annotations

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, hints, pull, runs
from integrations.sync.fetches import fetch_due
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, polled, sync
from integrations.webhooks.base import Hint
from leads.facts import Origin
from leads.models import Lead
from leads.services import records, removal
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, deletions carried over."""
    return polled(hubspot, "contacts", deletes="propagate")


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def ids(person: HubSpotUser) -> list[str]:
    """Nine linked contacts that a comparison has seen."""
    found = person.make_many([{"email": f"p{n}@x.example.org"} for n in range(9)])
    sync()
    return found


def compare(mapping: ObjectMapping) -> Run:
    run = runs.start(mapping, Run.Kind.RECONCILE)
    sync(3)
    run.refresh_from_db()
    return run


def hide(simulator: RunningSimulator, *ids: str) -> None:
    simulator.configure(hidden_records=",".join(ids))


def show(simulator: RunningSimulator) -> None:
    simulator.configure(hidden_records="")


def state_of(remote_id: str) -> str:
    return Link.objects.get(remote_id=remote_id).state


def hint(mapping: ObjectMapping, *ids: str) -> None:
    queue.ask(failures_in.asks(mapping, ids))
    fetch_due()


def lead_of(remote_id: str) -> Lead:
    return Lead.objects.get(pk=Link.objects.get(remote_id=remote_id).record_id)


def give_city(workspace: Workspace, remote_id: str, city: str) -> None:
    edit = Edit(lead_of(remote_id).pk, {"city": city})
    records.update(workspace, "lead", [edit], origin=HERE)


@pytest.fixture
def hidden(mapping: ObjectMapping, person: HubSpotUser, ids: list[str]) -> str:
    """A contact that two comparisons did not see, although nobody deleted it."""
    hide(person.simulator, ids[0])
    compare(mapping)
    assert state_of(ids[0]) == Link.State.MISSING
    compare(mapping)
    return ids[0]


def test_what_two_comparisons_do_not_see_is_hidden_unless_it_was_deleted(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    hide(person.simulator, ids[0])
    person.delete(ids[1])
    compare(mapping)

    compare(mapping)

    assert state_of(ids[0]) == Link.State.FORBIDDEN
    assert state_of(ids[1]) == Link.State.DELETED
    entry = SyncEntry.objects.get(remote_id=ids[0], outcome="held")
    assert "no longer shows" in entry.message


def test_a_hidden_record_stays_hidden_and_is_told_of_once(
    mapping: ObjectMapping, hidden: str
) -> None:
    compare(mapping)
    compare(mapping)
    hint(mapping, hidden)

    assert state_of(hidden) == Link.State.FORBIDDEN
    assert Lead.objects.count() == 9
    assert SyncEntry.objects.filter(remote_id=hidden, outcome="held").count() == 1


def test_a_hidden_record_that_is_named_as_deleted_later_is_deleted(
    mapping: ObjectMapping, person: HubSpotUser, hidden: str
) -> None:
    person.delete(hidden)
    show(person.simulator)

    compare(mapping)

    assert state_of(hidden) == Link.State.DELETED


def test_the_second_comparison_asks_one_call_more_about_a_batch_of_missing(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    hide(person.simulator, *ids)
    none = batch_reads(person.simulator)
    compare(mapping)
    one = batch_reads(person.simulator)

    compare(mapping)

    assert (one - none, batch_reads(person.simulator) - one) == (1, 2)
    assert Link.objects.filter(state=Link.State.FORBIDDEN).count() == 9


def batch_reads(simulator: RunningSimulator) -> int:
    made = simulator.requests_since()
    return sum("contacts/batch/read" in one["path"] for one in made)


def test_a_comparison_in_which_nothing_is_missing_asks_nothing_more(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    before = batch_reads(person.simulator)

    compare(mapping)

    assert batch_reads(person.simulator) == before


def test_what_a_list_left_out_is_linked_again_with_its_values(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    Link.objects.filter(remote_id__in=ids[:2]).update(state=Link.State.MISSING)
    person.edit(ids[0], city="Oslo")
    WorkItem.objects.filter(kind=pull.KIND).delete()
    run = runs.start(mapping, Run.Kind.RECONCILE)
    run.cursor = {"scanned": True, "asked": True}
    run.save()

    runs.runs_due()

    assert not Link.objects.exclude(state=Link.State.LINKED).exists()
    assert lead_of(ids[0]).city == "Oslo"


def test_a_merge_that_two_comparisons_met_is_followed(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    Link.objects.filter(remote_id=ids[1]).update(state=Link.State.MISSING)
    kept = person.merge(ids[0], ids[1])

    compare(mapping)

    assert state_of(kept) == Link.State.LINKED
    assert not Link.objects.exclude(state=Link.State.LINKED).exists()
    assert Lead.objects.count() == 8


# --- what was to go out ---------------------------------------------------------------


def test_an_edit_of_a_hidden_record_is_held_and_goes_on_when_it_shows_again(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser, hidden: str
) -> None:
    give_city(workspace, hidden, "Bonn")
    sync(2)

    [item] = WorkItem.objects.filter(kind="push", state=State.PARKED)
    assert (item.error_class, item.attempts) == ("hidden", 1)

    show(person.simulator)
    hint(mapping, hidden)
    sync(2)

    assert state_of(hidden) == Link.State.LINKED
    assert person.sees(hidden, "city") == {"city": "Bonn"}
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_an_edit_meets_a_record_that_was_hidden_since(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    hide(person.simulator, ids[0])

    give_city(workspace, ids[0], "Bonn")
    sync(2)

    assert state_of(ids[0]) == Link.State.FORBIDDEN
    [item] = WorkItem.objects.filter(kind="push", state=State.PARKED)
    assert item.error_class == "hidden"


def test_a_write_that_is_refused_as_gone_is_asked_about(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    mapping.rows.update(rule="hub", direction="push")
    hide(person.simulator, ids[0])
    person.delete(ids[1])

    give_city(workspace, ids[0], "Bonn")
    give_city(workspace, ids[1], "Bonn")
    WorkItem.objects.exclude(kind="push").delete()
    sync(1)

    assert state_of(ids[0]) == Link.State.FORBIDDEN
    assert state_of(ids[1]) == Link.State.DELETED
    rows = WorkItem.objects.filter(kind="push", state=State.PARKED)
    assert set(rows.values_list("error_class", flat=True)) == {"hidden", "gone"}


def test_a_hidden_record_that_is_deleted_here_is_deleted_there_once_it_shows(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser, hidden: str
) -> None:
    removal.delete(workspace, "lead", [lead_of(hidden).pk], origin=HERE)
    sync(2)
    assert state_of(hidden) == Link.State.FORBIDDEN

    show(person.simulator)
    compare(mapping)
    sync(2)

    assert not Link.objects.filter(remote_id=hidden).exists()
    dumped = person.simulator.dump("contacts")
    assert {one["id"] for one in dumped if one["archived"]} == {hidden}


def test_a_note_of_a_hidden_record_waits_and_follows_it_when_it_shows_again(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    ObjectMapping.objects.filter(remote_object="notes").update(active=True)
    hide(person.simulator, ids[0])
    hint(mapping, ids[0])
    row = {"kind": "note", "body": "Spoke with them.", "lead_id": lead_of(ids[0]).pk}
    records.create(workspace, "activity", [row], origin=HERE)
    sync(2)

    [item] = WorkItem.objects.filter(kind="push", state=State.PARKED)
    assert item.error_class == "hidden"

    show(person.simulator)
    hint(mapping, ids[0])
    sync(2)

    assert len(person.simulator.dump("notes")) == 1
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


# --- shown again ----------------------------------------------------------------------


@pytest.mark.parametrize("by", ["poll", "hint", "comparison"])
def test_a_record_that_shows_again_is_linked_again(
    mapping: ObjectMapping, person: HubSpotUser, hidden: str, by: str
) -> None:
    show(person.simulator)
    person.edit(hidden, city="Oslo")

    if by == "poll":
        sync(2)
    elif by == "hint":
        hint(mapping, hidden)
    else:
        compare(mapping)

    link = Link.objects.get(remote_id=hidden)
    assert (link.state, link.gone_at) == (Link.State.LINKED, None)
    assert lead_of(hidden).city == "Oslo"
    entry = SyncEntry.objects.filter(remote_id=hidden).order_by("pk")
    assert any("shows it again" in one.message for one in entry)


def test_a_hint_about_what_is_hidden_deletes_nothing(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    hide(person.simulator, ids[0])
    person.delete(ids[1])

    hint(mapping, *ids[:2])

    assert state_of(ids[0]) == Link.State.FORBIDDEN
    assert state_of(ids[1]) == Link.State.DELETED


def test_what_a_webhook_says_was_deleted_and_no_bin_holds_is_deleted(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    person.call("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": ids[0]})
    told = Hint("contacts", ids[0], "deleted", at=queue.now())

    hints.take(mapping.connection, [(told, "trace-1")])
    fetch_due()
    hint(mapping, ids[1])

    assert state_of(ids[0]) == Link.State.DELETED
    assert state_of(ids[1]) == Link.State.LINKED


# --- Salesforce -----------------------------------------------------------------------


def test_salesforce_tells_the_hidden_from_the_deleted_and_the_merged(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> None:
    mapping = polled(salesforce, "Lead")
    crm = SalesforceUser(salesforce_simulator)
    made = [
        crm.make("Lead", LastName="L", Company="C", Email=f"p{n}@x.example.org")
        for n in range(4)
    ]
    sync(2)
    hide(salesforce_simulator, made[0])
    salesforce_simulator.control("POST", "delete", {"object": "Lead", "id": made[1]})
    crm.merge("Lead", made[2], made[3])

    compare(mapping)
    compare(mapping)

    assert state_of(made[0]) == Link.State.FORBIDDEN
    assert state_of(made[1]) == Link.State.DELETED
    assert state_of(made[2]) == Link.State.LINKED
    assert Lead.objects.count() == 3

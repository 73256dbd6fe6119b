"""A mapping that only sends never polls: what was deleted there follows on time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import hints, plans, pull, runs
from integrations.sync.fetches import fetch_due
from integrations.tests.sync.crm import HubSpotUser, make_due, polled, sync
from integrations.tests.sync.trio import HERE
from integrations.webhooks.base import Hint, HintKind
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

ONLY_SENDS = {"direction": "push"}


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, only to HubSpot; deletions are carried over."""
    found = polled(hubspot, "contacts", deletes="propagate", **ONLY_SENDS)
    WorkItem.objects.filter(kind=pull.KIND).delete()
    return found


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def send(workspace: Workspace, count: int = 1) -> list[str]:
    """Make people here who reach the CRM; return their ids there."""
    rows = [{"email": f"p{n}@x.example.org", "city": "Bonn"} for n in range(count)]
    records.create(workspace, "lead", rows, origin=HERE)
    sync(2)
    links = Link.objects.order_by("record_id")
    return list(links.values_list("remote_id", flat=True))


def edit(workspace: Workspace, city: str = "Ulm") -> None:
    """Change everybody, and let the changes go out."""
    ids = Lead.objects.values_list("pk", flat=True)
    edits = [Edit(one, {"city": city}) for one in ids]
    records.update(workspace, "lead", edits, origin=HERE)
    sync(1)


def delete(person: HubSpotUser, ids: list[str]) -> None:
    for one in ids:
        person.delete(one)


def restore(simulator: RunningSimulator, remote_id: str) -> None:
    simulator.seed([{"object": "contacts", "id": remote_id, "archived": False}])


def tick() -> int:
    """Let the clock ask, and the workers do what it asked for."""
    asked = plans.ask_due()
    make_due()
    pull.pull_due()
    return asked


def hear(
    mapping: ObjectMapping, kind: HintKind, remote_id: str, other: str = ""
) -> str:
    """Let the CRM's own notice say what became of a record; return what follows."""
    hint = Hint("contacts", remote_id, kind, at=queue.now(), other_id=other)
    (outcome,) = hints.take(mapping.connection, [(hint, "trace")])
    fetch_due()
    return outcome


def wait_out() -> None:
    rows = Link.objects.filter(gone_at__isnull=False)
    rows.update(gone_at=queue.now() - timedelta(days=8))


def calls(simulator: RunningSimulator) -> int:
    total: int = simulator.stats()["total"]
    return total


def test_what_a_push_found_deleted_is_deleted_here_after_the_quarantine(
    workspace: Workspace, person: HubSpotUser
) -> None:
    delete(person, send(workspace))
    edit(workspace)

    tick()
    assert Lead.objects.count() == 1
    assert Link.objects.get().gone_at is not None
    wait_out()
    tick()

    assert not Lead.objects.exists()
    assert not Link.objects.exists()


def test_a_quarantine_that_began_while_it_still_polled_ends_all_the_same(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
) -> None:
    delete(person, send(workspace))
    Link.objects.update(state="deleted", gone_at=queue.now() - timedelta(days=8))

    tick()

    assert not Lead.objects.exists()


def test_what_was_restored_meanwhile_stays_and_gets_what_changed_here(
    workspace: Workspace, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    [remote_id] = send(workspace)
    delete(person, [remote_id])
    edit(workspace, "Ulm")
    tick()
    restore(hubspot_simulator, remote_id)
    wait_out()

    tick()
    sync(1)

    link = Link.objects.get()
    assert (link.state, link.gone_at) == (Link.State.LINKED, None)
    assert person.sees(remote_id, "city") == {"city": "Ulm"}


def test_the_policy_of_making_it_again_is_followed(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    ObjectMapping.objects.update(deletes="recreate")
    [remote_id] = send(workspace)
    delete(person, [remote_id])
    edit(workspace, "Ulm")

    tick()
    sync(1)

    link = Link.objects.get()
    assert link.remote_id != remote_id
    assert person.sees(link.remote_id, "city") == {"city": "Ulm"}


def test_a_deletion_is_told_of_once(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    ObjectMapping.objects.update(deletes="unlink")
    delete(person, send(workspace))
    edit(workspace)

    tick()
    tick()

    [entry] = SyncEntry.objects.filter(outcome=SyncEntry.Outcome.DELETED)
    assert entry.message == "Deleted in the CRM; unlinked and flagged."


def test_many_deletions_wait_for_approval_and_are_carried_out_after_it(
    workspace: Workspace, person: HubSpotUser
) -> None:
    delete(person, send(workspace, 30))
    edit(workspace)
    tick()
    run = Run.objects.get()
    assert (run.state, run.mass_count) == (Run.State.STOPPED, 30)
    assert not Link.objects.filter(gone_at__isnull=False).exists()

    runs.approve(run)
    make_due()
    pull.pull_due()

    run.refresh_from_db()
    assert (run.state, run.deleted) == (Run.State.DONE, 30)
    assert Link.objects.filter(gone_at__isnull=False).count() == 30


def test_a_turn_reads_nothing_of_what_only_is_sent(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    person.make(email="else@x.example.org")
    delete(person, send(workspace))
    edit(workspace)

    tick()
    tick()

    assert Lead.objects.count() == 1


@pytest.mark.parametrize("policy", ["ignore", "propagate"])
def test_what_is_not_due_costs_no_turn_and_no_call(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
    policy: str,
) -> None:
    ObjectMapping.objects.update(deletes=policy)
    delete(person, send(workspace))
    edit(workspace)
    tick()
    before = calls(hubspot_simulator)

    assert tick() == 0

    assert calls(hubspot_simulator) == before
    waiting = WorkItem.objects.filter(kind=pull.KIND).exclude(state="done")
    assert not waiting.exists()


def test_the_clock_asks_of_all_mappings_in_one_query(mapping: ObjectMapping) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            pull.ask_due()
        return len(captured)

    one = queries()
    ObjectMapping.objects.update(active=True, **ONLY_SENDS)

    assert ObjectMapping.objects.count() > 1
    assert queries() == one


def test_what_nobody_can_look_for_waits_and_is_not_asked_for_at_every_tick(
    workspace: Workspace,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
) -> None:
    delete(person, send(workspace))
    edit(workspace)
    tick()
    wait_out()
    hubspot_simulator.set_fault("403", object="contacts")

    tick()

    assert plans.ask_due() == 0
    assert Lead.objects.count() == 1
    assert Link.objects.get().state == Link.State.DELETED


# --- told by the CRM ------------------------------------------------------------------


def test_a_notice_of_a_deletion_begins_the_quarantine(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    [remote_id] = send(workspace)
    delete(person, [remote_id])

    assert hear(mapping, "deleted", remote_id) == "fetch"

    link = Link.objects.get()
    assert link.state == Link.State.DELETED
    assert link.gone_at is not None


def test_a_notice_of_a_merge_is_followed(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    first, second = send(workspace, 2)
    kept = person.merge(first, second)

    hear(mapping, "merged", kept, second)

    assert Link.objects.get().remote_id == kept
    assert Lead.objects.count() == 1


def test_a_notice_of_an_edit_is_none_of_its_business(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
) -> None:
    [remote_id] = send(workspace)
    person.edit(remote_id, city="Rome")
    before = calls(hubspot_simulator)

    assert hear(mapping, "changed", remote_id) == "skipped"

    assert calls(hubspot_simulator) == before
    assert Lead.objects.get().city == "Bonn"


def test_a_notice_about_a_stranger_costs_no_call(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
) -> None:
    other = person.make(email="else@x.example.org")
    delete(person, [other])
    before = calls(hubspot_simulator)

    hear(mapping, "deleted", other)

    assert calls(hubspot_simulator) == before

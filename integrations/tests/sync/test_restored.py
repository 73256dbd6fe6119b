"""What was deleted in the CRM and is there again is linked again, and never deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmsync.core import queue
from integrations.models import Connection, Cursor, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, plans, runs
from integrations.tests.sync.crm import HubSpotUser, polled, sync
from leads.models import Lead


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, deletions carried over; polled from now on."""
    return polled(hubspot, "contacts", deletes="propagate")


@pytest.fixture
def deleted(mapping: ObjectMapping, hubspot_simulator: RunningSimulator) -> str:
    """A linked contact that was deleted in HubSpot."""
    person = HubSpotUser(hubspot_simulator)
    remote_id = person.make(email="ada@customer.example.org", firstname="Ada")
    sync()
    person.delete(remote_id)
    Cursor.objects.update(gone_up_to=None)
    sync()
    assert Link.objects.get().state == Link.State.DELETED
    return remote_id


def restore(simulator: RunningSimulator, remote_id: str) -> None:
    """Take it out of the recycle bin; its time of change stays what it was."""
    at = Link.objects.get(remote_id=remote_id).remote_version
    assert at is not None
    found = {"object": "contacts", "id": remote_id, "archived": False}
    simulator.seed([{**found, "updatedAt": at.isoformat(), "silent": True}])


def wait_out() -> None:
    """Let the quarantine of all that was deleted there pass."""
    Link.objects.update(gone_at=queue.now() - timedelta(days=8))
    Cursor.objects.update(gone_up_to=queue.now() - timedelta(hours=1))


def calls(simulator: RunningSimulator) -> int:
    total: int = simulator.stats()["total"]
    return total


def test_a_hint_about_a_restored_record_links_it_again(
    mapping: ObjectMapping, deleted: str, hubspot_simulator: RunningSimulator
) -> None:
    restore(hubspot_simulator, deleted)

    queue.ask(failures_in.asks(mapping, [deleted]))
    sync(1)

    link = Link.objects.get()
    assert (link.state, link.gone_at) == (Link.State.LINKED, None)


def test_a_full_comparison_links_a_restored_record_again(
    mapping: ObjectMapping, deleted: str, hubspot_simulator: RunningSimulator
) -> None:
    restore(hubspot_simulator, deleted)

    runs.start(mapping, Run.Kind.RECONCILE)
    sync(2)

    link = Link.objects.get()
    assert (link.state, link.gone_at) == (Link.State.LINKED, None)


def test_a_record_restored_unnoticed_is_not_deleted_after_the_quarantine(
    mapping: ObjectMapping, deleted: str, hubspot_simulator: RunningSimulator
) -> None:
    restore(hubspot_simulator, deleted)
    wait_out()

    sync(1)

    assert Link.objects.get().state == Link.State.LINKED
    assert Lead.objects.count() == 1


def test_what_is_gone_still_is_deleted_after_the_quarantine(
    mapping: ObjectMapping, deleted: str
) -> None:
    wait_out()

    sync(1)

    assert not Lead.objects.exists()
    assert not Link.objects.exists()


@pytest.mark.parametrize("fault", ["403", "429", "503"])
def test_nothing_is_deleted_while_nobody_can_look(
    mapping: ObjectMapping,
    deleted: str,
    hubspot_simulator: RunningSimulator,
    fault: str,
) -> None:
    wait_out()
    hubspot_simulator.set_fault(fault, object="contacts")

    sync(1)

    assert Link.objects.get().state == Link.State.DELETED
    assert Lead.objects.count() == 1


def test_the_clock_calls_no_crm(
    mapping: ObjectMapping, deleted: str, hubspot_simulator: RunningSimulator
) -> None:
    wait_out()
    before = calls(hubspot_simulator)

    plans.ask_due()

    assert calls(hubspot_simulator) == before
    assert Lead.objects.count() == 1

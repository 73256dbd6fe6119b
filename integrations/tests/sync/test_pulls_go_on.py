"""A pull that fails comes again; nothing but a person ends the polling of a mapping."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.connectors.hubspot import searching
from integrations.models import Connection, Cursor, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import CONTACTS, HubSpotUser, only, sync
from leads.models import Lead

START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, polled once from now on."""
    [found] = only(hubspot, "contacts")
    pull.ask_pull(found)
    sync(1)
    return found


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def pull_item() -> WorkItem:
    return WorkItem.objects.get(kind=pull.KIND)


def refuse_once(mapping: ObjectMapping, simulator: RunningSimulator) -> None:
    """Let one poll be refused; the CRM is well afterwards."""
    simulator.set_fault("403", path="search", count=1)
    pull.ask_pull(mapping, soon=True)
    pull.pull_due()
    simulator.clear_faults()


def let_pass(minutes: int) -> None:
    """Let the pull's failure be so much older."""
    item = pull_item()
    assert item.failed_at is not None
    WorkItem.objects.filter(pk=item.pk).update(
        failed_at=item.failed_at - minutes * MINUTE
    )


def test_a_refused_pull_comes_again_by_itself(
    mapping: ObjectMapping, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)
    person.make(email="later@customer.example.org")

    let_pass(1)
    pull.ask_due()
    pull.pull_due()

    assert Lead.objects.filter(email="later@customer.example.org").exists()
    item = pull_item()
    assert (item.state, item.error) == (State.READY, "")


def test_it_is_listed_as_failed_and_waits_before_it_comes_again(
    mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)

    pull.ask_due()

    item = pull_item()
    assert (item.state, item.error_class) == (State.PARKED, "permission")


def test_its_error_stays_told_while_it_is_tried_again(
    mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)

    let_pass(1)
    pull.ask_due()

    item = pull_item()
    assert item.state == State.READY
    assert (item.error_class, item.failed_at is None) == ("permission", False)


def test_asks_and_what_became_of_them_still_add_up(
    mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)
    let_pass(1)
    pull.ask_due()
    pull.pull_due()

    told = queue.ledger()
    assert (told["dead"], told["waiting"], told["difference"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("failing", "waits"),
    [(0, 1), (1, 2), (3, 6), (9, 18), (27, 54), (81, 60), (6000, 60)],
)
def test_it_comes_again_later_the_longer_it_fails(failing: int, waits: int) -> None:
    item = WorkItem(failing_since=START, failed_at=START + failing * MINUTE)

    assert pull._waits(item) == waits * MINUTE


def test_a_pull_that_takes_its_worker_down_comes_again_hourly() -> None:
    item = WorkItem(failing_since=None, failed_at=START)

    assert pull._waits(item) == 60 * MINUTE


def test_a_mapping_that_is_switched_off_is_left_alone(
    mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)
    ObjectMapping.objects.filter(pk=mapping.pk).update(active=False)

    let_pass(1)
    pull.ask_due()

    assert pull_item().state == State.PARKED


def test_a_pull_that_waits_for_a_person_does_not_come_by_itself(
    mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    refuse_once(mapping, hubspot_simulator)
    WorkItem.objects.filter(kind=pull.KIND).update(error_class="braked")

    let_pass(1)
    pull.ask_due()

    assert pull_item().state == State.PARKED


# --- what vanished --------------------------------------------------------------------


def ask_what_is_gone(mapping: ObjectMapping) -> None:
    Cursor.objects.update(gone_up_to=None)
    pull.ask_pull(mapping, soon=True)
    pull.pull_due()


def test_an_account_that_knows_no_merges_is_asked_for_its_deletions(
    mapping: ObjectMapping, person: HubSpotUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = person.make(email="gone@customer.example.org")
    sync()
    person.delete(gone)

    monkeypatch.setattr(searching, "MERGED_FIELD", "no_such_property")
    ask_what_is_gone(mapping)

    assert Link.objects.get(remote_id=gone).state == Link.State.DELETED
    item = pull_item()
    assert (item.state, item.error) == (State.READY, "")


def test_changes_come_in_though_deletions_are_refused(
    mapping: ObjectMapping, person: HubSpotUser, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.set_fault("403", method="GET", object="contacts")
    made = CONTACTS + "/batch/create"
    person.call("POST", made, {"inputs": [{"properties": {"email": "a@x.example"}}]})
    ask_what_is_gone(mapping)

    item = pull_item()
    assert Lead.objects.filter(email="a@x.example").exists()
    assert (item.state, item.error_class) == (State.READY, "permission")
    assert Cursor.objects.get().gone_up_to is None

    hubspot_simulator.clear_faults()
    pull.ask_pull(mapping, soon=True)
    pull.pull_due()

    assert pull_item().error == ""
    assert Cursor.objects.get().gone_up_to is not None

"""The push engine where things happen at the same time, or are not as expected."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone
from django_scopes import scope

from crmsync.core import queue
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.queue import Ask
from crmsync.core.services import Actor
from integrations.connectors import session
from integrations.models import Connection, Link, ObjectMapping
from integrations.services import reconnect_with_token
from integrations.services.connect import disconnect, queue_setup
from integrations.services.mappings import set_active
from integrations.services.setup import set_up_due
from integrations.simulators.testing import RunningSimulator
from integrations.sync.push import push_due
from integrations.sync.repair import end_unmapped, release_orphans
from integrations.tasks import drain
from integrations.tests.sync.test_push import (
    ORIGIN,
    calls,
    log,
    make_due,
    record,
    reply,
)
from leads.models import Activity, Deal, Lead, Stage
from leads.services import records
from leads.services.records import Edit
from leads.testing import make_custom_field


def mapping_to(remote_object: str) -> ObjectMapping:
    return ObjectMapping.objects.get(remote_object=remote_object)


def item_of(remote_object: str) -> WorkItem:
    return WorkItem.objects.get(kind="push", group=str(mapping_to(remote_object).pk))


def edit(workspace: Workspace, record_type: str, pk: int, **values: object) -> None:
    records.update(workspace, record_type, [Edit(pk, values)], origin=ORIGIN)


def beside(workspace: Workspace, job: Callable[[], object]) -> threading.Thread:
    """Run a job in a thread of its own, as another worker would."""

    def run() -> None:
        with scope(workspace=workspace):
            job()
        session.close_all()
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


# --- one record in the CRM, two here --------------------------------------------------


def test_address_of_another_contact_parks_the_edit_instead_of_trying_for_ever(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    push_due()
    hubspot_simulator.seed(
        [{"object": "contacts", "properties": {"email": "taken@example.org"}}]
    )
    before = len(log(hubspot_simulator))
    edit(workspace, "lead", Lead.objects.get().pk, email="taken@example.org")

    push_due()

    item = item_of("contacts")
    assert (item.state, item.error_class) == (State.PARKED, "duplicate")
    assert len(calls(hubspot_simulator, before)) == 1


def test_two_leads_that_are_one_contact_do_not_spoil_the_batch(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, *[reply(number) for number in range(3)])
    Lead.objects.filter(email__startswith="person2").update(
        email="PERSON1@customer.example.org"
    )

    push_due()

    parked = WorkItem.objects.get(state=State.PARKED)
    assert (parked.error_class, parked.error_code) == ("duplicate", "ALREADY_LINKED")
    assert Link.objects.filter(remote_object="contacts").count() == 2
    assert len(hubspot_simulator.dump("notes")) == 2


def test_open_deal_of_two_contacts_is_taken_over_once(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    people = [
        {
            "object": "contacts",
            "properties": {"email": f"person{number}@customer.example.org"},
            "key": f"p{number}",
        }
        for number in (1, 2)
    ]
    deal = {
        "object": "deals",
        "properties": {
            "dealname": "Big one",
            "pipeline": "default",
            "dealstage": "qualifiedtobuy",
        },
        "key": "deal",
    }
    hubspot_simulator.seed(
        [*people, deal],
        [
            {"from": ["deals", "deal"], "to": ["contacts", f"p{number}"]}
            for number in (1, 2)
        ],
    )
    record(workspace, reply(1), reply(2))

    push_due()

    assert not WorkItem.objects.exclude(state=State.DONE).exists()
    assert Link.objects.filter(remote_object="deals").count() == 2
    assert len(hubspot_simulator.dump("deals")) == 2
    assert len(hubspot_simulator.dump("notes")) == 2


# --- edits meanwhile ------------------------------------------------------------------


def test_stage_moved_while_the_answer_was_lost_reaches_the_crm(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.set_fault(
        "drop_after_apply", object="deals", method="POST", count=1
    )
    record(workspace, reply())
    push_due()
    stage = Stage.objects.get(name="Qualified")
    edit(workspace, "deal", Deal.objects.get().pk, stage_id=stage.pk)
    make_due()

    push_due()

    (deal,) = hubspot_simulator.dump("deals")
    wanted = mapping_to("deals").rows.get(destination="dealstage").values
    assert deal["properties"]["dealstage"] == wanted[str(stage.pk)]


def test_child_of_what_failed_says_so_and_goes_on_once_it_is_mended(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    note = item_of("notes")
    (claimed,) = queue.claim(
        "push", channel_id=note.channel_id, group=note.group, limit=1
    )
    queue.wait_for(claimed, item_of("contacts").key, "Waiting for lead to be sent.")
    Lead.objects.update(email="not-an-address")
    push_due()
    told = item_of("notes")

    edit(workspace, "lead", Lead.objects.get().pk, email="pat@customer.example.org")
    push_due()

    assert told.state == State.WAITING
    assert "could not be sent" in told.error
    assert len(hubspot_simulator.dump("notes")) == 1


def test_reply_of_a_contact_deleted_in_the_crm_says_what_is_in_its_way(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    push_due()
    Link.objects.filter(remote_object="contacts").update(state=Link.State.DELETED)
    before = len(log(hubspot_simulator))

    record(workspace, reply(key="later"))
    push_due()

    parked = WorkItem.objects.get(state=State.PARKED, group=str(mapping_to("notes").pk))
    assert "was deleted in the CRM" in parked.error
    assert calls(hubspot_simulator, before) == []


# --- the connection -------------------------------------------------------------------


def test_sign_in_that_ends_within_a_batch_gives_nothing_up(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply(1))
    push_due()
    edit(workspace, "lead", Lead.objects.get().pk, job_title="Buyer")
    record(workspace, reply(2))
    hubspot_simulator.set_fault("401", path="contacts/batch/upsert", count=1)

    push_due()
    parked = WorkItem.objects.filter(state=State.PARKED).count()
    hubspot.refresh_from_db()
    status = hubspot.status
    reconnect_with_token(hubspot, "pat-demo-token")
    set_up_due()
    push_due()

    assert parked == 0
    assert status == Connection.Status.NEEDS_REAUTH
    assert len(hubspot_simulator.dump("contacts")) == 2
    assert not WorkItem.objects.exclude(state=State.DONE).exists()


def test_disconnecting_during_a_push_stays_disconnected(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    hubspot_simulator.set_fault("latency", object="contacts", count=1, seconds=1.5)
    worker = beside(workspace, push_due)
    _until(lambda: WorkItem.objects.filter(state=State.LEASED).exists())

    disconnect(hubspot)
    worker.join()

    hubspot.refresh_from_db()
    assert hubspot.status == Connection.Status.DISCONNECTED
    assert not WorkItem.objects.filter(state=State.LEASED).exists()


def test_refusal_of_the_old_token_does_not_undo_a_new_sign_in(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    hubspot_simulator.set_fault("latency", path="contacts/batch", count=1, seconds=2)
    hubspot_simulator.set_fault("401", path="contacts/batch", count=1)
    worker = beside(workspace, push_due)
    _until(lambda: WorkItem.objects.filter(state=State.LEASED).exists())

    reconnect_with_token(hubspot, "pat-demo-token")
    worker.join()
    set_up_due()
    push_due()

    hubspot.refresh_from_db()
    assert hubspot.status == Connection.Status.ACTIVE
    assert Channel.objects.get(connection=hubspot).blocked_because == ""
    assert len(hubspot_simulator.dump("notes")) == 1


def test_set_up_of_a_connection_that_was_disconnected_does_not_revive_it(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    queue_setup(hubspot)
    hubspot_simulator.set_fault("latency", path="properties", count=1, seconds=1.5)
    worker = beside(workspace, set_up_due)
    _until(lambda: WorkItem.objects.filter(state=State.LEASED).exists())

    disconnect(hubspot)
    worker.join()

    hubspot.refresh_from_db()
    assert hubspot.status == Connection.Status.DISCONNECTED


def test_set_up_that_breaks_keeps_no_other_work_from_being_done(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    broken = Connection.objects.create(
        workspace=workspace,
        vendor="unheard",
        name="Broken",
        auth="token",
        channel=queue.channel("connection:broken"),
    )
    queue_setup(broken)
    record(workspace, reply())
    # For longer than it is left to the worker of what is urgent.
    WorkItem.objects.update(not_before=queue.now() - timedelta(minutes=1))

    drain()

    item = WorkItem.objects.get(kind="setup", key=str(broken.pk))
    assert item.error_class == "bug"
    assert len(hubspot_simulator.dump("notes")) == 1


def _until(happened: Callable[[], bool]) -> None:
    clock = threading.Event()
    for _ in range(500):
        if happened():
            return
        clock.wait(0.02)
    raise AssertionError("it did not happen within ten seconds")


# --- mappings -------------------------------------------------------------------------


def test_mapping_switched_off_sends_nothing_that_was_queued_before(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    set_active(mapping_to("deals"), Actor(), active=False)

    push_due()

    assert hubspot_simulator.dump("deals") == []
    assert item_of("deals").state == State.DONE
    assert len(hubspot_simulator.dump("notes")) == 1


def test_work_of_a_mapping_that_is_gone_ends(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    mapping = mapping_to("deals")
    pk = mapping.pk
    mapping.delete()

    end_unmapped()

    left = WorkItem.objects.get(group=str(pk))
    assert (left.state, left.skipped) == (State.DONE, 1)
    assert queue.ledger()["difference"] == 0


def test_cleared_own_field_is_cleared_there_when_the_mapping_says_so(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    make_custom_field(workspace, name="quarter", type="text")
    row = mapping_to("contacts").rows.get(destination="city")
    row.source, row.clear_blanks = "custom.quarter", True
    row.save()
    record(workspace, reply())
    lead = Lead.objects.get()
    edit(workspace, "lead", lead.pk, custom={"quarter": "Altona"})
    push_due()
    before = hubspot_simulator.dump("contacts")[0]["properties"]["city"]

    edit(workspace, "lead", lead.pk, custom={"quarter": None})
    push_due()

    after = hubspot_simulator.dump("contacts")[0]["properties"].get("city")
    assert before == "Altona"
    assert not after


# --- odd values -----------------------------------------------------------------------


@pytest.mark.parametrize("body", ["x" * 70_000, "&<" * 40_000, "👩‍👩‍👧" * 30_000])
def test_message_longer_than_a_note_can_be_is_cut_and_says_so(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    body: str,
) -> None:
    record(workspace, reply())
    Activity.objects.update(body=body)

    push_due()

    (note,) = hubspot_simulator.dump("notes")
    text = note["properties"]["hs_note_body"]
    assert len(text.encode("utf-16-le")) // 2 <= 65_536
    assert "Campaign: Autumn outreach" in text
    assert "cut" in text


# --- the sweep ------------------------------------------------------------------------


def test_orphan_is_found_behind_a_thousand_that_wait_rightly(
    workspace: Workspace, hubspot: Connection
) -> None:
    mapping = mapping_to("contacts")
    assert hubspot.channel_id is not None
    queue.ask(
        Ask(workspace.pk, "push", f"{mapping.pk}:{number}", hubspot.channel_id)
        for number in range(1, 1202)
    )
    WorkItem.objects.filter(kind="push").update(state=State.PARKED, dead=1)
    queue.ask(
        Ask(workspace.pk, "push", f"9{mapping.pk}:{number}", hubspot.channel_id)
        for number in range(1, 1202)
    )
    for item in WorkItem.objects.filter(kind="push", state=State.READY):
        number = item.key.partition(":")[2]
        item.state, item.waits_for = State.WAITING, f"{mapping.pk}:{number}"
        item.save()
    last = f"{mapping.pk}:1201"
    WorkItem.objects.filter(key=last).update(
        state=State.DONE, dead=0, applied=1, finished_at=timezone.now()
    )

    freed = release_orphans()

    assert freed == 1
    assert WorkItem.objects.get(waits_for="", key=f"9{last}").state == State.READY

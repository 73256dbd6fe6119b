"""The way of a reply into HubSpot, against the simulator."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.connectors import session
from integrations.models import ApiCall, Connection, Link, ObjectMapping, SyncEntry
from integrations.services import reconnect_with_token
from integrations.services.setup import set_up_due
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox
from integrations.sync.push import push_due
from integrations.sync.repair import release_orphans
from leads.facts import Message, Origin, PersonFacts
from leads.models import Deal, Lead
from leads.services.engagement import record_messages

ORIGIN = Origin("webhook", "lgm", "La Growth Machine")


def reply(number: int = 1, *, key: str = "", direction: str = "inbound") -> Message:
    """A message of an invented person."""
    return Message(
        source="lgm",
        key=key or f"message-{number}-{direction}",
        person=PersonFacts(
            email=f"person{number}@customer.example.org",
            first_name="Pat",
            last_name=f"Number {number}",
            company_name="Fern & Sons",
            external_id=f"lgm:{number}",
        ),
        direction=direction,  # type: ignore[arg-type]
        body="Yes, <b>let us</b> talk.\nTuesday?",
        occurred_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        channel="email",
        subject="Re: Quick question",
        thread_id=f"thread-{number}",
        campaign="Autumn outreach",
        trace_id=f"trace-{number}",
    )


def record(workspace: Workspace, *messages: Message) -> None:
    record_messages(workspace, messages, origin=ORIGIN)


def calls(simulator: RunningSimulator, since: int = 0) -> list[str]:
    """Return what has been called since that request, as "METHOD path"."""
    return [f"{one['method']} {one['path']}" for one in log(simulator)[since:]]


def log(simulator: RunningSimulator) -> list[dict[str, object]]:
    return list(simulator.requests_since())


def make_due() -> None:
    """Let the time pass that failed rows wait."""
    WorkItem.objects.update(not_before=timezone.now())


def test_reply_becomes_contact_deal_and_note_tied_together(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())

    push_due()

    (contact,) = hubspot_simulator.dump("contacts")
    (deal,) = hubspot_simulator.dump("deals")
    (note,) = hubspot_simulator.dump("notes")
    assert contact["properties"]["email"] == "person1@customer.example.org"
    assert contact["properties"]["company"] == "Fern & Sons"
    assert deal["properties"]["dealname"] == "Pat Number 1 – Fern & Sons"
    assert (
        "Yes, &lt;b&gt;let us&lt;/b&gt; talk.<br>Tuesday?"
        in note["properties"]["hs_note_body"]
    )
    assert "Campaign: Autumn outreach" in note["properties"]["hs_note_body"]
    assert "Thread: thread-1" in note["properties"]["hs_note_body"]
    assert {tie["id"] for tie in note["associations"]["contacts"]} == {contact["id"]}
    assert {tie["id"] for tie in note["associations"]["deals"]} == {deal["id"]}
    assert {tie["id"] for tie in deal["associations"]["contacts"]} == {contact["id"]}


def test_new_reply_takes_three_calls_and_a_second_one_only_its_note(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    before = len(log(hubspot_simulator))
    record(workspace, reply())
    push_due()
    first = calls(hubspot_simulator, before)
    record(workspace, reply(key="message-again"))

    push_due()

    assert first == [
        "POST /crm/v3/objects/contacts/batch/upsert",
        "POST /crm/v3/objects/deals/batch/create",
        "POST /crm/v3/objects/notes/batch/create",
    ]
    assert calls(hubspot_simulator, before + 3) == [
        "POST /crm/v3/objects/notes/batch/create"
    ]
    assert len(hubspot_simulator.dump("deals")) == 1
    assert len(hubspot_simulator.dump("notes")) == 2


def test_a_hundred_replies_share_three_calls(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    before = len(log(hubspot_simulator))
    record(workspace, *[reply(number) for number in range(100)])

    push_due()

    assert len(calls(hubspot_simulator, before)) == 3
    assert len(hubspot_simulator.dump("notes")) == 100


def test_unchanged_lead_costs_no_call(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    push_due()
    before = len(log(hubspot_simulator))
    mapping = ObjectMapping.objects.get(remote_object="contacts")
    outbox.queue_records(workspace, mapping, [Lead.objects.get().pk])

    push_due()

    assert calls(hubspot_simulator, before) == []
    assert (
        WorkItem.objects.get(key=f"{mapping.pk}:{Lead.objects.get().pk}").skipped == 1
    )


def test_blank_here_does_not_overwrite_a_value_there(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.seed(
        [
            {
                "object": "contacts",
                "properties": {
                    "email": "person1@customer.example.org",
                    "jobtitle": "Buyer",
                    "firstname": "Old",
                },
            }
        ]
    )
    record(workspace, reply())

    push_due()

    (contact,) = hubspot_simulator.dump("contacts")
    assert contact["properties"]["jobtitle"] == "Buyer"
    assert contact["properties"]["firstname"] == "Pat"
    assert Link.objects.get(remote_object="contacts").found


def test_open_deal_of_a_contact_that_was_there_is_taken_over(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.seed(
        [
            {
                "object": "contacts",
                "properties": {"email": "person1@customer.example.org"},
                "key": "pat",
            },
            {
                "object": "deals",
                "properties": {
                    "dealname": "Big one",
                    "pipeline": "default",
                    "dealstage": "qualifiedtobuy",
                },
                "key": "deal",
            },
        ],
        [{"from": ["deals", "deal"], "to": ["contacts", "pat"]}],
    )
    record(workspace, reply())

    push_due()

    (deal,) = hubspot_simulator.dump("deals")
    (note,) = hubspot_simulator.dump("notes")
    assert deal["properties"]["dealname"] == "Big one"
    assert deal["properties"]["dealstage"] == "qualifiedtobuy"
    assert {tie["id"] for tie in note["associations"]["deals"]} == {deal["id"]}


@pytest.mark.parametrize("remote_object", ["contacts", "deals", "notes"])
@pytest.mark.parametrize("kind", ["drop_after_apply", "500", "empty_2xx"])
def test_lost_answer_makes_no_second_record(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    remote_object: str,
    kind: str,
) -> None:
    hubspot_simulator.set_fault(kind, object=remote_object, method="POST", count=1)
    record(workspace, reply())
    for _ in range(4):
        push_due()
        make_due()
        release_orphans()

    push_due()

    assert len(hubspot_simulator.dump("contacts")) == 1
    assert len(hubspot_simulator.dump("deals")) == 1
    assert len(hubspot_simulator.dump("notes")) == 1
    assert not WorkItem.objects.exclude(state="done").exists()
    assert queue.ledger()["difference"] == 0


def test_throttled_connection_waits_as_told_and_uses_no_attempt(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.set_fault("429", object="contacts", count=1, retry_after="20")
    record(workspace, reply())

    push_due()

    hubspot.refresh_from_db()
    item = WorkItem.objects.get(error_class="throttled")
    assert hubspot.channel is not None
    pause = hubspot.channel.paused_until
    assert pause is not None
    assert 15 < (pause - timezone.now()).total_seconds() <= 21
    assert item.attempts == 0
    assert push_due() == 0


def test_refused_token_holds_the_connection_and_a_new_one_lets_it_go_on(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    fault = hubspot_simulator.set_fault("401", object="contacts", count=1)
    record(workspace, reply())
    push_due()
    hubspot.refresh_from_db()
    status = hubspot.status

    reconnect_with_token(hubspot, "pat-demo-token")
    set_up_due()
    push_due()

    assert fault
    assert status == Connection.Status.NEEDS_REAUTH
    assert len(hubspot_simulator.dump("notes")) == 1


def test_rejected_record_is_parked_with_the_vendors_words_and_others_go_on(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, *[reply(number) for number in range(3)])
    Lead.objects.filter(email__startswith="person1").update(email="not-an-address")

    push_due()

    parked = WorkItem.objects.get(state="parked")
    assert parked.error_class == "rejected"
    assert parked.error
    assert len(hubspot_simulator.dump("contacts")) == 2
    assert WorkItem.objects.filter(state="waiting").count() == 2
    assert SyncEntry.objects.filter(outcome="failed").count() == 1


def test_repaired_record_reaches_the_crm_by_retry_with_its_children(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    Lead.objects.update(email="not-an-address")
    push_due()
    Lead.objects.update(email="person1@customer.example.org")

    queue.retry(WorkItem.objects.filter(state="parked").values_list("pk", flat=True))
    push_due()

    assert len(hubspot_simulator.dump("notes")) == 1
    assert queue.ledger()["difference"] == 0


def test_own_message_to_a_cold_lead_stays_here(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply(direction="outbound"))

    push_due()

    assert hubspot_simulator.dump("contacts") == []
    assert hubspot_simulator.dump("notes") == []
    assert not Deal.objects.exists()
    assert SyncEntry.objects.filter(outcome="excluded").count() == 2


def test_deleted_contact_is_not_made_again(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    push_due()
    link = Link.objects.get(remote_object="contacts")
    connector, _ = session.open_connector(hubspot)
    connector.delete("contacts", [link.remote_id])
    Lead.objects.update(job_title="Buyer")
    mapping = ObjectMapping.objects.get(remote_object="contacts")
    outbox.queue_records(workspace, mapping, [link.record_id])

    push_due()

    link.refresh_from_db()
    assert link.state == Link.State.DELETED
    assert [
        one for one in hubspot_simulator.dump("contacts") if not one["archived"]
    ] == []


def test_calls_are_journalled_without_secrets(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())

    push_due()

    made = ApiCall.objects.filter(path__contains="batch").values_list("path", "outcome")
    assert dict(made) == {
        "/crm/v3/objects/contacts/batch/upsert": "ok",
        "/crm/v3/objects/deals/batch/create": "ok",
        "/crm/v3/objects/notes/batch/create": "ok",
    }
    trace = set(SyncEntry.objects.values_list("trace_id", flat=True))
    assert trace == {"trace-1"}

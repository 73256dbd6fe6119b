"""The outreach-reply pipeline: one lead, one deal, each message once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django_scopes import scope

from crmsync.core.models import Workspace
from leads.facts import Message, Origin, PersonFacts, RecordChange
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    Conversation,
    Deal,
    Lead,
    ScoreEntry,
    ScoreRule,
    Stage,
)
from leads.services.engagement import Recorded, record_messages
from leads.signals import records_changed
from leads.testing import make_deal, make_lead, make_pipeline, make_ready_workspace

ORIGIN = Origin("webhook", "lgm", "La Growth Machine")
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PAT = PersonFacts(
    email="pat@customer.example.org",
    first_name="Pat",
    last_name="Example",
    company_name="Fern & Sons",
    external_id="lgm:1",
)


@pytest.fixture
def workspace(transactional_db: None) -> Iterator[Workspace]:
    made = make_ready_workspace(phone_region="DE")
    with scope(workspace=made):
        yield made


def message(key: str = "m1", person: PersonFacts = PAT, **given: Any) -> Message:
    values: dict[str, Any] = {
        "direction": "inbound",
        "body": "Yes, let us talk.",
        "occurred_at": AT,
        "thread_id": "thread-1",
        "campaign": "Autumn outreach",
        **given,
    }
    return Message(source="lgm", key=key, person=person, **values)


def record(workspace: Workspace, *messages: Message) -> list[Recorded]:
    return record_messages(workspace, messages, origin=ORIGIN)


# --- what a message does --------------------------------------------------------------


def test_reply_makes_lead_deal_thread_and_activity_in_their_campaign(
    workspace: Workspace,
) -> None:
    record(workspace, message())

    lead, deal = Lead.objects.get(), Deal.objects.get()
    activity = Activity.objects.get()
    assert (lead.email, lead.status, lead.score) == (PAT.email, "replied", 20)
    assert (deal.lead, deal.name) == (lead, "Pat Example – Fern & Sons")
    assert deal.stage == Stage.objects.get(name="New reply")
    assert (activity.lead, activity.deal) == (lead, deal)
    assert activity.conversation == Conversation.objects.get(external_id="thread-1")
    assert activity.campaign == Campaign.objects.get(name="Autumn outreach")
    member = CampaignMember.objects.get()
    assert (member.lead, member.campaign) == (lead, activity.campaign)
    assert lead.company == Company.objects.get(domain="customer.example.org")


def test_own_message_is_kept_in_the_thread_and_counts_as_no_reply(
    workspace: Workspace,
) -> None:
    record(workspace, message(direction="outbound"))

    lead = Lead.objects.get()
    assert (lead.status, lead.score, lead.last_reply_at) == ("contacted", 0, None)
    assert not Deal.objects.exists()
    assert Activity.objects.get().conversation == Conversation.objects.get()


def test_message_of_unknown_direction_counts_as_nothing(workspace: Workspace) -> None:
    record(workspace, message(direction=""))

    lead = Lead.objects.get()
    assert (lead.status, lead.score, lead.last_activity_at) == ("new", 0, AT)
    assert not Deal.objects.exists()


def test_message_without_campaign_and_thread_is_kept_without_them(
    workspace: Workspace,
) -> None:
    record(workspace, message(campaign="", thread_id=""))

    activity = Activity.objects.get()
    assert (activity.campaign, activity.conversation) == (None, None)
    assert activity.deal == Deal.objects.get()


@pytest.mark.parametrize("together", [True, False])
def test_repeated_message_changes_nothing(workspace: Workspace, together: bool) -> None:
    first, again = message(), message(body="Changed on the way")

    if together:
        results = record(workspace, first, again)
    else:
        results = record(workspace, first) + record(workspace, again)

    assert Activity.objects.get().body == "Yes, let us talk."
    assert Lead.objects.get().score == 20
    assert [one.activity_id is None for one in results] == [False, True]


def test_person_who_may_be_two_leads_is_nobody_and_others_are_recorded(
    workspace: Workspace,
) -> None:
    make_lead(workspace, email="pat@customer.example.org")
    make_lead(workspace, email="", linkedin_id="pat-example")
    both = PersonFacts(email="pat@customer.example.org", linkedin="pat-example")
    other = PersonFacts(email="kim@customer.example.org")

    unsure, sure = record(
        workspace, message("m1", both), message("m2", other, thread_id="thread-2")
    )

    assert unsure.ambiguous is not None
    assert len(unsure.ambiguous.candidates) == 2
    assert Activity.objects.get().pk == sure.activity_id
    assert Lead.objects.count() == 3


# --- what is known already ------------------------------------------------------------


def test_blank_never_overwrites_what_is_known(workspace: Workspace) -> None:
    lead = make_lead(
        workspace,
        email=PAT.email,
        first_name="Patricia",
        job_title="Buyer",
        phone="+4930123456",
    )

    record(workspace, message(person=PersonFacts(email=PAT.email, first_name="  ")))

    lead.refresh_from_db()
    assert (lead.first_name, lead.job_title) == ("Patricia", "Buyer")
    assert lead.phone == "+4930123456"


def test_address_a_lead_has_is_kept_and_a_further_one_finds_it_too(
    workspace: Workspace,
) -> None:
    record(workspace, message())
    further = PersonFacts(email="pat@private.example.net", external_id="lgm:1")

    record(workspace, message("m2", further))
    record(workspace, message("m3", PersonFacts(email="pat@private.example.net")))

    assert Lead.objects.get().email == PAT.email
    assert Activity.objects.count() == 3


def test_status_never_goes_back(workspace: Workspace) -> None:
    lead = make_lead(workspace, email=PAT.email, status="qualified")

    record(workspace, message(), message("m2", direction="outbound"))

    lead.refresh_from_db()
    assert lead.status == "qualified"


def test_reply_joins_the_newest_open_deal_of_the_pipeline(workspace: Workspace) -> None:
    lead = make_lead(workspace, email=PAT.email)
    stages = Stage.objects.filter(pipeline__is_default=True)
    open_stage, won = stages.get(name="Qualified"), stages.get(name="Won")
    elsewhere = make_pipeline(workspace).stages.get(outcome="open")
    make_deal(workspace, lead=lead, stage=open_stage)
    newest = make_deal(workspace, lead=lead, stage=open_stage)
    make_deal(workspace, lead=lead, stage=won)
    make_deal(workspace, lead=lead, stage=elsewhere)

    record(workspace, message())

    assert Activity.objects.get().deal == newest
    assert Deal.objects.count() == 4


def test_reply_after_the_deal_was_lost_opens_another(workspace: Workspace) -> None:
    record(workspace, message())
    Deal.objects.update(stage=Stage.objects.get(name="Lost"))

    record(workspace, message("m2"))

    assert Deal.objects.count() == 2


def test_message_that_arrives_late_does_not_turn_the_thread_back(
    workspace: Workspace,
) -> None:
    record(workspace, message(occurred_at=AT))

    record(workspace, message("earlier", occurred_at=AT - timedelta(hours=2)))

    lead = Lead.objects.get()
    assert Conversation.objects.get().last_message_at == AT
    assert (lead.last_reply_at, lead.last_activity_at) == (AT, AT)


def test_points_of_a_rule_end_at_its_cap(workspace: Workspace) -> None:
    ScoreRule.objects.filter(event="reply_received").update(points=20, cap=50)
    record(workspace, message("m1"), message("m2"))

    record(workspace, message("m3"), message("m4"))

    assert Lead.objects.get().score == 50
    points = ScoreEntry.objects.order_by("id").values_list("points", flat=True)
    assert list(points) == [20, 20, 10]


def test_each_record_is_told_once_with_the_trace_of_its_message(
    workspace: Workspace,
) -> None:
    heard: list[RecordChange] = []

    def hear(sender: object, changes: list[RecordChange], **_: object) -> None:
        heard.extend(changes)

    records_changed.connect(hear)
    try:
        record(workspace, message(trace_id="trace-7"))
    finally:
        records_changed.disconnect(hear)

    lead_and_others = [one for one in heard if one.record_type != "company"]
    assert [one.record_type for one in lead_and_others] == [
        "lead",
        "deal",
        "campaign",
        "campaign_member",
        "activity",
    ]
    assert {one.origin.trace_id for one in lead_and_others} == {"trace-7"}


# --- many at a time -------------------------------------------------------------------


def test_ten_replies_of_one_person_in_one_batch_are_one_lead_and_one_deal(
    workspace: Workspace,
) -> None:
    record(workspace, *[message(f"m{number}") for number in range(10)])

    assert Lead.objects.get().score == 100
    assert Deal.objects.count() == Conversation.objects.count() == 1
    assert Activity.objects.filter(deal=Deal.objects.get()).count() == 10


def test_person_known_by_phone_alone_is_one_lead_within_a_batch(
    workspace: Workspace,
) -> None:
    caller = PersonFacts(first_name="Kim", phone="030 123456")

    record(workspace, message("m1", caller), message("m2", caller))
    record(workspace, message("m3", caller))

    assert Lead.objects.get().phone == "+4930123456"
    assert Activity.objects.count() == 3


def test_keys_learnt_within_a_batch_find_the_same_person(workspace: Workspace) -> None:
    record(
        workspace,
        message("m1", PersonFacts(linkedin="in/pat-example", external_id="lgm:1")),
        message("m2", PersonFacts(email=PAT.email, external_id="lgm:1")),
        message("m3", PersonFacts(email=PAT.email)),
    )

    assert Lead.objects.get().email == PAT.email


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_ten_replies_of_one_person_at_once_are_one_lead_and_one_deal(
    workspace: Workspace,
) -> None:
    start = threading.Barrier(10)
    raised: list[BaseException] = []

    def post(number: int) -> None:
        start.wait()
        try:
            with scope(workspace=workspace):
                _until_recorded(workspace, message(f"m{number}"))
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert raised == []
    assert Lead.objects.get().score == 100
    assert Deal.objects.count() == Conversation.objects.count() == 1
    assert Activity.objects.filter(deal=Deal.objects.get()).count() == 10


def _until_recorded(workspace: Workspace, one: Message) -> None:
    """Record as the inbox does: once more when another was in the way."""
    try:
        record(workspace, one)
    except (IntegrityError, OperationalError):
        record(workspace, one)

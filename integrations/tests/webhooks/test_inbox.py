"""From stored deliveries to records: once, and in order."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_workspace
from integrations.models import Delivery, Endpoint, Event
from integrations.testing import make_delivery, make_endpoint
from integrations.tests.live import lgm_reply
from integrations.tests.webhooks.deliveries import (
    item_of,
    receive,
    row_of,
    states,
)
from integrations.webhooks import inbox, samples
from integrations.webhooks.store import store
from leads.models import Activity, Deal, Lead, Stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_reply_becomes_a_lead_with_deal_activity_and_points(
    endpoint: Endpoint,
) -> None:
    [delivery_id] = receive(endpoint, samples.body_of("lgm", "reply_interested"))

    assert inbox.process_due() == 1

    lead = Lead.objects.get()
    assert (lead.email, lead.status) == ("ada.example@works.example.com", "replied")
    assert lead.score == 20
    deal = Deal.objects.get()
    assert (deal.lead_id, deal.stage.name) == (lead.pk, "Replied")
    activity = Activity.objects.get()
    assert (activity.deal_id, activity.direction) == (deal.pk, "inbound")
    assert activity.campaign is not None
    assert activity.conversation is not None
    assert activity.campaign.name == "Autumn outreach: heads of operations"
    assert activity.conversation.external_id == "6a0600000000000000000101"
    delivery = Delivery.objects.get(pk=delivery_id)
    assert delivery.state == "processed"
    assert delivery.processed_at is not None
    event = Event.objects.get()
    assert (event.lead_id, event.activity_id) == (lead.pk, activity.pk)
    assert event.outcome == "recorded"
    assert item_of(delivery_id).state == State.DONE
    endpoint.refresh_from_db()
    assert endpoint.last_delivery_at is not None


def test_a_linkedin_reply_needs_no_email(endpoint: Endpoint) -> None:
    receive(endpoint, samples.body_of("lgm", "reply_linkedin"))

    inbox.process_due()

    lead = Lead.objects.get()
    assert (lead.email, lead.linkedin_id) == ("", "ben-sample-102")
    assert Deal.objects.count() == 1


def test_our_own_message_is_kept_but_is_no_reply(endpoint: Endpoint) -> None:
    receive(endpoint, samples.body_of("lgm", "own_message"))

    inbox.process_due()

    lead = Lead.objects.get()
    assert (lead.status, lead.score) == ("contacted", 0)
    assert Activity.objects.get().direction == "outbound"
    assert not Deal.objects.exists()


def test_a_message_of_unknown_direction_is_no_reply(endpoint: Endpoint) -> None:
    receive(endpoint, samples.body_of("lgm", "unknown_direction"))

    inbox.process_due()

    assert Activity.objects.get().direction == ""
    assert not Deal.objects.exists()


def test_the_deal_starts_in_the_stage_of_the_endpoint(endpoint: Endpoint) -> None:
    endpoint.deal_stage = Stage.objects.get(name="Meeting")
    endpoint.save()
    receive(endpoint, lgm_reply(1))

    inbox.process_due()

    assert Deal.objects.get().stage.name == "Meeting"


def test_redelivery_changes_nothing(endpoint: Endpoint) -> None:
    first = receive(endpoint, samples.body_of("lgm", "reply_interested"))
    inbox.process_due()

    second = receive(endpoint, samples.body_of("lgm", "repeated_delivery"))

    assert second == first
    assert inbox.process_due() == 0
    assert Delivery.objects.get().seen == 2
    assert Activity.objects.count() == 1


def test_ten_replies_of_one_person_are_one_lead_one_deal_ten_activities(
    endpoint: Endpoint,
) -> None:
    receive(endpoint, *[lgm_reply(n, person=7) for n in range(10)])

    inbox.process_due()

    counts = [model.objects.count() for model in (Lead, Deal, Activity, Event)]
    assert counts == [1, 1, 10, 10]
    assert Lead.objects.get().score == 100  # capped


def test_the_same_message_through_two_endpoints_is_recorded_once(
    workspace: Workspace, endpoint: Endpoint
) -> None:
    other = make_endpoint(workspace, name="Second")

    receive(endpoint, lgm_reply(1))
    receive(other, lgm_reply(1))
    inbox.process_due()

    assert Activity.objects.count() == 1
    outcomes = Event.objects.order_by("pk").values_list("outcome", "activity_id")
    activity = Activity.objects.get().pk
    assert list(outcomes) == [("recorded", activity), ("repeat", activity)]


def test_workspaces_do_not_see_each_other(
    workspace: Workspace, endpoint: Endpoint
) -> None:
    other = make_workspace()
    theirs = make_endpoint(other)
    receive(endpoint, lgm_reply(1))
    receive(theirs, lgm_reply(1))

    assert inbox.process_due() == 2

    assert Lead.objects.count() == 1
    with in_workspace(other):
        assert Lead.objects.get().workspace_id == other.pk


@pytest.mark.parametrize(
    "extra",
    [r'"\u0000a"', r'"\ud800"', "NaN", "1e400", "9" * 5000],
    ids=["nul", "surrogate", "nan", "1e400", "5000 digits"],
)
def test_json_that_a_database_would_refuse_is_processed(
    endpoint: Endpoint, extra: str
) -> None:
    payload = {**lgm_reply(1), "messageBody": "@", "messageSubject": "@", "x": "@"}
    receive(endpoint, json.dumps(payload).replace('"@"', extra).encode())

    inbox.process_due()

    assert states() == ["processed"]
    assert "\x00" not in Activity.objects.get().body


def test_an_endpoint_deleted_meanwhile_does_not_harm_the_others(
    workspace: Workspace, endpoint: Endpoint
) -> None:
    gone = make_endpoint(workspace, name="Gone")
    rows = [row_of(gone, lgm_reply(1)), row_of(endpoint, lgm_reply(2))]
    gone.delete()

    [lost, kept] = store(rows)

    assert lost is None
    assert kept is not None
    assert WorkItem.objects.get().key == str(kept.delivery_id)


def test_equal_deliveries_of_one_flush_are_one_row(endpoint: Endpoint) -> None:
    rows = [row_of(endpoint, lgm_reply(n // 3)) for n in range(9)]

    stored = [one for one in store(rows) if one]

    assert len({one.delivery_id for one in stored}) == 3
    assert [one.is_repeat for one in stored] == [False, True, True] * 3
    ids = [one.delivery_id for one in stored]
    assert ids == sorted(ids)
    assert set(Delivery.objects.values_list("seen", flat=True)) == {3}
    assert WorkItem.objects.count() == 3


def make_rejected(endpoint: Endpoint, *, age_days: int = 0) -> Delivery:
    at = timezone.now() - timedelta(days=age_days)
    return make_delivery(
        endpoint, state="rejected", dedupe_key=None, received_at=at, status_code=400
    )


def test_rejected_deliveries_are_capped_in_age_and_number(
    workspace: Workspace, endpoint: Endpoint, settings: Any
) -> None:
    settings.WEBHOOK_REJECTED_KEEP, settings.WEBHOOK_REJECTED_DAYS = 3, 7
    make_rejected(endpoint, age_days=8)
    newest = [make_rejected(endpoint).pk for _ in range(6)][-3:]
    receive(endpoint, lgm_reply(1))
    other = make_workspace()
    theirs = make_rejected(make_endpoint(other))

    assert inbox.prune() == 4

    kept = Delivery.objects.filter(state="rejected").order_by("pk")
    assert list(kept.values_list("pk", flat=True)) == newest
    assert Delivery.objects.filter(state="received").count() == 1
    with in_workspace(other):
        assert Delivery.objects.filter(pk=theirs.pk).exists()

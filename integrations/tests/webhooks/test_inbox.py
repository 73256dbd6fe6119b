"""From stored deliveries to records: once, in order, none in another's way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_workspace
from integrations.models import Delivery, Endpoint, Event
from integrations.testing import make_delivery, make_endpoint
from integrations.tests.live import lgm_reply
from integrations.webhooks import inbox, samples
from integrations.webhooks.endpoints import look_up
from integrations.webhooks.ingest import new_trace_id
from integrations.webhooks.reading import read_json
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import Row, Stored, store
from leads.models import Activity, Deal, Lead, LeadKey, Pipeline, ScoreRule, Stage
from leads.services.scoring import DEFAULT_RULES
from leads.signals import records_changed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A workspace with a pipeline and a scoring rule; the test runs inside it."""
    made = make_workspace()
    with in_workspace(made):
        pipeline = Pipeline.objects.create(
            workspace=made, name="Sales", is_default=True
        )
        for position, name in enumerate(("Replied", "Meeting")):
            Stage.objects.create(
                workspace=made, pipeline=pipeline, name=name, position=position
            )
        event, label, points, cap = DEFAULT_RULES[0]
        ScoreRule.objects.create(
            workspace=made, event=event, label=label, points=points, cap=cap
        )
        yield made


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def receive(endpoint: Endpoint, *payloads: dict[str, object] | bytes) -> list[int]:
    """Store deliveries as the ingest does; return their ids."""
    stored = store([row_of(endpoint, one) for one in payloads])
    return [one.delivery_id for one in stored if isinstance(one, Stored)]


def row_of(endpoint: Endpoint, payload: dict[str, object] | bytes) -> Row:
    known = look_up(endpoint.token_digest)
    assert known is not None
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    source = SOURCES.get(endpoint.source, SOURCES["lgm"])
    return Row(
        endpoint=known,
        received_at=timezone.now(),
        method="POST",
        headers={"content-type": "application/json"},
        body=body,
        size=len(body),
        dedupe_key=source.dedupe_key(read_json(body), body),
        trace_id=new_trace_id(),
    )


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def item_of(delivery_id: int) -> WorkItem:
    return WorkItem.objects.get(kind="process", key=str(delivery_id))


@contextmanager
def on_change(do: Callable[..., None]) -> Iterator[None]:
    """Run something inside the transaction that records messages."""

    def receiver(*, changes: list[Any], **_: object) -> None:
        do(changes)

    records_changed.connect(receiver)
    try:
        yield
    finally:
        records_changed.disconnect(receiver)


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


# --- failures -------------------------------------------------------------------------


def test_a_parser_that_raises_leaves_its_traceback_and_harms_nobody(
    workspace: Workspace, endpoint: Endpoint
) -> None:
    broken = make_endpoint(workspace, source="removed", name="Broken")
    [poison] = receive(broken, lgm_reply(1))
    receive(endpoint, lgm_reply(2), lgm_reply(3))

    assert inbox.process_due() == 3

    assert states() == ["failed", "processed", "processed"]
    failed = Delivery.objects.get(pk=poison)
    assert "KeyError" in failed.traceback
    item = item_of(poison)
    assert (item.state, item.error_class) == (State.READY, "bug")
    assert item.not_before > timezone.now()  # tried once more, a little later


def test_what_never_can_be_read_is_parked_at_once(endpoint: Endpoint) -> None:
    [delivery_id] = receive(
        endpoint, {"messageId": "1", "leadId": "", "received": True}
    )

    inbox.process_due()

    delivery = Delivery.objects.get()
    assert delivery.state == "failed"
    assert "who this is" in delivery.reason
    item = item_of(delivery_id)
    assert (item.state, item.error_class) == (State.PARKED, "malformed")


def test_one_poison_does_not_take_its_batch_along(endpoint: Endpoint) -> None:
    ids = receive(endpoint, *[lgm_reply(n) for n in range(1, 6)])
    poison = f"{3:024x}"

    def fail(changes: list[Any]) -> None:
        if LeadKey.objects.filter(value=f"lgm:{poison}").exists():
            raise ValueError("poison")

    with on_change(fail):
        inbox.process_due()

    assert states() == ["processed", "processed", "failed", "processed", "processed"]
    assert Lead.objects.count() == 4
    assert "ValueError: poison" in Delivery.objects.get(pk=ids[2]).traceback


def test_a_failed_delivery_can_be_repeated_once_the_cause_is_gone(
    endpoint: Endpoint,
) -> None:
    [delivery_id] = receive(endpoint, lgm_reply(1))

    def fail(changes: list[Any]) -> None:
        raise ValueError("not today")

    with on_change(fail):
        inbox.process_due()
    assert states() == ["failed"]
    assert inbox.replay([delivery_id]) == 1
    inbox.process_due()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.traceback) == (
        "processed",
        "",
        "",
    )
    assert Activity.objects.count() == 1


def test_a_worker_that_lost_its_lease_records_nothing(endpoint: Endpoint) -> None:
    receive(endpoint, lgm_reply(1))

    def steal(changes: list[Any]) -> None:
        WorkItem.objects.filter(kind="process").update(lease_token=1)

    with on_change(steal):
        inbox.process_due()

    assert states() == ["received"]
    assert not Lead.objects.exists()
    assert not Event.objects.exists()


def test_a_worker_that_died_in_between_left_nothing_behind(
    endpoint: Endpoint,
) -> None:
    [delivery_id] = receive(endpoint, lgm_reply(1))

    def die(changes: list[Any]) -> None:
        raise KeyboardInterrupt

    with on_change(die), pytest.raises(KeyboardInterrupt):
        inbox.process_due()
    assert not Lead.objects.exists()
    WorkItem.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    queue.rescue()
    inbox.process_due()

    assert states() == ["processed"]
    assert Activity.objects.count() == 1
    assert item_of(delivery_id).rescues == 0
    assert queue.ledger()["difference"] == 0


def ambiguous(endpoint: Endpoint) -> int:
    """Store a delivery whose id belongs to one lead and whose e-mail to another."""
    receive(endpoint, lgm_reply(1), lgm_reply(2))
    inbox.process_due()
    mixed = lgm_reply(3, person=1)
    lead = dict(mixed["lead"], proEmail="ada.2@example.com")  # type: ignore[call-overload]
    [delivery_id] = receive(endpoint, {**mixed, "lead": lead})
    inbox.process_due()
    return delivery_id


def test_an_ambiguous_person_waits_for_a_person(endpoint: Endpoint) -> None:
    delivery_id = ambiguous(endpoint)

    delivery = Delivery.objects.get(pk=delivery_id)
    assert delivery.state == "failed"
    assert "belong to different leads" in delivery.reason
    event = Event.objects.get(delivery=delivery)
    assert (event.outcome, event.activity_id) == ("ambiguous", None)
    item = item_of(delivery_id)
    assert (item.state, item.error_class) == (State.PARKED, "ambiguous")
    assert Activity.objects.count() == 2


def test_an_ambiguous_delivery_is_recorded_after_the_leads_were_corrected(
    endpoint: Endpoint,
) -> None:
    delivery_id = ambiguous(endpoint)
    LeadKey.objects.filter(value="ada.2@example.com").delete()

    assert queue.retry([item_of(delivery_id).pk]) == 1
    inbox.process_due()

    assert states() == ["processed"] * 3
    event = Event.objects.get(delivery=delivery_id)
    assert event.outcome == "recorded"
    assert event.activity_id is not None
    assert Activity.objects.count() == 3
    assert queue.ledger()["difference"] == 0


def test_replaying_what_was_recorded_changes_nothing(endpoint: Endpoint) -> None:
    ids = receive(endpoint, lgm_reply(1), lgm_reply(2))
    inbox.process_due()
    before = list(Event.objects.order_by("pk").values())

    assert inbox.replay([*ids, 999_999]) == 2
    assert inbox.process_due() == 2

    assert list(Event.objects.order_by("pk").values()) == before
    assert Activity.objects.count() == 2
    assert states() == ["processed", "processed"]
    assert queue.ledger()["difference"] == 0


def test_another_workspaces_delivery_cannot_be_replayed(endpoint: Endpoint) -> None:
    [delivery_id] = receive(endpoint, lgm_reply(1))

    with in_workspace(make_workspace()):
        assert inbox.replay([delivery_id]) == 0


def test_a_deleted_delivery_is_skipped(endpoint: Endpoint) -> None:
    [delivery_id] = receive(endpoint, lgm_reply(1))
    Delivery.objects.all().delete()

    assert inbox.process_due() == 1

    item = item_of(delivery_id)
    assert (item.state, item.skipped) == (State.DONE, 1)


def test_large_bodies_are_processed_in_portions(endpoint: Endpoint) -> None:
    padding = "x" * (3 * 1024 * 1024)
    receive(endpoint, *[{**lgm_reply(n), "pad": padding} for n in range(5)])

    assert inbox.process_due() == 5

    assert states() == ["processed"] * 5


# --- storing --------------------------------------------------------------------------


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


# --- retention ------------------------------------------------------------------------


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

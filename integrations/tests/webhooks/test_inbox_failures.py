"""Deliveries that fail: visible, repeatable, and in nobody else's way."""

from __future__ import annotations

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
from integrations.testing import make_endpoint
from integrations.tests.live import lgm_reply
from integrations.tests.webhooks.deliveries import (
    item_of,
    on_change,
    receive,
    states,
)
from integrations.webhooks import inbox
from leads.models import Activity, Lead, LeadKey

pytestmark = pytest.mark.django_db(transaction=True)


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
    names = [str(one) for one in Lead.objects.order_by("pk")]
    assert all(name in delivery.reason for name in names)
    assert "lead " not in delivery.reason
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

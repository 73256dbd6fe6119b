"""Writes what happened in deliveries: one event per message, however often it comes."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.core.models import Workspace
from integrations.models import Delivery, Event
from leads.facts import Message
from leads.models import Activity
from leads.services.engagement import Recorded

Outcome = tuple[Delivery, Sequence[Message], Sequence[Recorded]]


def write(workspace: Workspace, outcomes: Sequence[Outcome]) -> None:
    """Store one event per message; a replay corrects it and never adds another.

    outcomes: delivery, its messages, and what became of each, in order.
    """
    before = {
        (one.delivery_id, one.key): one
        for one in Event.objects.filter(delivery__in=[d for d, _, _ in outcomes])
    }
    known = _known(outcomes)
    new, changed = [], []
    for delivery, messages, results in outcomes:
        for message, result in zip(messages, results, strict=True):
            event = _event(workspace, delivery, message, result, known)
            old = before.get((delivery.pk, message.key))
            if old is None:
                new.append(event)
            elif old.outcome != "recorded":
                event.pk, event.at = old.pk, old.at
                changed.append(event)
    Event.objects.bulk_create(new)
    fields = ["lead_id", "activity_id", "outcome", "detail"]
    Event.objects.bulk_update(changed, fields)


def _event(
    workspace: Workspace,
    delivery: Delivery,
    message: Message,
    result: Recorded,
    known: dict[tuple[str, str], tuple[int | None, int]],
) -> Event:
    lead_id, activity_id = result.lead_id, result.activity_id
    outcome, detail = "recorded", ""
    if result.ambiguous is not None:
        outcome, detail = "ambiguous", str(result.ambiguous)
    elif activity_id is None:
        outcome = "repeat"
        lead_id, activity_id = known.get((message.source, message.key), (None, None))
    return Event(
        workspace=workspace,
        delivery=delivery,
        kind=f"message.{message.direction or 'unknown'}",
        key=message.key,
        lead_id=lead_id,
        activity_id=activity_id,
        outcome=outcome,
        detail=detail[:500],
    )


def _known(
    outcomes: Sequence[Outcome],
) -> dict[tuple[str, str], tuple[int | None, int]]:
    """Return the records of messages that had come before: lead and activity."""
    repeats = [
        message.key
        for _, messages, results in outcomes
        for message, result in zip(messages, results, strict=True)
        if result.activity_id is None and result.ambiguous is None
    ]
    if not repeats:
        return {}
    rows = Activity.objects.filter(external_id__in=repeats)
    return {
        (source, key): (lead_id, pk)
        for source, key, lead_id, pk in rows.values_list(
            "source", "external_id", "lead_id", "pk"
        )
    }

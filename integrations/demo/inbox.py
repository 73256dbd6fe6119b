"""Lets the month's webhooks arrive the way real ones do, then puts the times right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min, OuterRef, Subquery

from crmsync.core.models import WorkItem
from integrations.demo.conversations import Posted
from integrations.models import Delivery, Endpoint, Event
from integrations.webhooks import inbox
from integrations.webhooks.endpoints import look_up
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import PROCESS, Row, store
from leads.models import (
    Activity,
    Campaign,
    Change,
    Company,
    Conversation,
    Deal,
    Lead,
    ScoreEntry,
    StageChange,
)

_BATCH = 200
_HEADERS = {"content-type": "application/json", "user-agent": "LaGrowthMachine"}


def receive(endpoint: Endpoint, posted: Iterable[Posted]) -> None:
    """Store the deliveries as the inbox does and process them, in order."""
    known = look_up(endpoint.token_digest)
    assert known is not None
    source = SOURCES[endpoint.source]
    rows = []
    for number, one in enumerate(posted):
        body = json.dumps(one.payload).encode()
        rows.append(
            Row(
                endpoint=known,
                received_at=one.at + timedelta(seconds=2),
                method="POST",
                headers=dict(_HEADERS),
                body=body,
                size=len(body),
                dedupe_key=source.dedupe_key(one.payload, body),
                trace_id=UUID(int=0xDE30 << 64 | number).hex,
            )
        )
    for start in range(0, len(rows), _BATCH):
        store(rows[start : start + _BATCH])
    while inbox.process_due():
        pass


@transaction.atomic
def put_times_right(endpoint: Endpoint) -> None:
    """Date what the deliveries led to by their arrival instead of by now."""
    arrived = Delivery.objects.filter(trace_id=OuterRef("trace_id"))
    when = Subquery(arrived.values("received_at")[:1])
    mine = endpoint.deliveries.values("trace_id")
    Change.objects.filter(trace_id__in=mine).update(at=when)
    ScoreEntry.objects.filter(trace_id__in=mine).update(at=when)
    _date_leads()
    _date_records()
    delivery = Delivery.objects.filter(pk=OuterRef("delivery_id"))
    events = Event.objects.filter(delivery__endpoint=endpoint)
    events.update(at=Subquery(delivery.values("received_at")[:1]))
    done = endpoint.deliveries.filter(processed_at__isnull=False)
    done.update(processed_at=F("received_at"))
    WorkItem.objects.filter(kind=PROCESS, trace_id__in=mine).update(
        created_at=when, updated_at=when, finished_at=when
    )


def _date_leads() -> None:
    """Date each lead by the first that came of it; a batch has no order inside."""
    first = Event.objects.filter(lead_id=OuterRef("record_id"))
    when = first.order_by("delivery__received_at").values("delivery__received_at")[:1]
    made = Change.objects.filter(record_type="lead", action="created")
    made.update(at=Subquery(when))


def _date_records() -> None:
    """Date each record by the change that made it."""
    for name, model in _DATED.items():
        made = Change.objects.filter(
            record_type=name, record_id=OuterRef("pk"), action="created"
        )
        when = Subquery(made.values("at")[:1])
        rows = model.objects.annotate(made=when).filter(made__isnull=False)
        ids = list(rows.values_list("pk", flat=True))
        model.objects.filter(pk__in=ids).update(created_at=when, updated_at=when)
    deal = Deal.objects.filter(pk=OuterRef("deal_id"))
    StageChange.objects.filter(from_stage=None).update(
        at=Subquery(deal.values("created_at")[:1])
    )
    first = Activity.objects.filter(conversation=OuterRef("pk")).order_by("occurred_at")
    Conversation.objects.update(created_at=Subquery(first.values("occurred_at")[:1]))
    for campaign in Campaign.objects.annotate(first=Min("activities__occurred_at")):
        if campaign.first:
            Campaign.objects.filter(pk=campaign.pk).update(created_at=campaign.first)


_DATED: dict[str, type[Lead | Company | Deal | Activity]] = {
    "lead": Lead,
    "company": Company,
    "deal": Deal,
    "activity": Activity,
}

"""Turns stored deliveries into records: each once, in order, none in another's way.

A delivery's records, its events and the end of its work item are one transaction, so
a worker that dies leaves either all of them or none.
"""

from __future__ import annotations

import logging
import random
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from crmsync.core import queue, tracing
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.scoping import in_workspace, workspace_channel
from crmsync.core.wake import wake
from integrations.models import Delivery, Endpoint
from integrations.webhooks import events, hinted
from integrations.webhooks.base import Hint, Malformed
from integrations.webhooks.hinted import TakeHints
from integrations.webhooks.reading import clean_text
from integrations.webhooks.retention import prune
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import PROCESS
from leads.facts import Message, Origin
from leads.services import engagement
from leads.services.engagement import Recorded

__all__ = ["process", "process_due", "prune", "replay"]

log = logging.getLogger(__name__)

BATCH = 100
# A hundred bodies of the largest size would fill a worker's memory.
BATCH_BYTES = 8 * 1024 * 1024
TRACEBACK_LENGTH = 20_000


class Fenced(Exception):
    """The lease went to another worker meanwhile; what we did must not count."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A delivery with its work item and what was in it."""

    item: WorkItem
    delivery: Delivery
    messages: list[Message]
    hints: list[Hint]


def process_due(take: TakeHints = hinted.take_none) -> int:
    """Process what is due, channel by channel; return how many deliveries.

    take: what is given the hints of CRMs, inside the transaction that processes them.
    Stops when nothing is due any more or the time slice is over.
    """
    until = time.monotonic() + settings.WORK_TIME_SLICE_S
    handled, progress = 0, True
    while progress:
        progress = False
        for workspace_id, channel_id, group in queue.due_groups(PROCESS):
            if time.monotonic() >= until:
                return handled
            items = queue.claim(
                PROCESS, channel_id=channel_id, group=group, limit=BATCH
            )
            if items:
                process(workspace_id, items, take)
                handled, progress = handled + len(items), True
    return handled


def process(workspace_id: int, items: Sequence[WorkItem], take: TakeHints) -> None:
    """Process leased items of one workspace, and wake what pushes the changes."""
    workspace = Workspace.objects.get(pk=workspace_id)
    with in_workspace(workspace), tracing.bound(one.trace_id for one in items):
        for some in _by_size(items):
            _settle(workspace, list(_parsed(some)), take)
        log.info("deliveries processed", extra={"count": len(items)})
    wake("integrations.tasks.rush", "urgent")


def _by_size(items: Sequence[WorkItem]) -> Iterator[list[WorkItem]]:
    """Split a batch so that its bodies fit into memory."""
    sizes = Delivery.objects.filter(pk__in=[item.key for item in items])
    size_of = {str(pk): size for pk, size in sizes.values_list("pk", "size")}
    some: list[WorkItem] = []
    total = 0
    for item in items:
        size = size_of.get(item.key, 0)
        if some and total + size > BATCH_BYTES:
            yield some
            some, total = [], 0
        some.append(item)
        total += size
    yield some


# --- reading -----------------------------------------------------------------------


def _parsed(items: Sequence[WorkItem]) -> Iterator[Parsed]:
    """Yield what could be read; what could not is marked as failed, alone."""
    deliveries = Delivery.objects.select_related(
        "endpoint__deal_stage__pipeline", "endpoint__connection"
    )
    by_key = {
        str(one.pk): one for one in deliveries.filter(pk__in=[i.key for i in items])
    }
    for item in items:
        delivery = by_key.get(item.key)
        if delivery is None:  # deleted meanwhile, by retention or a person
            queue.finish([item], skipped=True)
            continue
        try:
            parsed = _read(item, delivery)
        except Malformed as error:
            _fail(item, delivery, queue.Failure("malformed", str(error)), trace="")
        except Exception as error:
            _fail(item, delivery, _bug(error), trace=traceback.format_exc())
        else:
            yield parsed


def _read(item: WorkItem, delivery: Delivery) -> Parsed:
    source = SOURCES[delivery.endpoint.source]
    payload = source.read(bytes(delivery.body))
    messages = source.parse(
        payload, trace_id=delivery.trace_id, received_at=delivery.received_at
    )
    return Parsed(item, delivery, messages, hinted.hints_of(delivery, payload))


def _bug(error: Exception) -> queue.Failure:
    return queue.Failure("bug", clean_text(f"{type(error).__name__}: {error}"))


def _fail(
    item: WorkItem, delivery: Delivery, failure: queue.Failure, *, trace: str
) -> None:
    """Leave a delivery failed for a person to see, unless another worker has it."""
    with transaction.atomic():
        if queue.fail(item, failure, random.Random()) is None:
            return
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.FAILED,
            reason=failure.message[:300],
            traceback=clean_text(trace)[-TRACEBACK_LENGTH:],
        )
    log.warning(
        "delivery failed",
        extra={"trace_id": delivery.trace_id, "error_class": failure.error_class},
    )


# --- recording ---------------------------------------------------------------------


def _settle(workspace: Workspace, batch: Sequence[Parsed], take: TakeHints) -> None:
    """Record a batch as one; when that fails, each delivery by itself."""
    if not batch:
        return
    try:
        _twice(workspace, batch, take)
    except Exception as error:
        if len(batch) == 1:
            _give_up(batch[0], error)
            return
        log.warning(
            "batch taken apart", extra={"count": len(batch), "error": repr(error)}
        )
        for one in batch:
            _settle(workspace, [one], take)


def _twice(workspace: Workspace, batch: Sequence[Parsed], take: TakeHints) -> None:
    """Record; once more when another transaction was in the way."""
    try:
        _record(workspace, batch, take)
    except (IntegrityError, OperationalError):
        _record(workspace, batch, take)


def _give_up(one: Parsed, error: Exception) -> None:
    if isinstance(error, Fenced):
        log.warning("lease lost", extra={"trace_id": one.delivery.trace_id})
        return
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, OperationalError):
        failure = queue.Failure("transient", clean_text(str(error)))
    else:
        failure = _bug(error)
    _fail(one.item, one.delivery, failure, trace=trace)


@transaction.atomic
def _record(workspace: Workspace, batch: Sequence[Parsed], take: TakeHints) -> None:
    outcome: list[tuple[Parsed, list[Recorded]]] = []
    for endpoint, some in _by_endpoint(batch):
        if endpoint.connection is not None:
            pairs = [(one.delivery, one.hints) for one in some]
            hinted.hand_on(workspace, endpoint.connection, pairs, take)
        results = iter(
            engagement.record_messages(
                workspace,
                [message for one in some for message in one.messages],
                origin=Origin("webhook", id=endpoint.source, label=endpoint.name),
                stage=endpoint.deal_stage,
            )
        )
        outcome += [(one, [next(results) for _ in one.messages]) for one in some]
    events.write(workspace, [(one.delivery, one.messages, got) for one, got in outcome])
    clear = [one for one, got in outcome if not _doubt(got)]
    _finish(clear)
    for one, got in outcome:
        if doubt := _doubt(got):
            _park(one, doubt)


def _by_endpoint(batch: Sequence[Parsed]) -> Iterator[tuple[Endpoint, list[Parsed]]]:
    groups: dict[int, list[Parsed]] = {}
    for one in batch:
        groups.setdefault(one.delivery.endpoint_id, []).append(one)
    for some in groups.values():
        yield some[0].delivery.endpoint, some


def _doubt(results: Iterable[Recorded]) -> str:
    """Return why a person has to decide, "" when nobody has to."""
    return " ".join(str(one.ambiguous) for one in results if one.ambiguous)


def _finish(clear: Sequence[Parsed]) -> None:
    if queue.finish([one.item for one in clear]) != len(clear):
        raise Fenced
    at = timezone.now()
    Delivery.objects.filter(pk__in=[one.delivery.pk for one in clear]).update(
        state=Delivery.State.PROCESSED, processed_at=at, reason="", traceback=""
    )
    endpoints = {one.delivery.endpoint_id for one in clear}
    Endpoint.objects.filter(pk__in=endpoints).update(last_delivery_at=at)


def _park(one: Parsed, doubt: str) -> None:
    failure = queue.Failure("ambiguous", clean_text(doubt))
    if queue.fail(one.item, failure, random.Random()) is None:
        raise Fenced
    Delivery.objects.filter(pk=one.delivery.pk).update(
        state=Delivery.State.FAILED, reason=failure.message[:300], traceback=""
    )


# --- again -------------------------------------------------------------------------


def replay(delivery_ids: Iterable[int]) -> int:
    """Process deliveries of the current workspace again; return how many.

    What was recorded before is not recorded twice. Rejected ones are left alone. The
    caller wakes the workers.
    """
    chosen = Delivery.objects.filter(pk__in=list(delivery_ids))
    chosen = chosen.exclude(state=Delivery.State.REJECTED).order_by("pk")
    rows = list(chosen.values_list("pk", "workspace_id", "trace_id"))
    with transaction.atomic():
        queue.ask(
            queue.Ask(
                workspace_id=workspace_id,
                kind=PROCESS,
                key=str(pk),
                channel_id=workspace_channel(workspace_id).pk,
                trace_id=trace_id,
            )
            for pk, workspace_id, trace_id in rows
        )
        items = WorkItem.objects.filter(
            kind=PROCESS, key__in=[str(pk) for pk, *_ in rows]
        )
        # One that waits for its next try need not wait any longer.
        queue.retry(items.values_list("pk", flat=True))
        chosen.update(state=Delivery.State.RECEIVED)
    return len(rows)

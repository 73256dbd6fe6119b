"""Fills the outbox with the records of a run, chunk by chunk, and lets batches go."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.runs import run_counts
from integrations.models import ObjectMapping
from integrations.sync import outbox
from integrations.sync.driving import Drive
from leads.services.fields import MODELS, AnyRecord

CHUNK = 1000
# More than this waits at once for no good: the next edit would find a long queue.
MOST_WAITING = 20_000


def records_of(mapping: ObjectMapping, options: object) -> QuerySet[AnyRecord]:
    """Return the records a run is about: chosen ids, a filter, or all of the type."""
    rows: QuerySet[AnyRecord] = MODELS[mapping.record_type].objects.order_by("pk")
    if mapping.only_kinds:
        rows = rows.filter(kind__in=mapping.only_kinds)
    if not isinstance(options, dict):
        return rows
    if isinstance(ids := options.get("ids"), list):
        rows = rows.filter(pk__in=ids)
    if isinstance(wanted := options.get("filter"), dict):
        known = {name: value for name, value in wanted.items() if name in FILTERS}
        rows = rows.filter(**known)
    return rows


# What a manual sync can be limited to; column names, all of them indexed or small.
FILTERS = frozenset({"status", "source", "owner_id", "created_at__gte", "kind"})


def fill(drive: Drive) -> bool:
    """Ask for the next records of the run; return whether all have been asked for."""
    run, mapping = drive.run, drive.mapping
    rows = records_of(mapping, run.options)
    if run.total is None:
        drive.save(total=rows.count())
    while drive.may_go_on():
        if sum(run_counts(run.pk).values()) > MOST_WAITING:
            return False
        ids = _next(rows, run.cursor)
        if not ids:
            return True
        with transaction.atomic():
            outbox.queue_records(
                mapping.workspace, mapping, ids, lane=outbox.BULK, run=run.pk
            )
            run.cursor["last_id"] = ids[-1]
            drive.save()
    return False


def _next(rows: QuerySet[AnyRecord], cursor: dict[str, object]) -> list[int]:
    last = cursor.get("last_id", 0)
    return list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK])


def release(drive: Drive) -> bool:
    """Let go what waits for the mapping's batch; return whether all of it is due."""
    run = drive.run
    while drive.may_go_on():
        ids = _waiting(drive.mapping)
        if not ids:
            return True
        with transaction.atomic():
            rows = WorkItem.objects.filter(pk__in=ids, state=State.READY)
            released = rows.filter(not_before=outbox.WHEN_ASKED).update(
                run=run.pk, lane=outbox.BULK, not_before=queue.now()
            )
            drive.save(total=(run.total or 0) + released)
    return False


def _waiting(mapping: ObjectMapping) -> Sequence[int]:
    rows = WorkItem.objects.filter(
        kind=outbox.KIND,
        channel=mapping.connection.channel_id,
        group=str(mapping.pk),
        state=State.READY,
        not_before=outbox.WHEN_ASKED,
    )
    return list(rows.order_by("id").values_list("pk", flat=True)[:CHUNK])

"""Stops a mass deletion here before the first record of it is deleted in the CRM."""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Failure
from crmsync.core.runs import UNFINISHED
from integrations.models import Link, ObjectMapping, Run
from integrations.sync import brake, journal, outbox
from integrations.sync.calls import BRAKED
from integrations.sync.journal import Failed
from integrations.sync.plan import Delete
from leads.services.fields import MODELS

Deletes = list[tuple[WorkItem, Delete]]
CHUNK = 500


def allowed(mapping: ObjectMapping, deletes: Deletes, rng: random.Random) -> Deletes:
    """Return what may be deleted in the CRM now; the others wait in a stopped run."""
    of = Run.objects.filter(
        mapping=mapping, kind=Run.Kind.MANUAL, mass_change=Run.MassChange.DELETES
    )
    approved = set(of.filter(approved=True).values_list("pk", flat=True))
    new = [pair for pair in deletes if pair[0].run not in approved]
    waiting = of.filter(state=Run.State.STOPPED).first()
    if not new or (waiting is None and not _too_many(mapping, approved)):
        return deletes
    _hold(mapping, waiting, new, rng)
    return [pair for pair in deletes if pair[0].run in approved]


def held_by(run: Run) -> list[int]:
    """Return the rows that wait for a person's word on the run."""
    rows = WorkItem.objects.filter(run=run.pk, state=State.PARKED, error_class=BRAKED)
    return list(rows.values_list("pk", flat=True))


def _too_many(mapping: ObjectMapping, approved: set[int]) -> bool:
    """Count what waits to be deleted there, those that nobody has claimed included."""
    records = MODELS[mapping.record_type].objects.filter(pk=OuterRef("record_id"))
    links = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        state=Link.State.LINKED,
    )
    gone = list(links.filter(~Exists(records)).values_list("record_id", flat=True))
    keys = [outbox.key_of(mapping.pk, one) for one in gone]
    count = 0
    for start in range(0, len(keys), CHUNK):
        rows = WorkItem.objects.filter(
            kind=outbox.KIND, key__in=keys[start : start + CHUNK], state__in=UNFINISHED
        )
        runs = rows.values_list("run", flat=True)
        count += sum(1 for run in runs if run not in approved)
    return brake.too_many(count, of=links.count(), share=brake.DELETED_SHARE)


def _hold(
    mapping: ObjectMapping, run: Run | None, new: Deletes, rng: random.Random
) -> None:
    if run is None:
        run = Run.objects.create(
            workspace_id=mapping.workspace_id,
            connection=mapping.connection,
            mapping=mapping,
            kind=Run.Kind.MANUAL,
            direction="push",
            # Its rows are all there; it only has to wait for their end.
            cursor={"begun_all": True},
            started_at=queue.now(),
        )
    told = Failure(BRAKED, "Many records were deleted here. Approve it on its run.")
    journal.record_failed(mapping, [Failed(item, told) for item, _ in new], rng)
    ids = [item.pk for item, _ in new]
    WorkItem.objects.filter(pk__in=ids, state=State.PARKED).update(run=run.pk)
    brake.put_aside(
        run,
        Run.MassChange.DELETES,
        len(held_by(run)),
        [*run.samples, *_samples(new)],
        told="{:,} linked records were deleted here.",
    )


def _samples(deletes: Sequence[tuple[WorkItem, Delete]]) -> list[dict[str, object]]:
    return [
        {"record_id": outbox.record_of(item.key), "remote_id": one.remote_id}
        for item, one in deletes
    ]

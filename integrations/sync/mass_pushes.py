"""Stops a mass change of ours before the first record of it is written in the CRM.

Many records were deleted here: their rows wait in a run of their own until a person
approves it; all else goes out meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence

from django.db.models import Exists, OuterRef

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Failure
from crmsync.core.runs import UNFINISHED
from integrations.models import Link, ObjectMapping, Run
from integrations.sync import brake, journal, lately, outbox
from integrations.sync.brake import Brake, Limit
from integrations.sync.calls import BRAKED
from integrations.sync.journal import Failed
from integrations.sync.plan import Delete
from leads.services.fields import MODELS

Deletes = list[tuple[WorkItem, Delete]]
# What a stopped run shows of the rows that wait.
Shown = Callable[[Sequence[WorkItem]], list[dict[str, object]]]
Coming = Callable[[], Collection[str]]
CHUNK = 500


def deletes_allowed(
    mapping: ObjectMapping, deletes: Deletes, rng: random.Random
) -> Deletes:
    """Return what may be deleted in the CRM now; the others wait in a stopped run."""
    told = "{:,} linked records were deleted here."
    mine = _brake(mapping, Run.MassChange.DELETES, brake.DELETED, told)
    remote_ids = {item.pk: one.remote_id for item, one in deletes}

    def shown(held: Sequence[WorkItem]) -> list[dict[str, object]]:
        return [_sample(one, remote_ids[one.pk]) for one in held]

    held = _hold(
        mine,
        [item for item, _ in deletes],
        shown,
        rng,
        told="Many records were deleted here. Approve it on its run.",
        coming=lambda: _deleted_soon(mapping),
    )
    return [pair for pair in deletes if pair[0].pk not in held]


def held_by(run: Run) -> list[int]:
    """Return the rows that wait for a person's word on the run."""
    rows = WorkItem.objects.filter(run=run.pk, state=State.PARKED, error_class=BRAKED)
    return list(rows.values_list("pk", flat=True))


def _brake(
    mapping: ObjectMapping, change: Run.MassChange, limit: Limit, told: str
) -> Brake:
    return Brake(mapping, Run.Kind.MANUAL, change, limit=limit, told=told)


def _hold(
    mine: Brake,
    items: Sequence[WorkItem],
    shown: Shown,
    rng: random.Random,
    *,
    told: str,
    coming: Coming = frozenset,
) -> set[int]:
    """Let rows wait that nobody approved, where they are too many; return their ids.

    Of what goes on a note is kept: it counts with what comes within the hour.
    """
    by_id = {str(outbox.record_of(item.key)): item for item in items}
    name = f"{mine.change}:{mine.mapping.pk}"
    ids = mine.withheld(list(by_id), done=lambda: lately.ids(name), coming=coming)
    held = [by_id[one] for one in ids]
    if held:
        failed = [Failed(one, Failure(BRAKED, told)) for one in held]
        journal.record_failed(mine.mapping, failed, rng)
        run = mine.hold(ids, shown(held[: brake.SHOWN]))
        rows = WorkItem.objects.filter(pk__in=[one.pk for one in held])
        rows.filter(state=State.PARKED).update(run=run.pk)
    lately.note(name, set(by_id).difference(ids))
    return {one.pk for one in held}


# --- deleted here ---------------------------------------------------------------------


def _deleted_soon(mapping: ObjectMapping) -> set[str]:
    """Return what waits to be deleted there, which nobody has claimed included."""
    records = MODELS[mapping.record_type].objects.filter(pk=OuterRef("record_id"))
    links = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        state=Link.State.LINKED,
    )
    gone = list(links.filter(~Exists(records)).values_list("record_id", flat=True))
    keys = [outbox.key_of(mapping.pk, one) for one in gone]
    found: list[str] = []
    for start in range(0, len(keys), CHUNK):
        rows = WorkItem.objects.filter(
            kind=outbox.KIND, key__in=keys[start : start + CHUNK], state__in=UNFINISHED
        )
        found += rows.values_list("key", flat=True)
    return {str(outbox.record_of(one)) for one in found}


def _sample(item: WorkItem, remote_id: str) -> dict[str, object]:
    return {"record_id": outbox.record_of(item.key), "remote_id": remote_id}

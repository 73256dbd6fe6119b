"""Stops a mass change of ours before the first record of it is written in the CRM.

Many records deleted here, or many fields emptied here: their rows wait in a run of
their own until a person approves it; all else goes out meanwhile.
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
from integrations.sync.cases import base_of
from integrations.sync.journal import Failed
from integrations.sync.links import links_of
from integrations.sync.plan import Delete, Send
from integrations.sync.subjects import Subject
from leads.services.fields import MODELS

Deletes = list[tuple[WorkItem, Delete]]
Sends = list[tuple[WorkItem, Subject, Send]]
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


def clears_allowed(mapping: ObjectMapping, sends: Sends, rng: random.Random) -> Sends:
    """Return what may be written now; what empties too many fields there waits."""
    clears = _without_reverts([one for one in sends if _empties(one[2])])
    if not clears:
        return sends
    told = "{:,} records would have fields emptied in the CRM."
    mine = _brake(mapping, Run.MassChange.CLEARS, brake.CLEARED, told)
    sent = {item.pk: one for item, _, one in clears}

    def shown(held: Sequence[WorkItem]) -> list[dict[str, object]]:
        return _emptied(mapping, [(one, sent[one.pk]) for one in held])

    held = _hold(
        mine,
        [item for item, _, _ in clears],
        shown,
        rng,
        told="Fields of many records were emptied here. Approve it on its run.",
    )
    return [one for one in sends if one[0].pk not in held]


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
    links = Link.objects.of(mapping).filter(state=Link.State.LINKED)
    gone = list(links.filter(~Exists(records)).values_list("record_id", flat=True))
    keys = [outbox.key_of(mapping.pk, one) for one in gone]
    found: list[str] = []
    for start in range(0, len(keys), CHUNK):
        rows = WorkItem.objects.filter(
            kind=outbox.KIND, key__in=keys[start : start + CHUNK], state__in=UNFINISHED
        )
        found += rows.values_list("key", flat=True)
    return {str(outbox.record_of(one)) for one in found}


# --- emptied here ---------------------------------------------------------------------


def _empties(send: Send) -> bool:
    """Tell whether a record that is there loses a value by this."""
    return bool(send.write.remote_id) and "" in send.write.fields.values()


def _without_reverts(sends: Sends) -> Sends:
    """Leave out what a person asked for when they took a run back."""
    runs = {item.run for item, _, _ in sends if item.run is not None}
    if not runs:
        return sends
    rows = Run.objects.filter(pk__in=runs, kind=Run.Kind.REVERT)
    reverts = set(rows.values_list("pk", flat=True))
    return [one for one in sends if one[0].run not in reverts]


def _emptied(
    mapping: ObjectMapping, sends: Sequence[tuple[WorkItem, Send]]
) -> list[dict[str, object]]:
    """Return what each record would lose, as the CRM had it when we last looked."""
    ids = [outbox.record_of(item.key) for item, _ in sends]
    links = links_of(mapping, ids)
    found = []
    for item, send in sends:
        link = links.get(outbox.record_of(item.key))
        lost = [name for name, text in send.write.fields.items() if text == ""]
        known = {n: base_of(link.base, n) if link is not None else None for n in lost}
        there = {n: [base.crm if base else "", ""] for n, base in known.items()}
        found.append(_sample(item, send.write.remote_id) | {"there": there})
    return found


def _sample(item: WorkItem, remote_id: str | None) -> dict[str, object]:
    return {"record_id": outbox.record_of(item.key), "remote_id": remote_id}

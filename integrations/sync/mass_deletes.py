"""Deletions that wait for a person, since more came than ever does by hand.

What a run lists is what its approval is about: records that vanish later are asked
about anew. Nothing else of the mapping waits for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet

from crmsync.core import queue
from integrations.models import Link, ObjectMapping, Run
from integrations.sync import brake

# Deletions of so long are counted together, however few come at once.
WINDOW = timedelta(hours=1)
# A person's no is kept as long as the same deletions may be read again.
REFUSED_FOR = timedelta(days=1)
# In `Run.cursor`: the remote ids that a run was stopped for.
LISTED = "deletes"


def allowed(mapping: ObjectMapping, links: Sequence[Link]) -> list[Link]:
    """Return those whose deletion may be followed now; list the others for a person."""
    refused = _ids(_runs(mapping, Run.State.CANCELLED, within=REFUSED_FOR))
    links = [one for one in links if one.remote_id not in refused]
    approved = approved_ids(mapping)
    new = [one for one in links if one.remote_id not in approved]
    waiting = _stopped(mapping)
    told = list(dict.fromkeys([*listed(waiting), *(one.remote_id for one in new)]))
    if not new or not are_too_many(mapping, len(told), approved=approved):
        return links
    _list(mapping, waiting, told, new)
    return [one for one in links if one.remote_id in approved]


def are_too_many(
    mapping: ObjectMapping, count: int, *, approved: Iterable[str] = ()
) -> bool:
    """Tell whether so many more deletions are too many, with those of the last hour.

    approved: ids a person was asked about, which do not count.
    """
    recent = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        state=Link.State.DELETED,
        gone_at__gte=queue.now() - WINDOW,
    )
    gone = set(recent.values_list("remote_id", flat=True))
    of = brake.links_of(mapping) + len(gone)
    total = len(gone.difference(approved)) + count
    return brake.too_many(total, of=of, share=brake.DELETED_SHARE)


def listed(run: Run | None) -> list[str]:
    """Return the remote ids of the deletions a run was stopped for."""
    found = run.cursor.get(LISTED) if run is not None else None
    return [str(one) for one in found] if isinstance(found, list) else []


def approved_ids(mapping: ObjectMapping) -> set[str]:
    """Return the ids a person approved within the time that is counted together."""
    rows = _of(mapping).filter(approved=True)
    recent = Q(finished_at=None) | Q(finished_at__gte=queue.now() - WINDOW)
    return _ids(rows.filter(recent))


def approved_runs(mapping: ObjectMapping) -> QuerySet[Run]:
    """Return the runs that wait to be carried out, since a person approved them."""
    return _polled(mapping).filter(approved=True, finished_at=None)


def samples(links: Iterable[Link]) -> list[dict[str, object]]:
    """Return what a stopped run shows of deletions."""
    return [{"record_id": one.record_id, "remote_id": one.remote_id} for one in links]


def _list(
    mapping: ObjectMapping, run: Run | None, told: list[str], links: Sequence[Link]
) -> None:
    if run is None:
        run = Run(
            workspace_id=mapping.workspace_id,
            connection=mapping.connection,
            mapping=mapping,
            kind=Run.Kind.PULL,
            direction="pull",
            started_at=queue.now(),
        )
        run.save()
    run.cursor[LISTED] = told
    shown = [*run.samples, *samples(links)]
    brake.put_aside(run, Run.MassChange.DELETES, len(told), shown)


def _stopped(mapping: ObjectMapping) -> Run | None:
    return _polled(mapping).filter(state=Run.State.STOPPED).first()


def _runs(mapping: ObjectMapping, state: str, *, within: timedelta) -> QuerySet[Run]:
    since = queue.now() - within
    return _polled(mapping).filter(state=state, finished_at__gte=since)


def _polled(mapping: ObjectMapping) -> QuerySet[Run]:
    return _of(mapping).filter(kind=Run.Kind.PULL)


def _of(mapping: ObjectMapping) -> QuerySet[Run]:
    return Run.objects.filter(mapping=mapping, mass_change=Run.MassChange.DELETES)


def _ids(runs: Iterable[Run]) -> set[str]:
    return {one for run in runs for one in listed(run)}

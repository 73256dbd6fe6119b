"""Deletions in a CRM that wait for a person, since more came than ever does by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmsync.core import queue
from integrations.models import Link, ObjectMapping, Run
from integrations.sync import brake
from integrations.sync.brake import Brake

TOLD = "{:,} linked records were deleted in the CRM."


def brake_of(mapping: ObjectMapping) -> Brake:
    """Return the brake of what polls and hints say was deleted there."""
    return Brake(
        mapping, Run.Kind.PULL, Run.MassChange.DELETES, limit=brake.DELETED, told=TOLD
    )


def allowed(mapping: ObjectMapping, links: Sequence[Link]) -> list[Link]:
    """Return those whose deletion may be followed now; list the others for a person."""
    mine = brake_of(mapping)
    refused = mine.refused()
    links = [one for one in links if one.remote_id not in refused]
    held = set(_withheld(mine, links))
    if held:
        waiting = [one for one in links if one.remote_id in held]
        mine.hold([one.remote_id for one in waiting], _samples(waiting))
    return [one for one in links if one.remote_id not in held]


def check(mapping: ObjectMapping, links: Sequence[Link], *, run: Run) -> None:
    """Raise Braked when more vanished than ever does by hand, since run last looked.

    An approval is of the records that were listed then.
    """
    if not _withheld(brake_of(mapping), links):
        return
    run.approved = False
    run.cursor[brake.LISTED] = [one.remote_id for one in links]
    run.save(update_fields=["approved"])
    change = Run.MassChange.DELETES
    brake.stop(run, change, len(links), _samples(links), told=TOLD)


def _withheld(mine: Brake, links: Sequence[Link]) -> list[str]:
    ids = [one.remote_id for one in links]
    return mine.withheld(ids, done=lambda: _deleted_lately(mine.mapping))


def _deleted_lately(mapping: ObjectMapping) -> set[str]:
    recent = Link.objects.of(mapping).filter(
        state=Link.State.DELETED, gone_at__gte=queue.now() - brake.WINDOW
    )
    return set(recent.values_list("remote_id", flat=True))


def _samples(links: Iterable[Link]) -> list[dict[str, object]]:
    return [{"record_id": one.record_id, "remote_id": one.remote_id} for one in links]

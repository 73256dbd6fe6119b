"""Takes a merge back: two records again, each as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from leads.facts import Origin
from leads.models import Merge
from leads.services import changes, moving, removal, saving
from leads.services.drafts import Draft
from leads.services.merging import TIMES
from leads.services.saving import in_transaction

UNDO_FOR = timedelta(days=30)


class CannotUndo(Exception):
    """Nothing was changed; the message says what stands in the way."""


def undo(merge: Merge, *, origin: Origin) -> Merge:
    """Part the two records again, each as it was; what came since stays the winner's.

    Raises CannotUndo where parting them would lose or double something.
    """

    def write() -> Merge:
        row = Merge.objects.select_for_update().get(pk=merge.pk)
        _refuse_late(row, timezone.now())
        winner = saving.locked(row.record_type, [row.winner_id]).get(row.winner_id)
        if winner is None:
            raise CannotUndo("The record they became is gone.")
        draft = Draft(winner, is_new=False)
        _give_back(row, draft)
        _restore(row, draft, origin)
        row.undone_at = timezone.now()
        row.save(update_fields=["undone_at"])
        return row

    return in_transaction(merge.workspace, write)


def _refuse_late(row: Merge, now: datetime) -> None:
    if row.undone_at is not None:
        raise CannotUndo("It was taken back already.")
    if now - row.at > UNDO_FOR or not row.kept:
        raise CannotUndo(f"A merge can be taken back for {UNDO_FOR.days} days.")


def _give_back(row: Merge, winner: Draft) -> None:
    """Give the winner its own values back, unless somebody changed them since."""
    given: Mapping[str, Sequence[object]] = row.kept["winner"]
    newer = []
    for name, (old, new) in given.items():
        own = name.removeprefix("custom.")
        record = winner.record
        now = record.custom.get(own) if own != name else getattr(record, name)
        if name == "score":
            # Points that came since stay with the winner.
            winner.set(name, int(now) - (int(str(new)) - int(str(old))))
        elif changes.as_json(now) == new:
            moving.set_json(winner, name, old)
        elif name not in TIMES:
            newer.append(name)
    if newer:
        told = ", ".join(sorted(newer))
        raise CannotUndo(f"The record they became was changed since: {told}.")


def _restore(row: Merge, winner: Draft, origin: Origin) -> None:
    """Store both, and give the loser back what was its own."""
    workspace, record_type = row.workspace, row.record_type
    taken = moving.taken_since(row.record_type, row.kept, row.winner_id)
    if taken:
        raise CannotUndo(f"Another record has this by now: {', '.join(taken)}.")
    saving.save(record_type, [winner])
    loser = moving.stored_again(record_type, row.kept["loser"])
    told = moving.move_back(
        record_type, row.kept, from_id=row.winner_id, to_id=row.loser_id, origin=origin
    )
    removal.unbury(record_type, row.loser_id)
    back = Draft(loser, is_new=True).told(record_type, origin)
    less: dict[str, tuple[object, object]] = {"merged_from": (row.loser_id, None)}
    parted = changes.updated(
        record_type, row.winner_id, {**winner.changed, **less}, origin
    )
    changes.publish(workspace, [back, parted, *told])


def forget_old(now: datetime) -> int:
    """Empty what old merges of this workspace keep of the losers; return how many."""
    old = Merge.objects.filter(at__lt=now - UNDO_FOR).exclude(kept={})
    return old.update(kept={})

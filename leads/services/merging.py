"""Makes two records one; what is needed to part them again is kept (`unmerging`)."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Lead, Merge
from leads.services import changes, moving, removal, saving
from leads.services.drafts import Draft
from leads.services.errors import InvalidFields, NoSuchRecord
from leads.services.fields import FIELDS, MODELS, AnyRecord
from leads.services.saving import in_transaction

# Fields that only make sense together: taken over as one, or not at all.
_TOGETHER: Mapping[str, frozenset[str]] = {
    "company_id": frozenset({"company_id", "company_name"}),
    "company_name": frozenset({"company_id", "company_name"}),
    "amount": frozenset({"amount"}),
    "currency": frozenset({"amount", "currency"}),
}
# Shown in lists: the later one counts.
TIMES = ("last_reply_at", "last_activity_at")


def merge(
    workspace: Workspace,
    record_type: str,
    *,
    winner_id: int,
    loser_id: int,
    origin: Origin,
) -> Merge:
    """Move all that belongs to the loser to the winner, and remove the loser.

    The winner keeps what it has; its blanks take the loser's values. Can be undone for
    30 days. Raises NoSuchRecord, and InvalidFields for a record and itself.
    """
    if winner_id == loser_id:
        raise InvalidFields.of(loser_id="A record cannot be merged into itself.")

    def write() -> Merge:
        return _merge(workspace, record_type, winner_id, loser_id, origin)

    return in_transaction(workspace, write)


def _merge(
    workspace: Workspace,
    record_type: str,
    winner_id: int,
    loser_id: int,
    origin: Origin,
) -> Merge:
    found = saving.locked(record_type, [winner_id, loser_id])
    if missing := sorted({winner_id, loser_id} - set(found)):
        raise NoSuchRecord(record_type, missing)
    winner, loser = Draft(found[winner_id], is_new=False), found[loser_id]
    kept_loser = moving.columns_of(loser)
    removal.bury(workspace, record_type, [loser], origin, merged_into=winner_id)
    moved, told = moving.move(
        record_type, from_id=loser_id, to_id=winner_id, origin=origin
    )
    MODELS[record_type].objects.filter(pk=loser_id).delete()
    _fill_blanks(record_type, winner, loser)
    saving.save(record_type, [winner])
    row = Merge.objects.create(
        workspace=workspace,
        record_type=record_type,
        winner_id=winner_id,
        loser_id=loser_id,
        kept={
            "loser": kept_loser,
            "winner": {n: changes.as_pair(pair) for n, pair in winner.changed.items()},
            **moved,
        },
        origin_kind=origin.kind,
        origin_id=origin.id,
        origin_label=origin.label,
    )
    changes.publish(workspace, [*told, *_told(record_type, winner, loser_id, origin)])
    return row


def _told(
    record_type: str, winner: Draft, loser_id: int, origin: Origin
) -> list[RecordChange]:
    winner_id = winner.record.pk
    gone: dict[str, tuple[object, object]] = {"merged_into": (None, winner_id)}
    more: dict[str, tuple[object, object]] = {"merged_from": (None, loser_id)}
    return [
        RecordChange(record_type, loser_id, "merged", gone, origin),
        changes.updated(record_type, winner_id, {**winner.changed, **more}, origin),
    ]


def _fill_blanks(record_type: str, winner: Draft, loser: AnyRecord) -> None:
    fields = FIELDS[record_type]
    blank = {n for n, f in fields.items() if getattr(winner.record, n) == f.blank}
    for name in blank & {n for n, f in fields.items() if not f.fixed}:
        value = getattr(loser, name)
        if _TOGETHER.get(name, frozenset()) <= blank and value != fields[name].blank:
            winner.set(name, value)
    if "amount" in winner.changed:
        winner.set("currency", getattr(loser, "currency", ""))
    for name, value in loser.custom.items():
        if name not in winner.record.custom:
            winner.set_custom(name, value)
    if isinstance(winner.record, Lead) and isinstance(loser, Lead):
        winner.set("score", winner.record.score + loser.score)
        for name in TIMES:
            both = [getattr(winner.record, name), getattr(loser, name)]
            winner.set(name, max(filter(None, both), default=None))

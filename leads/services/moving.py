"""Moves what belongs to one record to another, and back from a list of what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models

from leads.facts import Origin, RecordChange
from leads.models import (
    CampaignMember,
    Company,
    Conversation,
    LeadKey,
    RecordType,
    ScoreEntry,
    StageChange,
)
from leads.services import bulk, changes, saving
from leads.services.drafts import Draft
from leads.services.fields import MODELS, AnyRecord
from leads.services.memberships import further

# Records that name another, and by which field; what they change is told.
_TIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    RecordType.LEAD: (
        (RecordType.DEAL, "lead_id"),
        (RecordType.ACTIVITY, "lead_id"),
        (RecordType.CAMPAIGN_MEMBER, "lead_id"),
    ),
    RecordType.COMPANY: (
        (RecordType.LEAD, "company_id"),
        (RecordType.DEAL, "company_id"),
    ),
    RecordType.DEAL: ((RecordType.ACTIVITY, "deal_id"),),
    RecordType.CAMPAIGN: (
        (RecordType.ACTIVITY, "campaign_id"),
        (RecordType.CAMPAIGN_MEMBER, "campaign_id"),
    ),
}
# Rows that belong to a record and are none themselves.
_PARTS: Mapping[str, tuple[tuple[type[models.Model], str], ...]] = {
    RecordType.LEAD: (
        (LeadKey, "lead_id"),
        (Conversation, "lead_id"),
        (ScoreEntry, "lead_id"),
    ),
    RecordType.DEAL: ((StageChange, "deal_id"),),
}
Kept = Mapping[str, Any]


def move(
    record_type: str, *, from_id: int, to_id: int, origin: Origin
) -> tuple[dict[str, object], list[RecordChange]]:
    """Give one record's belongings to another; return what moved, and the changes.

    What moved: {"moved": {"<table>.<field>": ids}, "memberships": [column -> value]}.
    """
    moved: dict[str, list[int]] = {}
    doubled, told = _join_members(record_type, from_id, to_id, origin)
    for tied, field in _TIES.get(record_type, ()):
        rows = MODELS[tied].objects.filter(**{field: from_id})
        ids = list(rows.values_list("pk", flat=True))
        moved[f"{tied}.{field}"] = ids
        told += _retie(tied, field, ids, to_id, origin)
    for model, field in _PARTS.get(record_type, ()):
        parts = bulk.manager(model).filter(**{field: from_id})
        ids = list(parts.values_list("pk", flat=True))
        moved[f"{_name(model)}.{field}"] = ids
        parts.update(**{field: to_id})
    return {"moved": moved, "memberships": doubled}, told


def _retie(
    record_type: str, field: str, ids: Sequence[int], to_id: int, origin: Origin
) -> list[RecordChange]:
    records = saving.locked(record_type, ids) if ids else {}
    drafts = [Draft(record, is_new=False) for record in records.values()]
    for draft in drafts:
        draft.set(field, to_id)
    saving.save(record_type, drafts)
    return [draft.told(record_type, origin) for draft in drafts]


def _join_members(
    record_type: str, from_id: int, to_id: int, origin: Origin
) -> tuple[list[dict[str, object]], list[RecordChange]]:
    """Make one membership of two, as far on as the further one.

    Returns the loser's rows for an undo, and the changes of those that stay.
    """
    field = {RecordType.LEAD: "lead_id", RecordType.CAMPAIGN: "campaign_id"}.get(
        RecordType(record_type)
    )
    if field is None:
        return [], []
    other = "campaign_id" if field == "lead_id" else "lead_id"
    theirs = CampaignMember.objects.filter(**{field: from_id}).order_by("pk")
    by_other = {getattr(one, other): one for one in theirs.select_for_update()}
    there = CampaignMember.objects.filter(**{field: to_id, f"{other}__in": by_other})
    drafts = []
    doubled = []
    for kept in there.order_by("pk").select_for_update():
        lost = by_other[getattr(kept, other)]
        doubled.append(lost)
        draft = Draft(kept, is_new=False)
        draft.set("status", further(kept.status, lost.status))
        if draft.changed:
            drafts.append(draft)
    saving.save(RecordType.CAMPAIGN_MEMBER, drafts)
    theirs.filter(pk__in=[one.pk for one in doubled]).delete()
    told = [draft.told(RecordType.CAMPAIGN_MEMBER, origin) for draft in drafts]
    return [columns_of(one) for one in doubled], told


# --- and back -------------------------------------------------------------------------


def taken_since(record_type: str, kept: Kept, winner_id: int) -> list[str]:
    """Return the loser's keys that another record was given since."""
    loser = kept["loser"]
    if record_type == RecordType.COMPANY and loser["domain"]:
        rows = Company.objects.filter(domain=loser["domain"]).exclude(pk=winner_id)
        return list(rows.values_list("domain", flat=True))
    if record_type != RecordType.LEAD:
        return []
    values = [loser["email"], loser["linkedin_id"]]
    keys = LeadKey.objects.filter(value__in=[one for one in values if one])
    return list(keys.exclude(lead_id=winner_id).values_list("value", flat=True))


def move_back(
    record_type: str, kept: Kept, *, from_id: int, to_id: int, origin: Origin
) -> list[RecordChange]:
    """Give back what moved and is still there; return the changes."""
    told: list[RecordChange] = []
    moved: Mapping[str, list[int]] = kept["moved"]
    for tied, field in _TIES.get(record_type, ()):
        rows = MODELS[tied].objects.filter(pk__in=moved.get(f"{tied}.{field}", []))
        still = list(rows.filter(**{field: from_id}).values_list("pk", flat=True))
        told += _retie(tied, field, still, to_id, origin)
    for model, field in _PARTS.get(record_type, ()):
        ids = moved.get(f"{_name(model)}.{field}", [])
        rows = bulk.manager(model).filter(pk__in=ids, **{field: from_id})
        rows.update(**{field: to_id})
    for columns in kept["memberships"]:
        _store_row(CampaignMember, columns)
    return told


def columns_of(row: models.Model) -> dict[str, object]:
    """Return column -> JSON value of a whole row."""
    fields = bulk.columns(type(row))
    return {name: changes.as_json(getattr(row, name)) for name in fields}


def stored_again(record_type: str, columns: Mapping[str, object]) -> AnyRecord:
    """Store a deleted record again under its own id, at a version nobody has seen."""
    model = MODELS[record_type]
    version = int(str(columns["version"])) + 1
    _store_row(model, {**columns, "version": version})
    found: AnyRecord = model.objects.get(pk=columns["id"])
    return found


def _store_row(model: type[models.Model], columns: Mapping[str, object]) -> None:
    """Store a row as it was; what it named and is gone is named no longer."""
    fields = bulk.columns(model)
    values = {name: fields[name].to_python(value) for name, value in columns.items()}
    for name in [one for one in values if _is_gone(fields[one], values[one])]:
        if not fields[name].null:
            return
        values[name] = None
    row = model(**values)
    bulk.manager(model).bulk_create([row])
    # Storing sets the times anew; they are those of the first time.
    times = {n: v for n, v in values.items() if isinstance(v, datetime)}
    bulk.manager(model).filter(pk=row.pk).update(**times)


def _is_gone(field: models.Field[Any, Any], value: object) -> bool:
    if value is None or not isinstance(field, models.ForeignKey):
        return False
    rows = bulk.manager(field.remote_field.model).filter(pk=value)
    return not rows.exists()


def set_json(draft: Draft, name: str, value: object) -> None:
    """Set a field to a value as history keeps it."""
    own = name.removeprefix("custom.")
    if own != name:
        draft.set_custom(own, value)
        return
    field = bulk.columns(type(draft.record))[name]
    draft.set(name, field.to_python(value))


def _name(model: type[models.Model]) -> str:
    return model.__name__.lower()

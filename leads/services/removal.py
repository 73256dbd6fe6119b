"""Deletes records for good: told, remembered by a tombstone, and parted from others.

A lead's activities and memberships go with it; its deals stay, without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Company, LeadKey, RecordType, Tombstone
from leads.services import bulk, changes, saving
from leads.services.drafts import Draft
from leads.services.fields import FIELDS, MODELS, AnyRecord
from leads.services.saving import in_transaction


@dataclass(frozen=True, slots=True)
class _Tie:
    """Records of a type that name another by a field, and whether they go with it."""

    record_type: str
    field: str
    goes: Q | None = None


_EVERY = Q()
_TIES: Mapping[str, tuple[_Tie, ...]] = {
    RecordType.LEAD: (
        _Tie(RecordType.ACTIVITY, "lead_id", goes=_EVERY),
        _Tie(RecordType.CAMPAIGN_MEMBER, "lead_id", goes=_EVERY),
        _Tie(RecordType.DEAL, "lead_id"),
    ),
    RecordType.COMPANY: (
        _Tie(RecordType.LEAD, "company_id"),
        _Tie(RecordType.DEAL, "company_id"),
    ),
    # What is about the lead as well stays with the lead.
    RecordType.DEAL: (
        _Tie(RecordType.ACTIVITY, "deal_id", goes=Q(lead__isnull=True)),
        _Tie(RecordType.ACTIVITY, "deal_id"),
    ),
    RecordType.CAMPAIGN: (
        _Tie(RecordType.CAMPAIGN_MEMBER, "campaign_id", goes=_EVERY),
        _Tie(RecordType.ACTIVITY, "campaign_id"),
    ),
}


def delete(
    workspace: Workspace, record_type: str, ids: Collection[int], *, origin: Origin
) -> list[RecordChange]:
    """Delete records and what goes with them; return all changes, as they were told.

    Ids that are not there, or no longer, are passed over.
    """

    def remove() -> list[RecordChange]:
        told = _remove(workspace, record_type, ids, origin)
        changes.publish(workspace, told)
        return told

    return in_transaction(workspace, remove) if ids else []


def _remove(
    workspace: Workspace, record_type: str, ids: Iterable[int], origin: Origin
) -> list[RecordChange]:
    records = saving.locked(record_type, ids)
    if not records:
        return []
    told: list[RecordChange] = []
    for tie in _TIES.get(record_type, ()):
        tied = _tied(tie, list(records))
        if tie.goes is not None:
            told += _remove(workspace, tie.record_type, tied, origin)
        else:
            told += _untie(tie, tied, origin)
    bury(workspace, record_type, list(records.values()), origin)
    MODELS[record_type].objects.filter(pk__in=list(records)).delete()
    return told + [_told(record_type, record, origin) for record in records.values()]


def _tied(tie: _Tie, ids: Sequence[int]) -> list[int]:
    rows = MODELS[tie.record_type].objects.filter(**{f"{tie.field}__in": ids})
    return list(rows.filter(tie.goes or _EVERY).values_list("pk", flat=True))


def _untie(tie: _Tie, ids: Sequence[int], origin: Origin) -> list[RecordChange]:
    records = saving.locked(tie.record_type, ids) if ids else {}
    drafts = [Draft(record, is_new=False) for record in records.values()]
    for draft in drafts:
        draft.set(tie.field, None)
    saving.save(tie.record_type, drafts)
    return [draft.told(tie.record_type, origin) for draft in drafts]


def _told(record_type: str, record: AnyRecord, origin: Origin) -> RecordChange:
    """Describe a deleted record by what it had."""
    had = changes.created(record_type, record, FIELDS[record_type], origin).fields
    own = {f"custom.{name}": (value, None) for name, value in record.custom.items()}
    fields = {name: (value, None) for name, (_, value) in had.items()} | own
    return RecordChange(record_type, record.pk, "deleted", fields, origin)


_COLUMNS = (
    "workspace_id",
    "record_type",
    "record_id",
    "keys",
    "merged_into",
    "origin_kind",
    "origin_id",
    "origin_label",
    "trace_id",
    "at",
)


def bury(
    workspace: Workspace,
    record_type: str,
    records: Sequence[AnyRecord],
    origin: Origin,
    *,
    merged_into: int | None = None,
) -> None:
    """Write the tombstones of records that are about to be deleted."""
    known_by = _keys(record_type, records)
    now = timezone.now()
    who = (origin.kind, origin.id, origin.label, origin.trace_id)
    bulk.insert_rows(
        Tombstone,
        _COLUMNS,
        (
            (
                workspace.pk,
                record_type,
                record.pk,
                [hashed(workspace, one) for one in known_by.get(record.pk, ())],
                merged_into,
                *who,
                now,
            )
            for record in records
        ),
    )


def unbury(record_type: str, record_id: int) -> None:
    """Take a tombstone away: the record is there again."""
    rows = Tombstone.objects.filter(record_type=record_type, record_id=record_id)
    rows.delete()


def hashed(workspace: Workspace, key: str) -> str:
    """Return a key as tombstones hold it: `email:ada@example.com` in normal form.

    Keyed with the installation's secret and salted by workspace, so that a copy of the
    table cannot be tried against a list of addresses.
    """
    salt = f"leads.tombstone:{workspace.pk}"
    return salted_hmac(salt, key, algorithm="sha256").hexdigest()


def _keys(record_type: str, records: Sequence[AnyRecord]) -> dict[int, list[str]]:
    """Return what each record is known by, as `kind:value`."""
    found: dict[int, list[str]] = {}
    if record_type == RecordType.LEAD:
        rows = LeadKey.objects.filter(lead__in=[record.pk for record in records])
        for lead_id, kind, value in rows.values_list("lead_id", "kind", "value"):
            found.setdefault(lead_id, []).append(f"{kind}:{value}")
    for record in records:
        if isinstance(record, Company) and record.domain:
            found[record.pk] = [f"domain:{record.domain}"]
    return found

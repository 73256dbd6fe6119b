"""What the history of our own records tells a comparison."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from leads.models import Change

# What history calls a field, where that is not what mappings call it.
_STORED = {"linkedin_url": "linkedin_id", "owner_email": "owner_id"}


@dataclass(frozen=True, slots=True)
class Replaced:
    """A value that a field of ours no longer has, and since when."""

    value: object
    at: datetime


def stored_name(source: str) -> str:
    """Return what history calls a field of ours."""
    return _STORED.get(source, source)


def hub_times(
    record_type: str, record_ids: Collection[int]
) -> dict[tuple[int, str], tuple[datetime, str]]:
    """Return (record, stored field) -> when it last changed here, and by whom."""
    rows = Change.objects.filter(record_type=record_type, record_id__in=record_ids)
    told: dict[tuple[int, str], tuple[datetime, str]] = {}
    for record_id, fields, at, by in rows.order_by("id").values_list(
        "record_id", "fields", "at", "origin_label"
    ):
        told |= {(record_id, name): (at, by) for name in fields}
    return told


def replaced(
    record_type: str, record_ids: Collection[int], *, since: datetime
) -> dict[tuple[int, str], list[Replaced]]:
    """Return (record, stored field) -> the values it has lost since."""
    rows = Change.objects.filter(
        record_type=record_type, record_id__in=record_ids, at__gte=since
    )
    told: dict[tuple[int, str], list[Replaced]] = {}
    for record_id, fields, at in rows.values_list("record_id", "fields", "at"):
        for name, (old, _) in fields.items():
            told.setdefault((record_id, name), []).append(Replaced(old, at))
    return told

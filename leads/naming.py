"""What records are called, for sentences that people read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from leads.models import RecordType
from leads.snapshots import snapshots


def names_of(record_type: str, ids: Collection[int]) -> Mapping[int, str]:
    """Return id -> "Company Example Ltd" of the records that exist, one query."""
    if not ids:
        return {}
    noun = RecordType(record_type).label
    found = snapshots(record_type, ids)
    return {pk: f"{noun} {one.label}" for pk, one in found.items()}


def name_in(names: Mapping[int, str], record_type: str, record_id: int) -> str:
    """Return what a record is called; one that is gone by its number."""
    return names.get(record_id) or f"{RecordType(record_type).label} {record_id}"


def listed(names: Collection[str]) -> str:
    """Return names as part of a sentence.

    >>> listed(["A", "B", "C"])
    'A, B and C'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last

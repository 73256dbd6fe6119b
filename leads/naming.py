"""What records are called, for sentences that people read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.models import RecordType, Stage
from leads.services.fields import MODELS
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


def stage_names(workspace: Workspace) -> Mapping[str, str]:
    """Return id as text -> what a stage is called, with its pipeline where several."""
    with in_workspace(workspace):
        rows = list(Stage.objects.values_list("pk", "name", "pipeline__name"))
    one = len({pipeline for *_, pipeline in rows}) == 1
    return {
        str(pk): name if one else f"{name} in {pipeline}" for pk, name, pipeline in rows
    }


def choices_of(record_type: str, name: str) -> Mapping[str, str]:
    """Return value -> what it is called, of a field that has few; else nothing."""
    field = getattr(MODELS[record_type], name, None)
    choices = getattr(getattr(field, "field", None), "choices", None) or ()
    return {str(value): str(label) for value, label in choices}


def listed(names: Collection[str]) -> str:
    """Return names as part of a sentence.

    >>> listed(["A", "B", "C"])
    'A, B and C'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last

"""One change list per transaction: written to history, then announced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Model
from django.utils import timezone

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Change
from leads.services import bulk
from leads.signals import records_changed


def as_json(value: object) -> object:
    """Return the value as history keeps it: JSON, exact, times in ISO form."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Model):
        return value.pk
    return value


def as_pair(pair: tuple[object, object]) -> tuple[object, object]:
    """Return old and new as history keeps them."""
    return as_json(pair[0]), as_json(pair[1])


def created(
    record_type: str, record: Model, fields: Iterable[str], origin: Origin
) -> RecordChange:
    """Describe a new record by the fields it was given."""
    values = {name: getattr(record, name) for name in fields}
    given = {
        name: (None, as_json(v)) for name, v in values.items() if v not in (None, "")
    }
    return RecordChange(record_type, record.pk, "created", given, origin)


def updated(
    record_type: str,
    record_id: int,
    fields: Mapping[str, tuple[object, object]],
    origin: Origin,
    *,
    said_at: datetime | None = None,
) -> RecordChange:
    """Describe a changed record. fields: name -> (old, new)."""
    told = {name: as_pair(pair) for name, pair in fields.items()}
    return RecordChange(record_type, record_id, "updated", told, origin, said_at)


def publish(workspace: Workspace, changes: Sequence[RecordChange]) -> None:
    """Write the history and announce the changes, in the caller's transaction."""
    if not changes:
        return
    now = timezone.now()
    rows = (_row(workspace.pk, change, now) for change in changes)
    bulk.insert_rows(Change, _COLUMNS, rows)
    records_changed.send(sender=None, workspace=workspace, changes=list(changes))


def note(workspace: Workspace, told: Iterable[tuple[RecordChange, datetime]]) -> None:
    """Write into the history what passed elsewhere, each at its time.

    Nothing is announced: no record of ours was changed by it.
    """
    rows = (_row(workspace.pk, change, at) for change, at in told)
    bulk.insert_rows(Change, _COLUMNS, rows)


_COLUMNS = (
    "workspace_id",
    "record_type",
    "record_id",
    "action",
    "fields",
    "origin_kind",
    "origin_id",
    "origin_label",
    "trace_id",
    "at",
    "said_at",
)


def _row(workspace_id: int, change: RecordChange, at: datetime) -> tuple[object, ...]:
    origin = change.origin
    return (
        workspace_id,
        change.record_type,
        change.record_id,
        change.action,
        change.fields,
        origin.kind,
        origin.id,
        origin.label,
        origin.trace_id,
        at,
        change.said_at,
    )

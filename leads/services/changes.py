"""One change list per transaction: written to history, then announced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Model

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Change
from leads.signals import records_changed


def as_json(value: object) -> object:
    """Return the value as history keeps it: JSON, exact, times in ISO form."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Model):
        return value.pk
    return value


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
) -> RecordChange:
    """Describe a changed record. fields: name -> (old, new)."""
    told = {name: (as_json(old), as_json(new)) for name, (old, new) in fields.items()}
    return RecordChange(record_type, record_id, "updated", told, origin)


def publish(workspace: Workspace, changes: Sequence[RecordChange]) -> None:
    """Write the history and announce the changes, in the caller's transaction."""
    if not changes:
        return
    Change.objects.bulk_create(_row(workspace, change) for change in changes)
    records_changed.send(sender=None, workspace=workspace, changes=list(changes))


def _row(workspace: Workspace, change: RecordChange) -> Change:
    return Change(
        workspace=workspace,
        record_type=change.record_type,
        record_id=change.record_id,
        action=change.action,
        fields={name: list(pair) for name, pair in change.fields.items()},
        origin_kind=change.origin.kind,
        origin_id=change.origin.id,
        origin_label=change.origin.label,
        trace_id=change.origin.trace_id,
    )

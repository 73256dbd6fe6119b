"""Stores links and lines of the journal, those of many records in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from integrations.models import Link, ObjectMapping, SyncEntry
from leads.services import bulk


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal, but for what is the same for all of a mapping.

    fields: the remote fields it is about; undo: field -> [before, after].
    """

    record_id: int
    outcome: str
    remote_id: str = ""
    direction: str = "push"
    fields: Sequence[str] = ()
    error_class: str = ""
    message: str = ""
    trace_id: str = ""
    run_id: int | None = None
    undo: Mapping[str, object] = field(default_factory=dict)


_COLUMNS = (
    "workspace_id",
    "connection_id",
    "mapping_id",
    "record_type",
    "remote_object",
    "at",
    "record_id",
    "outcome",
    "remote_id",
    "direction",
    "fields",
    "error_class",
    "message",
    "trace_id",
    "run_id",
    "undo",
)


def write_journal(mapping: ObjectMapping, lines: Iterable[Line]) -> None:
    """Store lines about records of a mapping, as of now."""
    same = (
        mapping.workspace_id,
        mapping.connection_id,
        mapping.pk,
        mapping.record_type,
        mapping.remote_object,
        timezone.now(),
    )
    rows = (
        (
            *same,
            one.record_id,
            str(one.outcome),
            one.remote_id,
            one.direction,
            list(one.fields),
            one.error_class,
            one.message,
            one.trace_id,
            one.run_id,
            one.undo,
        )
        for one in lines
    )
    bulk.insert_rows(SyncEntry, _COLUMNS, rows)


def store_links(
    new: Sequence[Link], changed: Sequence[Link], names: Sequence[str]
) -> None:
    """Store new links, which get their ids, and columns of changed ones."""
    if new:
        bulk.insert(Link, new)
    if changed:
        bulk.update(Link, changed, names)

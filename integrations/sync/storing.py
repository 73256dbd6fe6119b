"""Stores links and lines of the journal, those of many records in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from integrations.models import Link, ObjectMapping, SyncEntry
from leads.services import bulk


class Line(NamedTuple):
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
    undo: Mapping[str, object] = {}


_LINE_COLUMNS = (
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
    bulk.insert_rows(SyncEntry, _LINE_COLUMNS, rows)


class NewLink(NamedTuple):
    """A record and the remote record it is; see the model for what each means."""

    record_id: int
    remote_id: str
    found: bool
    base: Mapping[str, object]
    remote_version: datetime | None
    pushed_at: datetime | None = None
    pulled_at: datetime | None = None
    seen_in: int | None = None


_LINK_COLUMNS = (
    "workspace_id",
    "connection_id",
    "record_type",
    "remote_object",
    "state",
    "written",
    "turns",
    "created_at",
    "record_id",
    "remote_id",
    "found",
    "base",
    "remote_version",
    "pushed_at",
    "pulled_at",
    "seen_in",
)


def store_links(mapping: ObjectMapping, links: Iterable[NewLink]) -> None:
    """Store links that there were not before."""
    same: tuple[object, ...] = (
        mapping.workspace_id,
        mapping.connection_id,
        mapping.record_type,
        mapping.remote_object,
        str(Link.State.LINKED),
        {},
        {},
        timezone.now(),
    )
    rows = (
        (
            *same,
            one.record_id,
            one.remote_id,
            one.found,
            one.base,
            one.remote_version,
            one.pushed_at,
            one.pulled_at,
            one.seen_in,
        )
        for one in links
    )
    bulk.insert_rows(Link, _LINK_COLUMNS, rows)


def update_links(links: Sequence[Link], names: Sequence[str]) -> None:
    """Store these columns of links that were changed."""
    if links:
        bulk.update(Link, links, names)

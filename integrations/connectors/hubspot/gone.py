"""What was merged away or deleted: first the merges, so that none looks deleted."""

from collections.abc import Iterator
from datetime import datetime

from integrations.connectors.hubspot import answers, reading, searching
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import MERGEABLE, object_facts
from integrations.connectors.hubspot.values import moment
from integrations.errors import Misconfigured, RecordRejected
from integrations.records import Gone, GonePage

_MERGES = "merges:"
_ARCHIVED = "archived:"


def page(
    calls: Calls,
    object_type: str,
    since: datetime,
    until: datetime,
    cursor: str | None,
) -> GonePage:
    """Read one page; cursor: the part of the walk and where it stands in it."""
    if cursor is None:
        cursor = _MERGES if object_type in MERGEABLE else _ARCHIVED
    part, _, position = cursor.partition(":")
    if f"{part}:" == _MERGES:
        return _merges(calls, object_type, since, position or None)
    return _archived(calls, object_type, (since, until), position or None)


def _merges(
    calls: Calls, object_type: str, since: datetime, position: str | None
) -> GonePage:
    """Read survivors that changed since then: the time of a merge is not told, so
    older merges of a record come again when it changes.

    Only of contacts is it documented where the ids that lost are kept. An account
    that refuses the question has no merges of the object to tell of.
    """
    modified = object_facts(object_type).modified_field
    try:
        found, answer = reading.search(
            calls,
            object_type,
            lambda _: searching.merges_body(modified, since, position),
            (),
        )
    except (RecordRejected, Misconfigured):
        if position is not None:
            raise
        return GonePage((), _ARCHIVED)
    walked = searching.delta_page(found, answer)
    gone = tuple(
        Gone(object_type, lost, merged_into=survivor.remote_id)
        for survivor in walked.records
        for lost in survivor.other_ids
    )
    following = _ARCHIVED if walked.cursor is None else _MERGES + walked.cursor
    return GonePage(gone, following)


def _archived(
    calls: Calls,
    object_type: str,
    window: tuple[datetime, datetime],
    position: str | None,
) -> GonePage:
    """Read a page of the recycle bin, which is ordered by id and kept for 90 days."""
    body = calls.get(
        calls.path("objects", object_type),
        searching.list_query((), position) | {"archived": "true"},
        object_type=object_type,
    )
    following = reading.going_on(body, position)
    gone = tuple(_in_window(body, object_type, window))
    return GonePage(gone, None if following is None else _ARCHIVED + following)


def _in_window(
    body: answers.Json, object_type: str, window: tuple[datetime, datetime]
) -> Iterator[Gone]:
    since, until = window
    for entry in answers.entries(body):
        record = answers.record(entry, object_type)
        at = moment(entry.get("archivedAt"))
        # One that does not say when it went may have gone just now.
        if record is not None and (at is None or since <= at <= until):
            yield Gone(object_type, record.remote_id, at)

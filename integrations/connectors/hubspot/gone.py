"""What was merged away or deleted: first the merges, so that none looks deleted."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.connectors.hubspot import answers, reading, searching
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import MERGEABLE, SPEC, object_facts
from integrations.connectors.hubspot.values import moment
from integrations.connectors.paging import chunks
from integrations.errors import Misconfigured, RecordRejected
from integrations.records import Gone, GonePage

_MERGES = "merges:"
_ARCHIVED = "archived:"
_BIN = {"archived": "true"}


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


def among(calls: Calls, object_type: str, ids: Sequence[str]) -> list[Gone]:
    """Return which of ids are in the recycle bin.

    A batch read shows either what is there or what was archived, and leaves out the
    rest as not found: what it may not show, and what was erased.
    """
    path = calls.path("objects", object_type, "batch", "read")
    found: list[Gone] = []
    for chunk in chunks(list(dict.fromkeys(ids)), SPEC.batch.read):
        body = calls.post(
            path,
            searching.read_body(chunk, (), None),
            query=_BIN,
            inputs=len(chunk),
            object_type=object_type,
        )
        found += _named(body, object_type, set(chunk))
    return found


def _named(body: answers.Json, object_type: str, asked: set[str]) -> Iterator[Gone]:
    for entry in answers.entries(body):
        record = answers.record(entry, object_type)
        if record is not None and record.archived and record.remote_id in asked:
            at = moment(entry.get("archivedAt"))
            yield Gone(object_type, record.remote_id, at)


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
        searching.list_query((), position) | _BIN,
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

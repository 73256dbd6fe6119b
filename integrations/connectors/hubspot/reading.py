"""Reading records: by id or key, by search, by change, and all of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from integrations.connectors.hubspot import answers, searching
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import (
    HISTORY_BATCH,
    MAX_QUERY,
    MERGEABLE,
    MERGED_FIELD,
    SPEC,
    object_facts,
)
from integrations.connectors.paging import chunks
from integrations.errors import (
    Misconfigured,
    RecordGone,
    RecordRejected,
    Retryable,
)
from integrations.records import Filter, Page, RemoteRecord

BodyFor = Callable[[Sequence[str]], dict[str, object]]

# Up to so many lost ids are asked for one by one, which is never out of date.
_MOST_ALONE = 5


def fetch(
    calls: Calls,
    object_type: str,
    ids: Sequence[str],
    *,
    fields: Sequence[str],
    key_field: str | None = None,
) -> list[RemoteRecord]:
    """Read records by id or unique field; the id of a merged one gives its survivor."""
    asked = list(dict.fromkeys(one for one in ids if one))
    found = _read(calls, object_type, asked, fields, key_field)
    if key_field is None and object_type in MERGEABLE:
        known = {one.remote_id for one in found}
        known.update(other for one in found for other in one.other_ids)
        lost = [one for one in asked if one not in known]
        found += _survivors(calls, object_type, lost, fields)
    return list({one.remote_id: one for one in found}.values())


def search(
    calls: Calls, object_type: str, body_for: BodyFor, fields: Sequence[str]
) -> tuple[list[RemoteRecord], answers.Json]:
    """Search; return the records of the page and the answer they came in.

    Where naming all fields would make the body too long, they are read by id.
    """
    body = body_for(fields)
    read_after = searching.is_too_long(body)
    answer = _search(calls, object_type, body_for(()) if read_after else body)
    found = answers.records(answer, object_type, () if read_after else fields)
    if read_after:
        found = _filled(calls, object_type, found, fields)
    return found, answer


def changed_since(
    calls: Calls,
    object_type: str,
    window: tuple[datetime, datetime],
    cursor: str | None,
    fields: Sequence[str],
) -> Page:
    """Read one page of what changed in a window, walked by record id."""
    modified = object_facts(object_type).modified_field

    def body_for(wanted: Sequence[str]) -> dict[str, object]:
        return searching.delta_body(modified, *window, cursor, wanted)

    wanted = _with_merges(object_type, fields)
    return searching.delta_page(*search(calls, object_type, body_for, wanted))


def scan(
    calls: Calls, object_type: str, cursor: str | None, fields: Sequence[str]
) -> Page:
    """Read one page of the list of all records, which is ordered by their id."""
    wanted = _with_merges(object_type, fields)
    read_after = len(",".join(wanted)) > MAX_QUERY
    body = calls.get(
        calls.path("objects", object_type),
        searching.list_query(() if read_after else wanted, cursor),
        object_type=object_type,
    )
    found = answers.records(body, object_type, () if read_after else wanted)
    if read_after:
        found = _filled(calls, object_type, found, wanted)
    return Page(tuple(found), going_on(body, cursor))


def count(calls: Calls, object_type: str) -> int | None:
    """Return the total of a search for everything; the index may lag a little."""
    body = searching.search_body((), (MERGED_FIELD,), 1, None)
    return answers.total(_search(calls, object_type, body))


def changed_at(
    calls: Calls, object_type: str, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, Mapping[str, datetime]]:
    """Return id -> property -> when it was last written, from the versions kept."""
    found: dict[str, Mapping[str, datetime]] = {}
    path = calls.path("objects", object_type, "batch", "read")
    asked = list(dict.fromkeys(one for one in ids if one)) if fields else []
    for chunk in chunks(asked, HISTORY_BATCH):
        body = calls.post(
            path,
            searching.history_body(chunk, fields),
            inputs=len(chunk),
            object_type=object_type,
        )
        for entry in answers.entries(body):
            if known := answers.record(entry, object_type):
                found[known.remote_id] = answers.last_changes(entry)
    return found


def going_on(body: answers.Json, cursor: str | None) -> str | None:
    """Return the next cursor. Raises Retryable where it is the one just used."""
    following = answers.next_after(body)
    if following is not None and following == cursor:
        raise Retryable("The list of pages runs in a circle", code="PAGING_LOOP")
    return following


def _with_merges(object_type: str, fields: Sequence[str]) -> list[str]:
    more = (MERGED_FIELD,) if object_type in MERGEABLE else ()
    return list(dict.fromkeys((*fields, *more)))


def _search(calls: Calls, object_type: str, body: object) -> answers.Json:
    path = calls.path("objects", object_type, "search")
    return calls.post(path, body, object_type=object_type, bucket="search")


def _read(
    calls: Calls,
    object_type: str,
    ids: Sequence[str],
    fields: Sequence[str],
    key_field: str | None = None,
) -> list[RemoteRecord]:
    path = calls.path("objects", object_type, "batch", "read")
    wanted = _with_merges(object_type, fields)
    found: list[RemoteRecord] = []
    for chunk in chunks(ids, SPEC.batch.read):
        body = calls.post(
            path,
            searching.read_body(chunk, wanted, key_field),
            inputs=len(chunk),
            object_type=object_type,
        )
        found += answers.records(body, object_type, wanted)
    return found


def _filled(
    calls: Calls,
    object_type: str,
    found: Sequence[RemoteRecord],
    fields: Sequence[str],
) -> list[RemoteRecord]:
    """Return the records of a page with fields that its call could not name."""
    ids = [one.remote_id for one in found]
    by_id = {one.remote_id: one for one in _read(calls, object_type, ids, fields)}
    return [by_id.get(one.remote_id, one) for one in found]


def _survivors(
    calls: Calls, object_type: str, lost: Sequence[str], fields: Sequence[str]
) -> list[RemoteRecord]:
    """Return what took over ids that a batch read does not know.

    Single reads follow a merged id; where many are lost, most were deleted and a
    search by hundreds stands in for as many calls.
    """
    if len(lost) <= _MOST_ALONE:
        alone = (_alone(calls, object_type, one, fields) for one in lost)
        return [one for one in alone if one is not None]
    found: list[RemoteRecord] = []
    for chunk in chunks(lost, SPEC.batch.read):
        took = Filter(MERGED_FIELD, "in", tuple(chunk))

        def body_for(wanted: Sequence[str], took: Filter = took) -> dict[str, object]:
            return searching.search_body((took,), wanted, SPEC.search.page, None)

        wanted = _with_merges(object_type, fields)
        try:
            found += search(calls, object_type, body_for, wanted)[0]
        except (RecordRejected, Misconfigured):
            # See `gone`: this account knows no merges of the object.
            return found
    return found


def _alone(
    calls: Calls, object_type: str, remote_id: str, fields: Sequence[str]
) -> RemoteRecord | None:
    wanted = _with_merges(object_type, fields)
    if len(",".join(wanted)) > MAX_QUERY:
        wanted = _with_merges(object_type, ())
    try:
        body = calls.get(
            calls.path("objects", object_type) + "/{id}",
            {"properties": ",".join(wanted)},
            values={"id": remote_id},
            object_type=object_type,
        )
    except RecordGone:
        return None
    return answers.record(body, object_type, wanted)

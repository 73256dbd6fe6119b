"""Reading records: by id or key, by search, by change, and all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.connectors.messages import Call
from integrations.connectors.paging import chunks
from integrations.connectors.salesforce import answers, soql
from integrations.connectors.salesforce.answers import STAMP, Json
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.spec import (
    BECAME,
    COLLECTION,
    MASTER,
    MAX_ADDRESS,
    MERGEABLE,
    QUERY_PAGE,
    READ_HEADERS,
    VALUES_IN_QUERY,
)
from integrations.connectors.salesforce.values import is_id, long_id
from integrations.records import Filter, Page, RemoteField, RemoteRecord

# A query names at least so much beside its fields: a batch of ids, a window.
_CONDITIONS = 5_500
# Merges of merges that are followed before we call it a circle.
_MOST_MERGES = 5


def fetch(
    calls: Calls,
    object_type: str,
    ids: Sequence[str],
    *,
    fields: Sequence[str],
    key_field: str | None = None,
) -> list[RemoteRecord]:
    """Read records by id or key; the id of a merged one gives its survivor."""
    asked = list(dict.fromkeys(one for one in ids if one))
    if key_field is not None:
        wanted = [*fields, key_field]
        return _where_any(calls, object_type, key_field, asked, wanted)
    asked = [long_id(one) for one in asked if is_id(one)]
    found = _where_any(calls, object_type, "Id", asked, fields)
    if object_type in MERGEABLE:
        known = {one.remote_id for one in found}
        lost = [one for one in asked if one not in known]
        found += _survivors(calls, object_type, lost, fields, known)
    return found


def search(
    calls: Calls,
    object_type: str,
    filters: Sequence[Filter],
    described: Mapping[str, RemoteField],
    *,
    fields: Sequence[str],
    limit: int,
    cursor: str | None,
) -> Page:
    """Read one page of a search, walked by id."""
    conditions = [*soql.conditions(filters, described), soql.after_id(cursor)]
    return _walk(calls, object_type, fields, conditions, limit)


def scan(
    calls: Calls, object_type: str, cursor: str | None, fields: Sequence[str]
) -> Page:
    """Read one page of all records, walked by id."""
    return _walk(calls, object_type, fields, [soql.after_id(cursor)], QUERY_PAGE)


def changed_since(
    calls: Calls,
    object_type: str,
    window: tuple[datetime, datetime],
    cursor: str | None,
    fields: Sequence[str],
) -> Page:
    """Read one page of what changed in a window, walked by (stamp, id)."""
    conditions = (soql.within(STAMP, *window), soql.after(STAMP, cursor))
    wanted, left = _wanted(object_type, fields)
    text = soql.select(
        wanted, object_type, *conditions, order=(STAMP, "Id"), limit=QUERY_PAGE + 1
    )
    body = calls.query(text, object_type=object_type)
    found = answers.records(answers.entries(body), object_type)[:QUERY_PAGE]
    following = None
    if has_more(body, len(found)):
        last = found[-1]
        following = soql.cursor_at(last.updated_at, last.remote_id)
    return Page(tuple(_filled(calls, object_type, found, left)), following)


def count(calls: Calls, object_type: str) -> int | None:
    """Return how many records there are."""
    text = soql.count(object_type)
    return answers.total(calls.query(text, object_type=object_type))


def has_more(body: Json, taken: int) -> bool:
    """Believe each sign that there is more; wide rows make a page shorter.

    For queries that asked for one row more than a page: a full page may be the last.
    """
    matching = answers.total(body) or 0
    return taken > 0 and (not answers.is_last(body) or matching > taken)


def _walk(
    calls: Calls,
    object_type: str,
    fields: Sequence[str],
    conditions: Sequence[str],
    limit: int,
) -> Page:
    wanted, left = _wanted(object_type, fields)
    most = min(limit, QUERY_PAGE)
    text = soql.select(wanted, object_type, *conditions, order=("Id",), limit=most + 1)
    body = calls.query(text, object_type=object_type)
    found = answers.records(answers.entries(body), object_type)[:most]
    following = found[-1].remote_id if has_more(body, len(found)) else None
    return Page(tuple(_filled(calls, object_type, found, left)), following)


def _wanted(object_type: str, fields: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what a query names: always id, stamp and what a record became; and the
    fields there was no room for."""
    always = ["Id", STAMP]
    if object_type == "Lead":
        always += ["IsConverted", *BECAME.values()]
    taken, left = soql.named(fields, MAX_ADDRESS - _CONDITIONS)
    return list(dict.fromkeys([*always, *taken])), left


def _where_any(
    calls: Calls,
    object_type: str,
    field: str,
    values: Sequence[str],
    fields: Sequence[str],
) -> list[RemoteRecord]:
    wanted, left = _wanted(object_type, fields)
    start = soql.select(wanted, object_type, soql.any_of(field, ()))
    found: list[RemoteRecord] = []
    for run in soql.fitting(values, soql.room_beside(start), VALUES_IN_QUERY):
        condition = soql.any_of(field, run)
        following: str | None = None
        while True:
            text = soql.select(
                wanted,
                object_type,
                condition,
                soql.after_id(following),
                order=("Id",),
            )
            body = calls.query(text, object_type=object_type)
            page = answers.records(answers.entries(body), object_type)
            found += page
            if not has_more(body, len(page)):
                break
            following = page[-1].remote_id
    return _filled(calls, object_type, found, left)


def _filled(
    calls: Calls,
    object_type: str,
    found: Sequence[RemoteRecord],
    left: Sequence[str],
) -> list[RemoteRecord]:
    """Return records with the fields that their query had no room for.

    Read by id in a body, which may name any number of them.
    """
    if not left:
        return list(found)
    more: dict[str, Mapping[str, str | None]] = {}
    path = calls.path("composite", "sobjects", object_type)
    for chunk in chunks(found, COLLECTION):
        call = Call(
            "POST",
            path,
            json={"ids": [one.remote_id for one in chunk], "fields": ["Id", *left]},
            headers=READ_HEADERS,
            object_type=object_type,
            expects="list",
        )
        items = answers.mappings(calls.http.request(call).items)
        more |= {
            one.remote_id: one.fields for one in answers.records(items, object_type)
        }
    return [
        replace(one, fields={**one.fields, **more.get(one.remote_id, {})})
        for one in found
    ]


def _survivors(
    calls: Calls,
    object_type: str,
    lost: Sequence[str],
    fields: Sequence[str],
    known: set[str],
) -> list[RemoteRecord]:
    """Return what took over ids that are no more, each with the ids it stands for."""
    heirs = {one: one for one in lost}
    for _ in range(_MOST_MERGES):
        masters = _masters(calls, object_type, set(heirs.values()))
        if not masters:
            break
        heirs = {one: masters.get(heir, heir) for one, heir in heirs.items()}
    stood_for: dict[str, list[str]] = {}
    for one, heir in heirs.items():
        if heir != one:
            stood_for.setdefault(heir, []).append(one)
    found = _where_any(calls, object_type, "Id", sorted(stood_for), fields)
    return [replace(one, other_ids=tuple(stood_for[one.remote_id])) for one in found]


def _masters(calls: Calls, object_type: str, ids: set[str]) -> dict[str, str]:
    """Return id -> the id it was merged into, of those in the recycle bin."""
    masters: dict[str, str] = {}
    for chunk in chunks(sorted(ids), COLLECTION):
        text = soql.select(
            ("Id", MASTER),
            object_type,
            soql.any_of("Id", chunk),
            "IsDeleted = true",
            f"{MASTER} != null",
        )
        body = calls.query(text, object_type=object_type, deleted_too=True)
        for one in answers.records(answers.entries(body), object_type):
            if master := one.fields.get(MASTER):
                masters[one.remote_id] = long_id(master)
    return masters

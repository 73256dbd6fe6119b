"""Marketing campaigns: an API of their own beside that of the CRM's objects.

Sources: HubSpot's OpenAPI of /marketing/v3/campaigns; guide marketing/campaigns. There
is no search by conditions, no unique property, no upsert, no recycle bin and no tie to
a record of the CRM.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.connectors.hubspot import answers, campaign_writing
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.campaign_writing import form_of, most, no_key, path
from integrations.connectors.hubspot.errors import VENDOR
from integrations.connectors.hubspot.reading import going_on
from integrations.connectors.hubspot.spec import (
    CAMPAIGN_FIELDS,
    CAMPAIGN_LIST_PAGE,
    CAMPAIGN_NAME,
    CAMPAIGNS,
)
from integrations.connectors.paging import chunks, walk
from integrations.errors import SyncError, Unsupported
from integrations.records import (
    Association,
    Filter,
    Gone,
    GonePage,
    Page,
    RemoteField,
    RemoteRecord,
    Write,
    WriteResult,
)

# An id of the CRM's campaign object is a number and is refused here, with the batch.
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Up to so many names are asked for one by one; for more, all campaigns are listed.
_MOST_BY_NAME = 10
# Nothing moves between the pages of a list in the order of making.
_BY_MAKING = "createdAt"
# What changes while it is read moves to the front, and pushes others to later pages:
# one may come twice and none is left out. The other way round, some would be.
_NEWEST_FIRST = "-updatedAt"


# Facts about the account


def describe(calls: Calls, object_type: str) -> tuple[RemoteField, ...]:
    """List the fixed fields, after a look whether campaigns may be read at all.

    The properties API names many more, which the calls here refuse to read
    (UNCONFIRMED, seen in third-party code), and it needs a scope of its own.
    """
    calls.get(path(calls), {"limit": "1"}, object_type=object_type)
    return CAMPAIGN_FIELDS


def ensure_fields(
    calls: Calls, object_type: str, fields: Sequence[RemoteField]
) -> tuple[RemoteField, ...]:
    """Return the fields there are; those there are not come back refused."""
    there = {field.name: field for field in CAMPAIGN_FIELDS}
    return tuple(there.get(one.name) or _not_made(one) for one in fields)


def _not_made(field: RemoteField) -> RemoteField:
    refusal = Unsupported(
        "HubSpot campaigns take no field of ours", vendor=VENDOR, field=field.name
    )
    return replace(field, refusal=refusal)


# Writing


def write(calls: Calls, object_type: str, writes: Sequence[Write]) -> list[WriteResult]:
    """Write campaigns; an upsert looks its name up first."""
    return campaign_writing.write(calls, object_type, writes, by_name)


def delete(
    calls: Calls, object_type: str, ids: Sequence[str]
) -> Mapping[str, SyncError]:
    """Delete for good: no recycle bin is documented. Unknown ids are passed over."""
    for chunk in chunks(_ids(ids), most()):
        calls.post(
            path(calls, "batch", "archive"),
            {"inputs": [{"id": one} for one in chunk]},
            inputs=len(chunk),
            object_type=object_type,
        )
    return {}


# Reading


def fetch(
    calls: Calls,
    object_type: str,
    ids: Sequence[str],
    *,
    fields: Sequence[str],
    key_field: str | None = None,
) -> list[RemoteRecord]:
    """Read by id, or by name; what is no id of a campaign is left out as missing.

    Raises Unsupported for another key.
    """
    if key_field is None:
        return _read(calls, object_type, _ids(ids), fields)
    if key_field != CAMPAIGN_NAME:
        raise no_key(key_field)
    found = by_name(calls, ids, fields)
    records = (record for some in found.values() for record in some)
    return list({one.remote_id: one for one in records}.values())


def search(
    calls: Calls,
    object_type: str,
    filters: Sequence[Filter],
    fields: Sequence[str],
    limit: int,
    *,
    cursor: str | None = None,
) -> Page:
    raise Unsupported("HubSpot has no search of campaigns", vendor=VENDOR)


def changed_since(
    calls: Calls,
    object_type: str,
    since: datetime,
    until: datetime,
    cursor: str | None,
    fields: Sequence[str],
) -> Page:
    """Read one page of what changed in a window.

    The list takes no window, so it is read newest first, and left where all of a page
    is older. Its cursor counts records and not times: equal times end nothing.
    """
    page = _list(calls, fields, cursor, sort=_NEWEST_FIRST)
    stamps = [one.updated_at for one in page.records]
    is_past = bool(stamps) and all(at is not None and at < since for at in stamps)
    # One that does not say when it changed may have changed just now.
    inside = tuple(
        one
        for one in page.records
        if one.updated_at is None or since <= one.updated_at <= until
    )
    return Page(inside, None if is_past else page.cursor)


def scan(
    calls: Calls, object_type: str, cursor: str | None, fields: Sequence[str]
) -> Page:
    """Read one page of the list of all campaigns, in the order they were made."""
    return _list(calls, fields, cursor, sort=_BY_MAKING)


def count(calls: Calls, object_type: str) -> int | None:
    """Return the total that the list tells."""
    query = {"limit": "1"}
    return answers.total(calls.get(path(calls), query, object_type=object_type))


def gone_since(
    calls: Calls,
    object_type: str,
    since: datetime,
    until: datetime,
    cursor: str | None,
) -> GonePage:
    raise Unsupported("HubSpot does not tell which campaigns went", vendor=VENDOR)


def gone_among(calls: Calls, object_type: str, ids: Sequence[str]) -> list[Gone]:
    """Return none: a deleted campaign is named nowhere."""
    return []


def changed_at(
    calls: Calls, object_type: str, ids: Sequence[str], fields: Sequence[str]
) -> Mapping[str, Mapping[str, datetime]]:
    """Return nothing: campaigns are read without the versions of their fields."""
    return {}


# Associations, of which there are none


def associations(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    return {one: [] for one in ids}


def associate(
    calls: Calls, from_object: str, ties: Sequence[tuple[str, Association]]
) -> list[SyncError | None]:
    refusal = Unsupported("HubSpot ties no record to a campaign", vendor=VENDOR)
    return [refusal for _ in ties]


def dissociate(
    calls: Calls, from_object: str, ties: Sequence[tuple[str, Association]]
) -> list[SyncError | None]:
    """Do nothing, successfully: no tie is there."""
    return [None for _ in ties]


# Parts of the above


def _ids(ids: Sequence[str]) -> list[str]:
    return [one for one in dict.fromkeys(ids) if _ID.fullmatch(one)]


def _read(
    calls: Calls, object_type: str, ids: Sequence[str], fields: Sequence[str]
) -> list[RemoteRecord]:
    found: list[RemoteRecord] = []
    for chunk in chunks(ids, most()):
        body = calls.post(
            path(calls, "batch", "read"),
            {"inputs": [{"id": one} for one in chunk]},
            query={"properties": ",".join(fields)} if fields else None,
            inputs=len(chunk),
            object_type=object_type,
        )
        found += answers.records(body, object_type, fields)
    return found


def _list(
    calls: Calls,
    fields: Sequence[str],
    cursor: str | None,
    *,
    sort: str,
    name: str = "",
) -> Page:
    query = {"limit": str(CAMPAIGN_LIST_PAGE), "sort": sort}
    query |= {"properties": ",".join(fields)} if fields else {}
    query |= {"name": name} if name else {}
    query |= {"after": cursor} if cursor else {}
    body = calls.get(path(calls), query, object_type=CAMPAIGNS)
    found = answers.records(body, CAMPAIGNS, fields)
    return Page(tuple(found), going_on(body, cursor))


def by_name(
    calls: Calls, names: Sequence[str], fields: Sequence[str]
) -> dict[str, list[RemoteRecord]]:
    """Return name in one form -> the campaigns of that name.

    The list filters by a part of the name, so that names are compared here. Whether
    its filter heeds upper and lower case is UNCONFIRMED.
    """
    asked = {form_of(one): one.strip() for one in names if form_of(one)}
    wanted = list(dict.fromkeys((*fields, CAMPAIGN_NAME)))
    parts = list(asked.values()) if len(asked) <= _MOST_BY_NAME else [""]
    found: dict[str, dict[str, RemoteRecord]] = {one: {} for one in asked}
    for part in parts:
        for record in walk(_pages(calls, wanted, part)):
            name = form_of(record.fields.get(CAMPAIGN_NAME))
            if name in found:
                found[name][record.remote_id] = record
    return {name: list(some.values()) for name, some in found.items()}


def _pages(
    calls: Calls, fields: Sequence[str], name: str
) -> Callable[[str | None], tuple[Sequence[RemoteRecord], str | None]]:
    def page(cursor: str | None) -> tuple[Sequence[RemoteRecord], str | None]:
        read = _list(calls, fields, cursor, sort=_BY_MAKING, name=name)
        return read.records, read.cursor

    return page

"""Bodies of HubSpot's reads and searches, and the pages that come of them.

PURE. Bodies: guide crm/search, crm/associations; SDK.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.hubspot.answers import next_after, total
from integrations.connectors.hubspot.spec import LIST_PAGE, MERGED_FIELD, SPEC
from integrations.connectors.hubspot.values import epoch_ms
from integrations.errors import Retryable, Unsupported
from integrations.records import Filter, Operator, Page, RemoteRecord

_OPERATORS: dict[Operator, str] = {
    "eq": "EQ",
    "ne": "NEQ",
    "lt": "LT",
    "lte": "LTE",
    "gt": "GT",
    "gte": "GTE",
    "in": "IN",
    "not_in": "NOT_IN",
    "has": "HAS_PROPERTY",
    "lacks": "NOT_HAS_PROPERTY",
    "contains": "CONTAINS_TOKEN",
}
_RECORD_ID = "hs_object_id"


def read_body(
    ids: Sequence[str], fields: Sequence[str], key_field: str | None
) -> dict[str, object]:
    """Body of a batch read; the key is read back too, or the answer is nameless."""
    wanted = list(dict.fromkeys([*fields, *([key_field] if key_field else [])]))
    body: dict[str, object] = {
        "properties": wanted,
        "propertiesWithHistory": [],
        "inputs": [{"id": one} for one in ids],
    }
    if key_field:
        body["idProperty"] = key_field
    return body


def history_body(ids: Sequence[str], fields: Sequence[str]) -> dict[str, object]:
    """Body of a batch read of the versions of some fields, without their values."""
    return read_body(ids, (), None) | {"propertiesWithHistory": list(fields)}


def list_query(fields: Sequence[str], cursor: str | None) -> dict[str, str]:
    """Query of one page of the list of all records."""
    query = {"limit": str(LIST_PAGE)}
    if fields:
        query["properties"] = ",".join(fields)
    return query | ({"after": cursor} if cursor else {})


def search_body(
    filters: Sequence[Filter], fields: Sequence[str], limit: int, cursor: str | None
) -> dict[str, object]:
    """Body of a search. Raises Unsupported beyond what one search can carry."""
    caps = SPEC.search
    if len(filters) > caps.filters:
        raise Unsupported(f"HubSpot takes {caps.filters} conditions in a search")
    if cursor and int(cursor) + limit > caps.total:
        raise Unsupported(f"HubSpot shows {caps.total} results of a search")
    groups = [{"filters": [_filter(one) for one in filters]}] if filters else []
    body: dict[str, object] = {
        "filterGroups": groups,
        "properties": list(fields),
        "limit": min(limit, caps.page),
    }
    return body | ({"after": cursor} if cursor else {})


def delta_body(
    modified_field: str,
    since: datetime,
    until: datetime,
    cursor: str | None,
    fields: Sequence[str],
) -> dict[str, object]:
    """Body of one page of a delta: a fixed window, walked by record id.

    A cursor of time alone never gets past a bulk edit that gave more than 10,000
    records one timestamp (airbytehq/airbyte#43317, #44899); the id does.
    """
    window = (
        Filter(modified_field, "gte", epoch_ms(since)),
        Filter(modified_field, "lte", epoch_ms(until)),
    )
    wanted = list(dict.fromkeys([*fields, modified_field]))
    return _by_id(window, wanted, cursor)


def merges_body(
    modified_field: str, since: datetime, cursor: str | None
) -> dict[str, object]:
    """Body of one page of the records that took others over and changed since then."""
    conditions = (
        Filter(MERGED_FIELD, "has"),
        Filter(modified_field, "gte", epoch_ms(since)),
    )
    return _by_id(conditions, (MERGED_FIELD,), cursor)


def is_too_long(body: object) -> bool:
    """Say whether HubSpot would refuse a search for the length of its body."""
    return len(json.dumps(body)) > SPEC.search.body_chars


def delta_page(found: Sequence[RemoteRecord], answer: Mapping[str, Any]) -> Page:
    """Make a page of a walk by id from its records and the answer they came in.

    Raises Retryable where there is more, but no id to go on from: to stop there
    would lose the rest.
    """
    if not _has_more(found, answer):
        return Page(tuple(found))
    if not found:
        raise Retryable("A page without records that is not the last", code="BAD_SHAPE")
    last = max(found, key=lambda one: _as_number(one.remote_id))
    return Page(tuple(found), last.remote_id)


def _has_more(found: Sequence[RemoteRecord], answer: Mapping[str, Any]) -> bool:
    """Believe each sign that there is more; a full page is one if nothing else is."""
    if next_after(answer) is not None:
        return True
    matching = total(answer)
    return len(found) >= SPEC.search.page if matching is None else matching > len(found)


def _by_id(
    conditions: tuple[Filter, ...], fields: Sequence[str], cursor: str | None
) -> dict[str, object]:
    """Body of a search whose pages are walked by record id."""
    beyond = (Filter(_RECORD_ID, "gt", cursor),) if cursor else ()
    body = search_body(conditions + beyond, fields, SPEC.search.page, None)
    return body | {"sorts": [{"propertyName": _RECORD_ID, "direction": "ASCENDING"}]}


def _filter(one: Filter) -> dict[str, object]:
    operator = _OPERATORS[one.operator]
    entry: dict[str, object] = {"propertyName": one.field, "operator": operator}
    if one.operator in ("has", "lacks"):
        return entry
    if isinstance(one.value, tuple):
        # IN on strings finds nothing unless the values are in lower case.
        return entry | {"values": [value.lower() for value in one.value]}
    return entry | {"value": one.value}


def _as_number(remote_id: str) -> int:
    return int(remote_id) if remote_id.isascii() and remote_id.isdigit() else 0

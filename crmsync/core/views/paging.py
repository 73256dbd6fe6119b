"""Pages by key: the tenth page of a list costs what the first does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

PER_PAGE = 25
AFTER, BEFORE = "after", "before"
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Slice(Generic[M]):
    """One page of a list; newer and older are query strings, "" at the ends."""

    items: Sequence[M]
    newer: str
    older: str


def keyset(
    rows: QuerySet[M], query: QueryDict, *, by: str = "id", size: int = PER_PAGE
) -> Slice[M]:
    """Return one page of the rows, highest `by` first, the newest among equals.

    Empty values come last. An unreadable cursor shows the first page.
    """
    backwards = BEFORE in query and AFTER not in query
    cursor = _read(query.get(BEFORE if backwards else AFTER, ""))
    ordered = rows.order_by(*_order(by, backwards=backwards))
    if cursor is not None:
        ordered = ordered.filter(_beyond(by, cursor, backwards=backwards))
    found = list(ordered[: size + 1])
    more = len(found) > size
    items = found[:size][::-1] if backwards else found[:size]
    has_newer = more if backwards else cursor is not None
    has_older = (cursor is not None) if backwards else more
    return Slice(
        items,
        _link(query, BEFORE, items[0], by) if items and has_newer else "",
        _link(query, AFTER, items[-1], by) if items and has_older else "",
    )


def _order(by: str, *, backwards: bool) -> list[OrderBy]:
    if by == "id":
        return [F("id").asc() if backwards else F("id").desc()]
    if backwards:
        return [F(by).asc(nulls_first=True), F("id").asc()]
    return [F(by).desc(nulls_last=True), F("id").desc()]


def _beyond(by: str, cursor: tuple[Any, int], *, backwards: bool) -> Q:
    value, row_id = cursor
    step = "gt" if backwards else "lt"
    same = Q(**{f"id__{step}": row_id})
    if by == "id":
        return same
    if value is None:
        inside = Q(**{f"{by}__isnull": True}) & same
        return inside | Q(**{f"{by}__isnull": False}) if backwards else inside
    further = Q(**{f"{by}__{step}": value}) | (Q(**{by: value}) & same)
    return further if backwards else further | Q(**{f"{by}__isnull": True})


def _link(query: QueryDict, name: str, row: Model, by: str) -> str:
    value = getattr(row, by)
    key = [value.isoformat() if isinstance(value, datetime) else value, row.pk]
    params = query.copy()
    for old in (AFTER, BEFORE):
        params.pop(old, None)
    packed = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    params[name] = packed.rstrip("=")
    return f"?{params.urlencode()}"


def _read(packed: str) -> tuple[Any, int] | None:
    """Return the cursor's value and row id; None when it cannot be one."""
    try:
        padded = packed + "=" * (-len(packed) % 4)
        value, row_id = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, TypeError, binascii.Error):
        return None
    if not isinstance(row_id, int) or not 0 <= row_id < 2**63:
        return None
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            return None
        return None if value is None or value.tzinfo is None else (value, row_id)
    fits = value is None or (isinstance(value, int) and abs(value) < 2**31)
    return (value, row_id) if fits else None

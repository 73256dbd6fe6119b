"""Searching records: matching and sorting what the index has seen."""

import re
from bisect import bisect_left, bisect_right
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Filtered, Record, RecordTable
from integrations.simulators.hubspot.search_filters import Group, groups_of, key_of
from integrations.simulators.wire import Json

MAX_RESULTS = 10_000
CACHED_FILTERS = 32


def find(portal: Portal, table: RecordTable, body: Json, now: float) -> list[Record]:
    """Return all matching records in order; raises a 400 for a bad request."""
    groups = groups_of(portal, table, body.get("filterGroups") or [])
    words = str(body.get("query") or "").lower().split()
    stale = table.indexed(now)
    found = _matching(table, groups, stale)
    if words:
        found = [record for record in found if _has_words(table, record, words)]
    return _sorted(table, found, body.get("sorts") or [])


def _matching(
    table: RecordTable, groups: list[Group], stale: dict[int, Record | None]
) -> list[Record]:
    if len(groups) == 1:
        return _of_group(table, groups[0], stale)
    found: dict[int, Record] = {}
    for group in groups:
        found |= {record.id: record for record in _of_group(table, group, stale)}
    return [found[number] for number in sorted(found)]


def _of_group(
    table: RecordTable, group: Group, stale: dict[int, Record | None]
) -> list[Record]:
    """Return a group's records by id.

    While nothing changes, the records that pass the tests are remembered, so that
    paging by id through a large window does not scan every record for each page.
    """
    if stale or not group.tests or any("associations." in key for key in group.keys):
        return _scan(table, group, stale)
    found = table.filtered.get(tuple(group.keys))
    if found is None or found.version != table.version:
        records = _scan(table, Group(tests=group.tests), stale)
        found = Filtered(table.version, [record.id for record in records], records)
        if len(table.filtered) >= CACHED_FILTERS:
            table.filtered.clear()
        table.filtered[tuple(group.keys)] = found
    start = bisect_left(found.ids, group.low)
    return found.records[start : bisect_right(found.ids, group.high)]


def _scan(
    table: RecordTable, group: Group, stale: dict[int, Record | None]
) -> list[Record]:
    start = bisect_left(table.ids, group.low)
    span = table.ids[start : bisect_right(table.ids, group.high)]
    seen: list[Record | None] = [table.records[number] for number in span]
    if stale:
        seen = [stale.get(number, table.records[number]) for number in span]
    found = [record for record in seen if record and not record.archived_at]
    for test in group.tests:
        found = list(filter(test, found))
    return found


def _has_words(table: RecordTable, record: Record, words: list[str]) -> bool:
    text = " ".join(record.props.get(name, "") for name in table.kind.searchable)
    tokens = [*text.lower().split(), *re.findall(r"\w+", text.lower())]
    return all(any(token.startswith(word) for token in tokens) for word in words)


def _sorted(table: RecordTable, found: list[Record], sorts: Any) -> list[Record]:
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise errors.bad_request("Only one sort is allowed")
    name, descending = _sort_of(sorts[0]) if sorts else (table.kind.created, False)
    prop = table.properties.get(name)
    if prop is None:
        raise errors.bad_request(f"Unable to sort by unknown property {name}")
    if name == "hs_object_id":
        return found[::-1] if descending else found
    if not sorts:
        return sorted(found, key=lambda record: (record.created, record.id))
    key = key_of(prop)
    having = [record for record in found if name in record.props]
    having.sort(key=lambda record: key(record.props[name]), reverse=descending)
    return having + [record for record in found if name not in record.props]


def _sort_of(raw: Any) -> tuple[str, bool]:
    """Read {propertyName, direction}, "name" or "-name"."""
    if isinstance(raw, dict):
        return str(raw.get("propertyName")), raw.get("direction") == "DESCENDING"
    return str(raw).lstrip("-"), str(raw).startswith("-")

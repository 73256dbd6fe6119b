"""Searching records: filters, sorting and paging over what the index has seen."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.definitions import Property
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import to_ms
from integrations.simulators.wire import Json

MAX_GROUPS, MAX_PER_GROUP, MAX_FILTERS = 5, 6, 18
MAX_RESULTS = 10_000
CACHED_FILTERS = 32
OPERATORS = frozenset(
    [
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ]
)
Test = Callable[[Record], bool]
Comparable = Any


@dataclass(slots=True)
class Group:
    """One AND group: an id range, and the other filters as tests."""

    low: int = 0
    high: int = 1 << 62
    tests: list[Test] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def find(portal: Portal, table: RecordTable, body: Json, now: float) -> list[Record]:
    """Return all matching records in order; raises a 400 for a bad request."""
    groups = _groups(portal, table, body.get("filterGroups") or [])
    words = str(body.get("query") or "").lower().split()
    stale = table.indexed(now)
    found = _matching(table, groups, stale)
    if words:
        found = [record for record in found if _has_words(table, record, words)]
    return _sorted(table, found, body.get("sorts") or [])


def _groups(portal: Portal, table: RecordTable, raw: Any) -> list[Group]:
    if not isinstance(raw, list) or len(raw) > MAX_GROUPS:
        raise errors.bad_request(f"At most {MAX_GROUPS} filterGroups are allowed")
    filters = [_filters_of(group) for group in raw]
    if any(len(group) > MAX_PER_GROUP for group in filters):
        raise errors.bad_request(
            f"At most {MAX_PER_GROUP} filters per group are allowed"
        )
    if sum(map(len, filters)) > MAX_FILTERS:
        raise errors.bad_request(f"At most {MAX_FILTERS} filters in total are allowed")
    return [_group(portal, table, group) for group in filters] or [Group()]


def _filters_of(group: Any) -> list[Json]:
    filters = group.get("filters") if isinstance(group, dict) else None
    if not isinstance(filters, list) or not all(isinstance(f, dict) for f in filters):
        raise errors.bad_request("Invalid input JSON: a filterGroup has filters")
    return filters


def _group(portal: Portal, table: RecordTable, filters: list[Json]) -> Group:
    group = Group()
    for raw in filters:
        _check_filter(raw)
        if not _narrow(group, raw):
            group.tests.append(_test(portal, table, raw))
            group.keys.append(repr(sorted(raw.items(), key=str)))
    return group


def _check_filter(raw: Json) -> None:
    operator = raw.get("operator")
    if operator not in OPERATORS:
        raise errors.bad_request(f"Invalid input JSON: unknown operator {operator}")
    needs = {"IN": ["values"], "NOT_IN": ["values"], "BETWEEN": ["value", "highValue"]}
    none = ("HAS_PROPERTY", "NOT_HAS_PROPERTY")
    wanted = [] if operator in none else needs.get(operator, ["value"])
    for name in wanted:
        if raw.get(name) is None:
            raise errors.bad_request(f"operator {operator} requires {name}")


def _narrow(group: Group, raw: Json) -> bool:
    """Turn a comparison on the record id into a range: the records are kept by id."""
    if raw.get("propertyName") != "hs_object_id" or raw["operator"] not in _RANGES:
        return False
    if not str(raw["value"]).isdigit():
        raise errors.bad_request(f"{raw['value']} is not a record id")
    low, high = _RANGES[raw["operator"]](int(raw["value"]))
    group.low, group.high = max(group.low, low), min(group.high, high)
    return True


_ANY = 1 << 62
_RANGES: dict[str, Callable[[int], tuple[int, int]]] = {
    "EQ": lambda number: (number, number),
    "GT": lambda number: (number + 1, _ANY),
    "GTE": lambda number: (number, _ANY),
    "LT": lambda number: (0, number - 1),
    "LTE": lambda number: (0, number),
}


def _test(portal: Portal, table: RecordTable, raw: Json) -> Test:
    name = str(raw.get("propertyName", ""))
    if name.startswith("associations."):
        return _association_test(portal, table, name.partition(".")[2], raw)
    prop = table.properties.get(name)
    if prop is None or prop.archived_at:
        message = f"There was a problem with the request: unknown property {name}"
        raise errors.bad_request(message)
    if raw["operator"] == "HAS_PROPERTY":
        return lambda record: name in record.props
    if raw["operator"] == "NOT_HAS_PROPERTY":
        return lambda record: name not in record.props
    check = _value_test(prop, raw)

    def test(record: Record) -> bool:
        value = record.props.get(name)
        return value is not None and check(value)

    return test


def _value_test(prop: Property, raw: Json) -> Callable[[str], bool]:
    operator, key = raw["operator"], _key(prop)
    try:
        if operator in ("IN", "NOT_IN"):
            return _membership(prop, raw, key)
        if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
            wanted = operator == "CONTAINS_TOKEN"
            pattern = str(raw["value"]).lower()
            return lambda value: _has_token(value, pattern) is wanted
        operand = key(str(raw["value"]))
        if operator == "BETWEEN":
            top = key(str(raw["highValue"]))
            return lambda value: operand <= key(value) <= top
    except ValueError as error:
        message = f"{raw.get('value')} is not a valid value for {prop.name}"
        raise errors.bad_request(message) from error
    if prop.multiple and operator in ("EQ", "NEQ"):
        wanted = operator == "EQ"
        return lambda value: (operand in value.split(";")) is wanted
    compare = _COMPARISONS[operator]
    return lambda value: compare(key(value), operand)


_COMPARISONS: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
}


def _key(prop: Property) -> Callable[[str], Comparable]:
    """Return what values of a property are compared by."""
    if prop.type == "number":
        return float
    if prop.type in ("date", "datetime"):
        return to_ms
    if prop.type == "enumeration":
        return lambda value: value
    return str.lower


def _membership(
    prop: Property, raw: Json, key: Callable[[str], Comparable]
) -> Callable[[str], bool]:
    values = raw["values"]
    if not isinstance(values, list):
        raise errors.bad_request("values must be a list")
    # String values must be sent in lower case: they are taken as they are.
    own = key if prop.type != "string" else str
    wanted, inside = {own(str(value)) for value in values}, raw["operator"] == "IN"
    if prop.multiple:
        return lambda value: (not wanted.isdisjoint(value.split(";"))) is inside
    return lambda value: (key(value) in wanted) is inside


def _has_token(value: str, pattern: str) -> bool:
    lowered = value.lower()
    tokens = [*re.findall(r"\w+", lowered), *lowered.split(), lowered]
    if "*" in pattern:
        return any(fnmatchcase(token, pattern) for token in tokens)
    return pattern in tokens or _contains_words(lowered, pattern)


def _contains_words(value: str, pattern: str) -> bool:
    words, wanted = re.findall(r"\w+", value), re.findall(r"\w+", pattern)
    size = len(wanted)
    return bool(wanted) and any(
        words[at : at + size] == wanted for at in range(len(words) - size + 1)
    )


def _association_test(portal: Portal, table: RecordTable, name: str, raw: Json) -> Test:
    target = portal.table(name)
    if target is None or target.kind.custom or table.kind.custom:
        raise errors.bad_request(f"Unable to filter by associations.{name}")
    values = raw.get("values") or [raw.get("value")]
    wanted = {int(str(value)) for value in values if str(value).isdigit()}
    source, other = table.kind.name, target.kind.name
    inside = raw["operator"] in ("EQ", "IN")

    def test(record: Record) -> bool:
        partners = portal.linked(source, record.id, other)
        return (not wanted.isdisjoint(partners)) is inside

    return test


def _matching(
    table: RecordTable, groups: list[Group], stale: dict[int, Record | None]
) -> list[Record]:
    if len(groups) == 1:
        return _of_group(table, groups[0], stale)
    found: dict[int, Record] = {}
    for group in groups:
        found |= {record.id: record for record in _of_group(table, group, stale)}
    return [found[number] for number in sorted(found)]


_cache: dict[tuple[int, tuple[str, ...]], tuple[int, list[int]]] = {}


def _of_group(
    table: RecordTable, group: Group, stale: dict[int, Record | None]
) -> list[Record]:
    """Return a group's records by id.

    While nothing changes, the ids that pass the tests are remembered, so that paging
    by id through a large window does not scan every record for each page.
    """
    if stale or not group.tests or any("associations." in key for key in group.keys):
        return _scan(table, group, stale)
    key = (id(table), tuple(group.keys))
    version, ids = _cache.get(key, (-1, []))
    if version != table.version:
        everything = Group(tests=group.tests)
        ids = [record.id for record in _scan(table, everything, stale)]
        if len(_cache) >= CACHED_FILTERS:
            _cache.clear()
        _cache[key] = (table.version, ids)
    start, stop = bisect_left(ids, group.low), bisect_right(ids, group.high)
    return [table.records[number] for number in ids[start:stop]]


def _scan(
    table: RecordTable, group: Group, stale: dict[int, Record | None]
) -> list[Record]:
    ids, records = table.ids, table.records
    start, stop = bisect_left(ids, group.low), bisect_right(ids, group.high)
    found = []
    for number in ids[start:stop]:
        record = stale[number] if number in stale else records[number]
        if record is None or record.archived_at:
            continue
        if all(test(record) for test in group.tests):
            found.append(record)
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
    key = _key(prop)
    having = [record for record in found if name in record.props]
    having.sort(key=lambda record: key(record.props[name]), reverse=descending)
    return having + [record for record in found if name not in record.props]


def _sort_of(raw: Any) -> tuple[str, bool]:
    """Read {propertyName, direction}, "name" or "-name"."""
    if isinstance(raw, dict):
        return str(raw.get("propertyName")), raw.get("direction") == "DESCENDING"
    return str(raw).lstrip("-"), str(raw).startswith("-")

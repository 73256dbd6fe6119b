"""What a search asks for: filter groups, read into tests of one record each."""

import operator as operators
import re
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


def groups_of(portal: Portal, table: RecordTable, raw: Any) -> list[Group]:
    """Read filterGroups; raises a 400 for a bad one."""
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
    operator = raw["operator"]
    if operator == "HAS_PROPERTY":
        return lambda record: name in record.props
    if operator == "NOT_HAS_PROPERTY":
        return lambda record: name not in record.props
    if operator in _COMPARISONS and not prop.multiple:
        return _comparison(prop, raw)
    check = _value_test(prop, raw)

    def test(record: Record) -> bool:
        value = record.props.get(name)
        return value is not None and check(value)

    return test


def _comparison(prop: Property, raw: Json) -> Test:
    """Return the commonest test, at the cost of one call a record."""
    name, key = prop.name, key_of(prop)
    compare, operand = _COMPARISONS[raw["operator"]], _operand(prop, raw["value"])

    def test(record: Record) -> bool:
        value = record.props.get(name)
        return value is not None and compare(key(value), operand)

    return test


def _operand(prop: Property, value: Any) -> Comparable:
    try:
        return key_of(prop)(str(value))
    except ValueError as error:
        message = f"{value} is not a valid value for {prop.name}"
        raise errors.bad_request(message) from error


def _value_test(prop: Property, raw: Json) -> Callable[[str], bool]:
    operator, key = raw["operator"], key_of(prop)
    if operator in ("IN", "NOT_IN"):
        return _membership(prop, raw, key)
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        wanted = operator == "CONTAINS_TOKEN"
        pattern = str(raw["value"]).lower()
        return lambda value: _has_token(value, pattern) is wanted
    operand = _operand(prop, raw["value"])
    if operator == "BETWEEN":
        top = _operand(prop, raw["highValue"])
        return lambda value: operand <= key(value) <= top
    if operator in ("EQ", "NEQ"):
        wanted = operator == "EQ"
        return lambda value: (operand in value.split(";")) is wanted
    compare = _COMPARISONS[operator]
    return lambda value: compare(key(value), operand)


_COMPARISONS: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "EQ": operators.eq,
    "NEQ": operators.ne,
    "LT": operators.lt,
    "LTE": operators.le,
    "GT": operators.gt,
    "GTE": operators.ge,
}


def key_of(prop: Property) -> Callable[[str], Comparable]:
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
    exact = prop.type == "string"
    wanted = {str(value) if exact else _operand(prop, value) for value in values}
    inside = raw["operator"] == "IN"
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
    target = portal.crm_table(name)
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

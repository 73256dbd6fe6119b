"""Conditions of a query as functions of a row, and what they say of its stamp."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.simulators.salesforce import ids, values
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.soql_lexer import invalid_field
from integrations.simulators.salesforce.soql_paths import Path, Scope
from integrations.simulators.salesforce.soql_tree import (
    Compare,
    Literal,
    Logic,
    Node,
    Query,
)
from integrations.simulators.salesforce.table import is_system_time

Test = Callable[[Row], bool]
_NUMBERS = frozenset({"int", "double", "currency", "percent", "long"})
_IDS = frozenset({"id", "reference"})
_ORDERED = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_QUOTES = {
    True: "should not be enclosed in quotes",
    False: "should be enclosed in quotes",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Makes tests for one query. subquery: runs a semi-join, returns its values."""

    scope: Scope
    now: float
    subquery: Callable[[Query], set[Any]]

    def test(self, node: Node | None) -> Test | None:
        """Return what a row must pass; None when there is no condition."""
        if node is None:
            return None
        if isinstance(node, Compare):
            return self._compare(node)
        tests = [test for test in map(self.test, node.nodes) if test is not None]
        return _LOGIC[node.operator](tests)

    def _compare(self, node: Compare) -> Test:
        path = self.scope.path(node.path)
        made = path.field
        if not made.filterable or made.type == "address":
            message = f"field '{made.name}' can not be filtered in a query call"
            raise invalid_field(self.scope.text, node.path.start, message)
        if node.values[0].kind == "query":
            found = self.subquery(node.values[0].value)
            return _in(path.read, found, negated=node.operator == "NOT IN")
        if node.operator == "LIKE":
            return _like(path, str(node.values[0].value or ""))
        if node.operator in ("INCLUDES", "EXCLUDES"):
            return _includes(path, node)
        if node.values[0].kind == "days":
            return self._days(path, node)
        wanted = [self._wanted(made, literal) for literal in node.values]
        read = _comparable(path)
        if node.operator in ("IN", "NOT IN"):
            return _in(read, set(wanted), negated=node.operator == "NOT IN")
        return _simple(read, node.operator, wanted[0])

    def _wanted(self, made: Field, literal: Literal) -> Any:
        """Return a literal as the field's values are compared; raises SoqlError."""
        if literal.kind == "null":
            return False if made.type == "boolean" else None
        kind = _literal_kind(made)
        if literal.kind != kind and not (kind == "datetime" and literal.kind == "date"):
            quoted = literal.kind == "string"
            message = (
                f"value of filter criterion for field '{made.name}' must be of type "
                f"{_TYPE_NAMES.get(made.type, made.type)} and {_QUOTES[quoted]}"
            )
            raise invalid_field(self.scope.text, literal.token.start, message)
        return _normal(made, literal)

    def _days(self, path: Path, node: Compare) -> Test:
        first, beyond = node.values[0].value
        low, high = values.today(self.now, first), values.today(self.now, beyond)
        read = path.read
        if is_system_time(path.field.name):
            return _range(read, node.operator, *map(_midnight, (low, high)))
        return _range(read, node.operator, low, high)


def _midnight(day: str) -> int:
    return values.epoch(f"{day}T00:00:00Z")


_TYPE_NAMES = {"datetime": "dateTime", "picklist": "string", "email": "string"}


def _literal_kind(made: Field) -> str:
    if made.type in _NUMBERS:
        return "number"
    if made.type == "boolean":
        return "bool"
    return made.type if made.type in ("date", "datetime") else "string"


def _normal(made: Field, literal: Literal) -> Any:
    if made.type == "datetime":
        whole = (
            literal.value if literal.kind == "datetime" else f"{literal.value}T00:00Z"
        )
        second = values.epoch(whole)
        return second if is_system_time(made.name) else values.iso(second)
    if made.type in _IDS:
        return ids.normal(literal.value) or literal.value
    if literal.kind == "string":
        return _plain(literal.value).lower()
    return literal.value


def _plain(text: str) -> str:
    return text.replace("\\%", "%").replace("\\_", "_")


def _comparable(path: Path) -> Callable[[Row], Any]:
    """Return what reads a value for comparison: texts without case."""
    read = path.read
    if path.field.type in _IDS or not path.field.is_text:
        return read

    def folded(row: Row) -> Any:
        value = read(row)
        return value.lower() if value is not None else None

    return folded


def _simple(read: Callable[[Row], Any], operator: str, wanted: Any) -> Test:
    if operator == "=":
        return lambda row: read(row) == wanted
    if operator == "!=":
        return lambda row: read(row) != wanted
    compare = _ORDERED[operator]

    def ordered(row: Row) -> bool:
        value = read(row)
        return value is not None and wanted is not None and compare(value, wanted)

    return ordered


def _in(read: Callable[[Row], Any], wanted: set[Any], *, negated: bool) -> Test:
    if negated:
        return lambda row: read(row) not in wanted
    return lambda row: read(row) in wanted


def _range(read: Callable[[Row], Any], operator: str, low: Any, high: Any) -> Test:
    """Compare with a span of days, from low to before high."""
    tests: dict[str, Callable[[Any], bool]] = {
        "=": lambda v: low <= v < high,
        "!=": lambda v: not low <= v < high,
        "<": lambda v: v < low,
        "<=": lambda v: v < high,
        ">": lambda v: v >= high,
        ">=": lambda v: v >= low,
    }
    test = tests[operator]
    return lambda row: read(row) is not None and test(read(row))


def _like(path: Path, pattern: str) -> Test:
    parts = re.split(r"(\\[%_]|[%_])", pattern)
    signs = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_"}
    source = "".join(signs.get(part, re.escape(part)) for part in parts)
    compiled, read = re.compile(source, re.IGNORECASE | re.DOTALL), path.read
    return lambda row: compiled.fullmatch(str(read(row) or "")) is not None


def _includes(path: Path, node: Compare) -> Test:
    groups = [set(str(v.value).lower().split(";")) for v in node.values]
    read, wanted = path.read, node.operator == "INCLUDES"

    def test(row: Row) -> bool:
        held = set(str(read(row) or "").lower().split(";"))
        return any(group <= held for group in groups) == wanted

    return test


_LOGIC: dict[str, Callable[[list[Test]], Test]] = {
    "AND": lambda tests: lambda row: all(test(row) for test in tests),
    "OR": lambda tests: lambda row: any(test(row) for test in tests),
    "NOT": lambda tests: lambda row: not tests[0](row),
}


# -- what the conditions say of (SystemModstamp, Id)

FIRST, LAST = -(1 << 60), 1 << 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """All matches lie in low..high; `after`: beyond this id within second `low`."""

    low: int = FIRST
    high: int = LAST
    after: str = ""
    id_after: str = ""

    @property
    def open(self) -> bool:
        """Whether nothing is known of the stamp."""
        return self.low == FIRST and self.high == LAST


def bounds(node: Node | None) -> Bounds:
    """Return where matches can lie. Never too narrow."""
    if node is None:
        return Bounds()
    if isinstance(node, Compare):
        return _compare_bounds(node)
    parts = [bounds(inner) for inner in node.nodes]
    if node.operator == "NOT":
        return Bounds()
    return _within_all(parts) if node.operator == "AND" else _within_any(parts)


def _compare_bounds(node: Compare) -> Bounds:
    name, literal = node.path.text.lower(), node.values[0]
    if name == "id" and node.operator == ">" and literal.kind == "string":
        return Bounds(id_after=ids.normal(literal.value))
    if name != "systemmodstamp" or literal.kind != "datetime":
        return Bounds()
    second = values.epoch(literal.value)
    return {
        "=": Bounds(second, second),
        ">": Bounds(low=second + 1),
        ">=": Bounds(low=second),
        "<": Bounds(high=second - 1),
        "<=": Bounds(high=second),
    }.get(node.operator, Bounds())


def _within_all(parts: list[Bounds]) -> Bounds:
    low, high = max(p.low for p in parts), min(p.high for p in parts)
    after = max((p.after for p in parts if p.low == low), default="")
    id_after = max(p.id_after for p in parts)
    # Within one second, "Id > x" is where to go on.
    return Bounds(low, high, max(after, id_after if low == high else ""), id_after)


def _within_any(parts: list[Bounds]) -> Bounds:
    low, high = min(p.low for p in parts), max(p.high for p in parts)
    after = min(p.after for p in parts if p.low == low)
    return Bounds(low, high, after, min(p.id_after for p in parts))


def keys(node: Node | None) -> list[Compare]:
    """Return the conditions every match meets: those joined by AND at the top."""
    if isinstance(node, Compare):
        return [node]
    if isinstance(node, Logic) and node.operator == "AND":
        return [found for inner in node.nodes for found in keys(inner)]
    return []

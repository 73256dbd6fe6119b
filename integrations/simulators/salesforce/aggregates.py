"""COUNT, MIN, MAX, SUM and AVG, with or without GROUP BY."""

from collections.abc import Callable
from typing import Any

from integrations.simulators.salesforce import values
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.soql_lexer import malformed
from integrations.simulators.salesforce.soql_paths import Scope
from integrations.simulators.salesforce.soql_tree import Item, Query
from integrations.simulators.salesforce.table import is_system_time
from integrations.simulators.wire import Json

_FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda found: len(set(found)),
    "MIN": lambda found: min(found, default=None),
    "MAX": lambda found: max(found, default=None),
    "SUM": lambda found: sum(found) if found else None,
    "AVG": lambda found: sum(found) / len(found) if found else None,
}


def wanted(query: Query) -> bool:
    """Return whether a query asks for aggregates."""
    return bool(query.grouping) or any(item.function for item in query.items)


def records(scope: Scope, query: Query, rows: list[Row]) -> list[Json]:
    """Return the AggregateResult bodies; raises SoqlError."""
    readers = [scope.path(token).read for token in query.grouping]
    groups: dict[tuple[Any, ...], list[Row]] = {} if readers else {(): rows}
    for row in rows if readers else ():
        groups.setdefault(tuple(read(row) for read in readers), []).append(row)
    names = _names(query)
    found = [_record(scope, query, names, group) for group in groups.values()]
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]


def _names(query: Query) -> list[str]:
    names, counter = [], 0
    grouped = {token.text.lower() for token in query.grouping}
    for item in query.items:
        if not item.function:
            if item.path.text.lower() not in grouped:
                last = item.path.text.split(".")[-1]
                message = f"Field must be grouped or aggregated: {last}"
                raise malformed(query.text, item.path.start, message)
            names.append(item.path.text.split(".")[-1])
            continue
        names.append(item.alias or f"expr{counter}")
        counter += not item.alias
    return names


def _record(scope: Scope, query: Query, names: list[str], rows: list[Row]) -> Json:
    made: Json = {"attributes": {"type": "AggregateResult"}}
    for name, item in zip(names, query.items, strict=True):
        made[name] = _value(scope, item, rows)
    return made


def _value(scope: Scope, item: Item, rows: list[Row]) -> Any:
    path = scope.path(item.path)
    found = [path.read(row) for row in (rows if item.function else rows[:1])]
    if item.function:
        value = _FOLDS[item.function]([v for v in found if v is not None])
        if item.function.startswith("COUNT"):
            return value
    else:
        value = found[0] if found else None
    timed = is_system_time(path.field.name) and value is not None
    return values.iso(value) if timed else value

"""Running a query: which rows match, in which order, reading as few as possible."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from integrations.simulators.salesforce import aggregates, ids, soql_lexer
from integrations.simulators.salesforce.errors import bad_request
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.soql_lexer import Token, invalid_field
from integrations.simulators.salesforce.soql_parser import parse
from integrations.simulators.salesforce.soql_paths import Columns, Scope, columns
from integrations.simulators.salesforce.soql_tree import Query, Sort
from integrations.simulators.salesforce.soql_where import (
    Bounds,
    Conditions,
    Test,
    bounds,
    keys,
)
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World

MOST_OFFSET = 2000
_BY_STAMP = (["systemmodstamp", "id"], ["systemmodstamp"])
_BY_ID = (["id"],)


@dataclass(slots=True)
class Result:
    """What a query found. count: of SELECT COUNT(), else -1; records: finished bodies
    of an aggregate query."""

    table: Table
    columns: Columns
    rows: list[Row]
    count: int = -1
    records: list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Runner:
    """Runs one query. all_rows: deleted ones too."""

    world: World
    org: Org
    access: FieldAccess
    all_rows: bool = False

    def run(self, text: str) -> Result:
        """Return what a query finds; raises SoqlError."""
        return self._run(parse(text))

    def _run(self, query: Query) -> Result:
        table = self.org.table(query.object.text)
        if table is None:
            raise soql_lexer.no_such_object(query.text, query.object)
        scope = Scope(self.org, self.access, table, query.text)
        if query.offset > MOST_OFFSET:
            message = f"Maximum SOQL offset allowed is {MOST_OFFSET}"
            raise bad_request("NUMBER_OUTSIDE_VALID_RANGE", message)
        if aggregates.wanted(query):
            rows = self._rows(query, table, scope, limited=False)
            records = aggregates.records(scope, query, rows)
            return Result(table, Columns(), [], records=records)
        tree = columns(scope, self._selected(query, table))
        if query.counted and query.where is None and query.limit is None:
            table.catch_up(self.world.now())
            hidden = self.world.settings.hidden_records
            if not table.lagging and not self.all_rows and not hidden:
                return Result(table, tree, [], count=table.live_count)
        rows = self._rows(query, table, scope, limited=True)
        return Result(table, tree, rows, count=len(rows) if query.counted else -1)

    def _selected(self, query: Query, table: Table) -> list[Token]:
        if not query.group:
            return [item.path for item in query.items]
        if query.limit is None or query.limit > 200:
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise soql_lexer.malformed(query.text, 0, message)
        custom = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}
        return [
            Token("name", made.name, 0)
            for made in self.access.fields(table)
            if made.custom in custom[query.group]
        ]

    def _subquery(self, query: Query) -> set[Any]:
        table = self.org.table(query.object.text)
        if table is None or len(query.items) != 1:
            raise soql_lexer.malformed(query.text, 0, "a semi-join selects one field")
        scope = Scope(self.org, self.access, table, query.text)
        read = scope.path(query.items[0].path).read
        return {read(row) for row in self._rows(query, table, scope, limited=True)}

    # -- rows

    def _rows(
        self, query: Query, table: Table, scope: Scope, *, limited: bool
    ) -> list[Row]:
        now = self.world.now()
        table.catch_up(now)
        test = Conditions(scope, now, self._subquery).test(query.where)
        order = [sort_key(scope, sort) for sort in query.order]
        plan = _Plan(self.org, table, query, all_rows=self.all_rows)
        matching = plan.matching(test)
        if self.world.settings.hidden_records:
            hides = self.world.settings.hides
            matching = (row for row in matching if not hides(row.id))
        window = _window(query) if limited else (0, None)
        if plan.ordered and not table.lagging:
            return list(islice(matching, window[0], window[1]))
        found = list(matching)
        if order:
            _sort(found, order)
        elif self.world.settings.shuffle_unordered and found:
            # Without ORDER BY there is no order: start anywhere.
            start = random.randrange(len(found))
            found = found[start:] + found[:start]
        return found[window[0] : window[1]]


def _window(query: Query) -> tuple[int, int | None]:
    end = None if query.limit is None else query.offset + query.limit
    return query.offset, end


SortKey = tuple[Callable[[Row], Any], bool, bool]


def sort_key(scope: Scope, sort: Sort) -> SortKey:
    """Return (reader, descending, nulls first); raises SoqlError."""
    path = scope.path(sort.path)
    if not path.field.sortable:
        message = f"field '{path.field.name}' can not be sorted in a query call"
        raise invalid_field(scope.text, sort.path.start, message)
    read = path.read
    if path.field.is_text:
        return lambda row: _folded(read(row)), sort.descending, sort.nulls_first
    return read, sort.descending, sort.nulls_first


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sort(rows: list[Row], order: list[SortKey]) -> None:
    for read, descending, nulls_first in reversed(order):
        empty = [row for row in rows if read(row) is None]
        full = [row for row in rows if read(row) is not None]
        full.sort(key=read, reverse=descending)
        rows[:] = empty + full if nulls_first else full + empty


class _Plan:
    """Chooses which rows to look at. ordered: they come in the order asked for."""

    def __init__(self, org: Org, table: Table, query: Query, *, all_rows: bool) -> None:
        self.table = table
        self.all_rows = all_rows
        self.bounds = bounds(query.where)
        self.order = [sort.path.text.lower() for sort in query.order]
        self.backwards = bool(query.order) and all(s.descending for s in query.order)
        mixed = len({sort.descending for sort in query.order}) > 1
        self.candidates = self._keyed(query)
        self.by_stamp = not mixed and self.order in _BY_STAMP
        self.by_id = not mixed and self.order in _BY_ID and not self.backwards
        in_order = self.by_stamp or (self.by_id and self.bounds.open)
        self.ordered = self.candidates is None and in_order

    def _keyed(self, query: Query) -> list[Row] | None:
        """Return the rows that a condition on an id or a looked-up field names."""
        for condition in keys(query.where):
            strings = all(v.kind == "string" for v in condition.values)
            if condition.operator not in ("=", "IN") or not strings:
                continue
            made = self.table.field(condition.path.text)
            name = made.name if made else ""
            wanted = [str(literal.value) for literal in condition.values]
            if name == "Id":
                return self._by_ids([ids.normal(text) for text in wanted])
            if name in self.table.indexes:
                return self._by_key(name, wanted)
        return None

    def _by_ids(self, wanted: list[str]) -> list[Row]:
        known = dict.fromkeys(wanted)
        return [self.table.rows[i] for i in known if i in self.table.rows]

    def _by_key(self, name: str, wanted: list[str]) -> list[Row]:
        made = self.table.fields[name]
        if made.type == "reference":
            wanted = [ids.normal(text) for text in wanted]
        found = dict.fromkeys(i for text in wanted for i in self.table.find(name, text))
        rows = [self.table.rows[identifier] for identifier in found]
        return rows + (list(self.table.bin.values()) if self.all_rows else [])

    def matching(self, test: Test | None) -> Iterator[Row]:
        """Yield the rows that match, each once."""
        lagging = self.table.lagging
        for row in self._look_at():
            if row.id in lagging:
                continue
            if row.deleted_at and not self.all_rows:
                continue
            if test is None or test(row):
                yield row
        for waiting in list(lagging.values()):
            prior = waiting[0][1]
            if prior is None or (prior.deleted_at and not self.all_rows):
                continue
            if test is None or test(prior):
                yield prior

    def _look_at(self) -> Iterable[Row]:
        if self.candidates is not None:
            return self.candidates
        if not self.bounds.open or self.by_stamp:
            return self._stamped(self.bounds)
        after = self.bounds.id_after
        return self.table.in_id_order(after)

    def _stamped(self, wanted: Bounds) -> Iterator[Row]:
        stamps, rows = self.table.stamps, self.table.rows
        if self.by_stamp and self.backwards:
            found = stamps.backwards(wanted.low, wanted.high)
        else:
            found = stamps.between(wanted.low, wanted.high, after=wanted.after)
        for second, identifier in found:
            row = rows.get(identifier)
            # A record that moved on leaves its id behind.
            if row is not None and row.stamp == second:
                yield row

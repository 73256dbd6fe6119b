"""Field paths of a query: what they name, how they are read, how they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.salesforce import values
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.soql_lexer import Token, no_such_column
from integrations.simulators.salesforce.table import Getter, Table, is_system_time
from integrations.simulators.wire import Json

# Relationships of relationships: up to five levels, as the vendor allows.
MOST_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Path:
    """A resolved path: the field at its end, and what reads it from a row."""

    field: Field
    read: Getter
    steps: list[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query may name. text: the query, for errors."""

    org: Org
    access: FieldAccess
    table: Table
    text: str

    def path(self, token: Token) -> Path:
        """Resolve a path; raises SoqlError."""
        parts = token.text.split(".")
        if parts[0].lower() == self.table.name.lower() and len(parts) > 1:
            parts = parts[1:]
        return self._walk(self.table, parts, token, 0)

    def _walk(self, table: Table, parts: list[str], token: Token, level: int) -> Path:
        if len(parts) == 1:
            made = self.access.find(table, parts[0])
            if made is None:
                raise no_such_column(self.text, token, table.name)
            return Path(made, table.getter(made.name), [made.name])
        reference = table.relations.get(parts[0].lower())
        targets = self._targets(reference) if reference and level < MOST_LEVELS else []
        known = [t for t in targets if self._knows(t, parts[1])]
        if reference is None or not known:
            raise no_such_column(self.text, token, table.name)
        inner = {t.name: self._walk(t, parts[1:], token, level + 1) for t in known}
        read = _through(table.getter(reference.name), known, inner)
        first = inner[known[0].name]
        return Path(first.field, read, [reference.relationship, *first.steps])

    def _targets(self, reference: Field) -> list[Table]:
        return [self.org.tables[n] for n in reference.refs if n in self.org.tables]

    def _knows(self, table: Table, name: str) -> bool:
        if self.access.find(table, name) is not None:
            return True
        return name.lower() in table.relations


def _through(read: Getter, targets: list[Table], inner: dict[str, Path]) -> Getter:
    def follow(row: Row) -> Any:
        identifier = read(row)
        for table in targets if identifier else ():
            parent = table.rows.get(identifier)
            if parent is not None:
                return inner[table.name].read(parent)
        return None

    return follow


@dataclass(slots=True)
class Columns:
    """What a query shows, as a tree of parents."""

    plain: list[tuple[str, Getter]] = field(default_factory=list)
    parents: dict[str, tuple[Getter, list[Table], "dict[str, Columns]"]] = field(
        default_factory=dict
    )


def shown(made: Field, read: Getter) -> Getter:
    """Return what reads a field the way bodies show it."""
    if is_system_time(made.name):
        return lambda row: values.iso(read(row))
    return read


def columns(scope: Scope, tokens: list[Token]) -> Columns:
    """Resolve the selected paths; raises SoqlError."""
    tree = Columns()
    for token in tokens:
        path = scope.path(token)
        parts = path.steps
        _plant(scope, scope.table, tree, parts, token)
    return tree


def _plant(
    scope: Scope, table: Table, tree: Columns, parts: list[str], token: Token
) -> None:
    if len(parts) == 1:
        made = scope.access.find(table, parts[0])
        if made is not None and made.name not in [name for name, _ in tree.plain]:
            tree.plain.append((made.name, shown(made, table.getter(made.name))))
        return
    reference = table.relations[parts[0].lower()]
    if reference.relationship not in tree.parents:
        targets = [scope.org.tables[n] for n in reference.refs if n in scope.org.tables]
        branches = {target.name: Columns() for target in targets}
        read = table.getter(reference.name)
        tree.parents[reference.relationship] = (read, targets, branches)
    for target in tree.parents[reference.relationship][1]:
        branch = tree.parents[reference.relationship][2][target.name]
        known = (
            scope.access.find(target, parts[1]) or parts[1].lower() in target.relations
        )
        if known:
            _plant(scope, target, branch, parts[1:], token)


def renderer(table: Table, tree: Columns, base: str) -> Callable[[Row], Json]:
    """Return what turns a row into a record of an answer. base: .../sobjects."""
    url = f"{base}/{table.name}/"
    name, plain = table.name, tree.plain
    parents = [
        (key, read, targets, {n: renderer(t, branches[n], base) for n, t in named})
        for key, (read, targets, branches) in tree.parents.items()
        for named in [[(target.name, target) for target in targets]]
    ]

    def render(row: Row) -> Json:
        made: Json = {"attributes": {"type": name, "url": url + row.id}}
        for key, read in plain:
            made[key] = read(row)
        for key, read, targets, inner in parents:
            made[key] = _parent(read(row), targets, inner)
        return made

    return render


def _parent(
    identifier: Any, targets: list[Table], inner: dict[str, Callable[[Row], Json]]
) -> Json | None:
    for table in targets if identifier else ():
        row = table.rows.get(identifier)
        if row is not None:
            return inner[table.name](row)
    return None


def flat_names(tree: Columns) -> list[str]:
    """Return the columns of a CSV, parents dotted."""
    names = [name for name, _ in tree.plain]
    for key, (_, targets, branches) in tree.parents.items():
        inner: dict[str, None] = {}
        for target in targets:
            inner |= dict.fromkeys(flat_names(branches[target.name]))
        names += [f"{key}.{name}" for name in inner]
    return names

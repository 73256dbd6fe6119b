"""The records of one object: by id, by stamp, by looked-up values, and what lags.

Only `org.Org` changes a table, so that every change is journaled and can be undone.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from integrations.simulators.salesforce import ids
from integrations.simulators.salesforce.definitions import (
    SYSTEM_TIMES,
    Field,
    SObject,
)
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.stamps import StampIndex

# Who owns or made a record is asked of all records at once, never of one owner's.
_UNINDEXED = frozenset({"OwnerId", "CreatedById", "LastModifiedById", "MasterRecordId"})
Getter = Callable[[Row], Any]
_SYSTEM: dict[str, Getter] = {
    "Id": lambda row: row.id,
    "IsDeleted": lambda row: bool(row.deleted_at),
    "CreatedDate": lambda row: row.created,
    "LastModifiedDate": lambda row: row.modified,
    "SystemModstamp": lambda row: row.stamp,
    "CreatedById": lambda row: row.created_by,
    "LastModifiedById": lambda row: row.modified_by,
}


class Table:
    """All records of one object. computed: fields whose value is worked out."""

    def __init__(self, kind: SObject, fields: list[Field]) -> None:
        self.kind = kind
        self.fields = {made.name: made for made in fields}
        self.computed: dict[str, Getter] = {}
        self.rows: dict[str, Row] = {}
        self.ids: list[str] = []
        self.stamps = StampIndex()
        self.indexes: dict[str, dict[str, str | list[str]]] = {}
        self.bin: dict[str, Row] = {}
        self.purged: list[tuple[str, int]] = []
        self.lagging: dict[str, list[tuple[float, Row | None]]] = {}
        self.next_number = 1
        self.note_fields()

    @property
    def name(self) -> str:
        """The object's name."""
        return self.kind.name

    @property
    def live_count(self) -> int:
        """How many records are not in the recycle bin."""
        return len(self.rows) - len(self.bin)

    def note_fields(self) -> None:
        """Take in changed definitions."""
        fields = self.fields.values()
        self.by_lower = {made.name.lower(): made for made in fields}
        self.relations = {f.relationship.lower(): f for f in fields if f.relationship}
        self.must = [f.name for f in fields if f.must_be_given]
        self.unique = [f.name for f in fields if f.unique]
        self.defaults = {
            f.name: f.default for f in fields if f.createable and f.default is not None
        }
        wanted = {
            f.name
            for f in fields
            if (f.looked_up and f.name != "Id")
            or (f.type == "reference" and f.refs and f.name not in _UNINDEXED)
        }
        for name in set(self.indexes) - wanted:
            if name not in self.fields:
                del self.indexes[name]
        for name in wanted:
            self.ensure_index(name)

    def ensure_index(self, name: str) -> None:
        """Let records be found by a field's value."""
        if name not in self.indexes:
            self.indexes[name] = {}
            for row in self.rows.values():
                if not row.deleted_at:
                    self._claim(row, name)

    def field(self, name: str) -> Field | None:
        """Return a field by its name in any case."""
        return self.fields.get(name) or self.by_lower.get(name.lower())

    # -- reading values

    def getter(self, name: str) -> Getter:
        """Return what reads a field: system times as epoch seconds."""
        found = _SYSTEM.get(name) or self.computed.get(name)
        if found is not None:
            return found
        if self.fields[name].type == "boolean":
            return lambda row: row.values.get(name, False)
        return lambda row: row.values.get(name)

    def value(self, row: Row, name: str) -> Any:
        """Return one field's value."""
        return self.getter(name)(row)

    # -- finding

    def live(self, identifier: str) -> Row | None:
        """Return a record that is not in the recycle bin."""
        row = self.rows.get(identifier)
        return row if row is not None and not row.deleted_at else None

    def key(self, name: str, value: Any) -> str:
        """Return what a looked-up value is indexed under."""
        text = value if isinstance(value, str) else _number_key(value)
        made = self.fields[name]
        exact = made.case_sensitive or made.type == "reference"
        low = text if exact else text.lower()
        # The same object where possible: a million keys need not be kept twice.
        return text if low == text else low

    def find(self, name: str, value: Any) -> list[str]:
        """Return the live records with a looked-up value."""
        found = self.indexes[name].get(self.key(name, value))
        if found is None:
            return []
        return [found] if isinstance(found, str) else found

    def linked(self, name: str, identifier: str) -> list[Row]:
        """Return the live records that refer to a record."""
        return [self.rows[number] for number in list(self.find(name, identifier))]

    def in_id_order(self, after: str = "") -> Iterator[Row]:
        """Yield all records beyond an id, deleted ones too."""
        first = bisect_right(self.ids, after) if after else 0
        for at in range(first, len(self.ids)):
            yield self.rows[self.ids[at]]

    # -- changing

    def new_id(self, pod: str) -> str:
        """Return the id of the next record."""
        made = ids.make(self.kind.prefix, pod, self.next_number)
        self.next_number += 1
        return made

    def add(self, row: Row) -> None:
        """Add a record."""
        if self.ids and row.id <= self.ids[-1]:
            insort(self.ids, row.id)
        else:
            self.ids.append(row.id)
        self.rows[row.id] = row
        self.stamps.add(row.stamp, row.id)
        self._claim_all(row)
        self.next_number = max(self.next_number, ids.number_of(row.id) + 1)

    def drop(self, row: Row) -> None:
        """Forget a record altogether."""
        self._release_all(row)
        self.bin.pop(row.id, None)
        self.stamps.leave(row.stamp)
        del self.rows[row.id]
        del self.ids[bisect_left(self.ids, row.id)]
        self.lagging.pop(row.id, None)

    def become(
        self, row: Row, state: Row, changed: Iterable[str] | None = None
    ) -> None:
        """Give a record another state. changed: the fields, None = any."""
        names = self.indexes if changed is None else set(changed) & self.indexes.keys()
        for name in names:
            self._release(row, name)
        old_stamp, was_deleted = row.stamp, row.deleted_at
        row.assume(state)
        if was_deleted or row.deleted_at:
            self._move_bin(row)
        for name in names:
            self._claim(row, name)
        if row.stamp != old_stamp:
            self.stamps.leave(old_stamp)
            self.stamps.add(row.stamp, row.id)

    def _move_bin(self, row: Row) -> None:
        if row.deleted_at:
            self.bin[row.id] = row
        else:
            self.bin.pop(row.id, None)

    def _claim_all(self, row: Row) -> None:
        if row.deleted_at:
            self.bin[row.id] = row
            return
        for name in self.indexes:
            self._claim(row, name)

    def _release_all(self, row: Row) -> None:
        for name in self.indexes:
            self._release(row, name)

    def _claim(self, row: Row, name: str) -> None:
        value = row.values.get(name)
        if value is None or row.deleted_at:
            return
        index, key = self.indexes[name], self.key(name, value)
        found = index.get(key)
        if found is None:
            index[key] = row.id
        elif isinstance(found, str):
            index[key] = [found, row.id]
        else:
            found.append(row.id)

    def _release(self, row: Row, name: str) -> None:
        value = row.values.get(name)
        if value is None or row.deleted_at:
            return
        index, key = self.indexes[name], self.key(name, value)
        found = index.get(key)
        if isinstance(found, list):
            found.remove(row.id)
            if len(found) == 1:
                index[key] = found[0]
        elif found == row.id:
            del index[key]

    # -- what queries do not see yet

    def lag(self, row: Row, prior: Row | None, visible_at: float) -> None:
        """Let queries see `prior` (None: nothing) in place of a record for a while."""
        waiting = self.lagging.setdefault(row.id, [])
        if waiting:
            visible_at = max(visible_at, waiting[-1][0])
        waiting.append((visible_at, prior))

    def catch_up(self, now: float) -> None:
        """Let queries see what is due."""
        for identifier in list(self.lagging):
            waiting = [e for e in self.lagging[identifier] if e[0] > now]
            if waiting:
                self.lagging[identifier] = waiting
            else:
                del self.lagging[identifier]


def _number_key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def is_system_time(name: str) -> bool:
    """Return whether a field is kept as epoch seconds."""
    return name in SYSTEM_TIMES

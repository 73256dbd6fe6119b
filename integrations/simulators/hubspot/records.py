"""The records of one object type: values, unique values, history, and what search sees.

Only `portal.Portal` changes a table, so that every change is journaled.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.simulators.hubspot.definitions import ObjectType, Property
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json

FIRST_ID = 101
ADDITIONAL_EMAILS = "hs_additional_emails"


@dataclass(slots=True)
class Event:
    """One write: what it set (None = cleared), when (epoch ms) and by whom."""

    at: int
    changes: dict[str, str | None]
    source: str
    source_id: str


@dataclass(slots=True)
class Record:
    """One record. created, updated, archived_at: epoch ms; archived_at 0 = live."""

    id: int
    props: dict[str, str]
    created: int
    updated: int
    archived_at: int = 0
    events: list[Event] = field(default_factory=list)

    def copy(self) -> "Record":
        """Return the record as it is now, without its history."""
        props = dict(self.props)
        return Record(self.id, props, self.created, self.updated, self.archived_at)

    def history(self, name: str) -> list[Json]:
        """Return one property's versions, newest first."""
        return [
            {
                "value": event.changes[name] or "",
                "timestamp": iso(event.at),
                "sourceType": event.source,
                "sourceId": event.source_id,
            }
            for event in reversed(self.events)
            if name in event.changes
        ]


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a search's tests let through. version: of the table, when they did."""

    version: int
    ids: list[int]
    records: list[Record]


class RecordTable:
    """All records of one type. `version` grows with every change."""

    def __init__(self, kind: ObjectType, properties: list[Property]) -> None:
        self.kind = kind
        self.properties = {prop.name: prop for prop in properties}
        self.records: dict[int, Record] = {}
        self.ids: list[int] = []
        self.next_id = FIRST_ID
        self.unique: dict[str, dict[str, int]] = {}
        self.aliases: dict[int, int] = {}
        self.guids: dict[str, int] = {}
        self.lagging: dict[int, list[tuple[float, Record | None]]] = {}
        self._lag_ends: deque[tuple[float, int]] = deque()
        self.live_count = 0
        self.version = 0
        self.filtered: dict[tuple[str, ...], Filtered] = {}
        self.note_properties()

    @property
    def name(self) -> str:
        """The object's name."""
        return self.kind.name

    def note_properties(self) -> None:
        """Take in changed definitions: which are plain text, which are unique."""
        usable = [p for p in self.properties.values() if not p.archived_at]
        self.writable = {p.name for p in usable if p.writable}
        self.plain = {p.name for p in usable if p.writable and p.plain}
        wanted = {p.name for p in usable if p.unique}
        if self.kind.name == "contacts":
            wanted.add("email")
        for name in set(self.unique) - wanted:
            del self.unique[name]
        for name in wanted - set(self.unique):
            self.unique[name] = {}
            for record in self.records.values():
                if not record.archived_at:
                    self._claim(record, [name])

    def id_properties(self) -> set[str]:
        """Return the properties that may stand for a record id."""
        return set(self.unique) | {"hs_object_id"}

    def identity(self, record: Record) -> str:
        """Return a record's id as its API has it: a GUID, or its number."""
        guid = record.props.get(self.kind.guid) if self.kind.guid else None
        return guid or str(record.id)

    def find(self, value: str, id_property: str = "") -> Record | None:
        """Return a record by id or unique value; merged ids lead to the survivor."""
        if id_property and id_property != "hs_object_id":
            number = self.unique.get(id_property, {}).get(value.strip().lower())
        elif self.kind.guid:
            number = self.guids.get(value.lower())
        else:
            number = int(value) if value.isascii() and value.isdigit() else None
            number = self.aliases.get(number, number) if number is not None else None
        return self.records.get(number) if number is not None else None

    def live(self, value: str, id_property: str = "") -> Record | None:
        """Return a record that is not archived."""
        record = self.find(value, id_property)
        return record if record is not None and not record.archived_at else None

    def unique_values(
        self, name: str, props: Mapping[str, str | None]
    ) -> Sequence[str]:
        """Return the unique values a record holds under one property."""
        value = props.get(name)
        found = [value.lower()] if value else []
        more = props.get(ADDITIONAL_EMAILS) if name == "email" else None
        if more:
            found += [address.lower() for address in more.split(";") if address]
        return found

    def add(self, record: Record) -> None:
        """Add a new record."""
        if self.ids and record.id <= self.ids[-1]:
            self.ids.insert(bisect_left(self.ids, record.id), record.id)
        else:
            self.ids.append(record.id)
        self.records[record.id] = record
        self.next_id = max(self.next_id, record.id + 1)
        if self.kind.guid:
            self.guids[self.identity(record).lower()] = record.id
        self._claim(record, self.unique)
        self.live_count += 1
        self.version += 1

    def change(self, record: Record, changes: dict[str, str | None]) -> None:
        """Set and clear values on a record."""
        touched = [name for name in self.unique if name in changes]
        if "email" in self.unique and ADDITIONAL_EMAILS in changes:
            touched.append("email")
        self._release(record, touched)
        for name, value in changes.items():
            if value is None:
                record.props.pop(name, None)
            else:
                record.props[name] = value
        if not record.archived_at:
            self._claim(record, touched)
        self.version += 1

    def archive(self, record: Record, at: int) -> None:
        """Move a record to the recycle bin; its unique values become free."""
        self._release(record, self.unique)
        record.archived_at = at
        self.live_count -= 1
        self.version += 1

    def restore(self, record: Record) -> None:
        """Take a record back out of the recycle bin."""
        record.archived_at = 0
        self.live_count += 1
        self._claim(record, self.unique)
        self.version += 1

    def purge(self, record: Record) -> None:
        """Erase a record and its history."""
        self._release(record, self.unique)
        del self.records[record.id]
        self.guids.pop(self.identity(record).lower(), None)
        self.live_count -= not record.archived_at
        del self.ids[bisect_left(self.ids, record.id)]
        self.lagging.pop(record.id, None)
        self.version += 1

    def lag(
        self, number: int, prior: Record | None, *, now: float, visible_at: float
    ) -> None:
        """Let search see `prior` (None: nothing) in place of a record for a while."""
        waiting = self.lagging.setdefault(number, [])
        if waiting:
            visible_at = max(visible_at, waiting[-1][0])
        waiting.append((visible_at, prior))
        self._lag_ends.append((visible_at, number))
        while self._lag_ends[0][0] <= now:
            self._catch_up(self._lag_ends.popleft()[1], now)

    def indexed(self, now: float) -> dict[int, Record | None]:
        """Return the records whose newest state search does not see yet."""
        stale: dict[int, Record | None] = {}
        for number in list(self.lagging):
            self._catch_up(number, now)
            if number in self.lagging:
                stale[number] = self.lagging[number][0][1]
        return stale

    def _catch_up(self, number: int, now: float) -> None:
        waiting = [entry for entry in self.lagging.get(number, ()) if entry[0] > now]
        if waiting:
            self.lagging[number] = waiting
        else:
            self.lagging.pop(number, None)

    def _claim(self, record: Record, names: Iterable[str]) -> None:
        for name in names:
            for value in self.unique_values(name, record.props):
                self.unique[name][value] = record.id

    def _release(self, record: Record, names: Iterable[str]) -> None:
        for name in names:
            for value in self.unique_values(name, record.props):
                if self.unique[name].get(value) == record.id:
                    del self.unique[name][value]

"""One HubSpot account: its records, definitions and associations.

Every change is an operation; nothing else changes an account.
"""

from dataclasses import asdict, replace
from typing import Any

from integrations.simulators import currencies
from integrations.simulators.accounts import Account
from integrations.simulators.hubspot import defaults
from integrations.simulators.hubspot.association_types import (
    AssociationType,
    built_in,
)
from integrations.simulators.hubspot.catalogue import (
    standard_properties,
    standard_types,
)
from integrations.simulators.hubspot.definitions import ObjectType, Property
from integrations.simulators.hubspot.records import Event, Record, RecordTable
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json

Labels = dict[tuple[str, int], None]
CURRENCY = "deal_currency_code"
_CURRENCY_LABELS = {
    "USD": "US Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "CHF": "Swiss Franc",
}


class Portal(Account):
    """One account. hub_id: its number."""

    def __init__(self, hub_id: int, name: str) -> None:
        self.hub_id = hub_id
        self.name = name
        super().__init__(hub_id)

    @property
    def domain(self) -> str:
        """The account's invented domain."""
        return f"{self.name.lower().replace(' ', '-')}.example.com"

    def clear(self) -> None:
        """Start over with the built-in definitions and no record."""
        super().clear()
        self.tables: dict[str, RecordTable] = {}
        self.names: dict[str, str] = {}
        self.links: dict[tuple[str, int, str], dict[int, Labels]] = {}
        # from, to, category, id: the ids of customers' own types begin at 1, too.
        self.types: dict[tuple[str, str, str, int], AssociationType] = {}
        for kind in standard_types():
            self._add_type(kind)
        for link in built_in():
            self.types[link.key] = link
        for table, documents in defaults.documents().items():
            self.docs[table] = documents

    # -- reading

    @property
    def currencies(self) -> Json:
        """The account's {company_currency, additional_currencies}."""
        return self.documents("account").get("currencies", currencies.USUAL)

    def table(self, name: str) -> RecordTable | None:
        """Return a type's records by any of its names or its type id."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables.get(self.names.get(name.lower(), ""))
        return found

    def crm_table(self, name: str) -> RecordTable | None:
        """Return the records of a type that the generic CRM API knows."""
        found = self.table(name)
        return None if found is None or found.kind.guid else found

    def linked(self, source: str, number: int, target: str) -> dict[int, Labels]:
        """Return partner id -> labels."""
        return self.links.get((source, number, target), {})

    def link_types(self, source: str, target: str) -> list[AssociationType]:
        """Return the association types from one object to another, plain one first."""
        found = [
            t for t in self.types.values() if (t.source, t.target) == (source, target)
        ]
        return sorted(found, key=lambda t: (t.label is not None, t.id))

    def plain_type(self, source: str, target: str) -> AssociationType | None:
        """Return the unlabelled association type of a pair."""
        for kind in self.link_types(source, target):
            if kind.label is None:
                return kind
        return None

    # -- writing

    def _do_new(
        self, name: str, number: int, at: int, props: Json, source: str, source_id: str
    ) -> Record:
        table = self.tables[name]
        kept = dict(props)
        if None in props.values():
            kept = {key: value for key, value in props.items() if value is not None}
        record = Record(number, kept, at, at)
        kept.setdefault("hs_object_id", str(number))
        kept.setdefault(table.kind.created, iso(at))
        kept[table.kind.modified] = iso(at)
        record.events.append(Event(at, dict(kept), source, source_id))
        table.add(record)
        return record

    def _do_set(
        self,
        name: str,
        number: int,
        at: int,
        changes: Json,
        source: str,
        source_id: str,
    ) -> Record:
        table = self.tables[name]
        record = table.records[number]
        table.change(record, changes | {table.kind.modified: iso(at)})
        record.updated = at
        record.events.append(Event(at, changes, source, source_id))
        return record

    def _do_mutate(self, name: str, number: int, at: int, changes: Json) -> Record:
        """Change values without a trace: no new modified date, no history."""
        table = self.tables[name]
        table.change(table.records[number], changes)
        return table.records[number]

    def _do_stamp(self, name: str, number: int, created: int, updated: int) -> None:
        table = self.tables[name]
        record = table.records[number]
        record.created, record.updated = created, updated
        stamps: Json = {
            table.kind.created: iso(created),
            table.kind.modified: iso(updated),
        }
        table.change(record, stamps)

    def _do_archive(self, name: str, number: int, at: int) -> None:
        table = self.tables[name]
        table.archive(table.records[number], at)

    def _do_restore(self, name: str, number: int) -> None:
        table = self.tables[name]
        table.restore(table.records[number])

    def _do_purge(self, name: str, number: int) -> None:
        self._unlink_all(name, number)
        table = self.tables[name]
        table.purge(table.records[number])

    def _do_merged(self, name: str, survivor: int, gone: list[int]) -> None:
        table = self.tables[name]
        for number in gone:
            if number in table.records:
                self._unlink_all(name, number)
                table.purge(table.records[number])
            for old, new in table.aliases.items():
                if new == number:
                    table.aliases[old] = survivor
            table.aliases[number] = survivor

    def _do_link(
        self, source: str, number: int, target: str, other: int, labels: list[Any]
    ) -> None:
        key = (source, number, target)
        partners = self.links.setdefault(key, {})
        if labels:
            partners[other] = dict.fromkeys(tuple(label) for label in labels)
        else:
            partners.pop(other, None)
        if not partners:
            del self.links[key]

    def _do_prop(self, name: str, definition: Json) -> Property:
        table = self.tables[name]
        prop = Property(**definition)
        table.properties[prop.name] = prop
        table.note_properties()
        return prop

    def _do_currencies(self, wanted: Json) -> None:
        """Deal in these currencies; what deals have already stays."""
        self.documents("account")["currencies"] = wanted
        codes = currencies.all_of(wanted)
        options = {code: _CURRENCY_LABELS.get(code, code) for code in codes}
        deals = self.tables["deals"].properties
        deals[CURRENCY] = replace(deals[CURRENCY], options=options)

    def _do_type(self, definition: Json) -> RecordTable:
        raw = dict(definition)
        for name in ("defaults", "searchable", "required"):
            raw[name] = tuple(raw[name])
        return self._add_type(ObjectType(**raw))

    def _do_untype(self, name: str) -> None:
        table = self.tables.pop(name)
        self.names = {k: v for k, v in self.names.items() if v != table.kind.name}

    def _do_label(self, definition: Json) -> AssociationType:
        kind = AssociationType(**definition)
        self.types[kind.key] = kind
        return kind

    def _do_unlabel(self, source: str, target: str, category: str, number: int) -> None:
        self.types.pop((source, target, category, number), None)

    # -- inside

    def _add_type(self, kind: ObjectType) -> RecordTable:
        table = self.tables.get(kind.name)
        if table is None:
            table = RecordTable(kind, standard_properties(kind))
            self.tables[kind.name] = table
        table.kind = kind
        for name in kind.names:
            self.names[name.lower()] = kind.name
        return table

    def _unlink_all(self, name: str, number: int) -> None:
        for target in self.tables:
            for other in list(self.linked(name, number, target)):
                self._do_link(name, number, target, other, [])
                self._do_link(target, other, name, number, [])


def definition_of(value: ObjectType | Property | AssociationType) -> Json:
    """Return a definition as JSON, for an operation."""
    return asdict(value)

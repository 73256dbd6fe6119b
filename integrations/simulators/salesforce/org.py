"""One organization: its tables, and the operations that are all that changes them.

`undo_to` takes operations back, for requests that are all or nothing.
"""

from collections.abc import Callable
from dataclasses import asdict

from integrations.simulators import currencies
from integrations.simulators.accounts import Account
from integrations.simulators.salesforce import computed, defaults
from integrations.simulators.salesforce.catalogue import (
    standard_fields,
    standard_objects,
)
from integrations.simulators.salesforce.definitions import (
    USER_CURRENCY,
    Field,
    SObject,
)
from integrations.simulators.salesforce.rows import Event, Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json


class Org(Account):
    """One organization. pod: three characters in all its ids.

    version grows whenever definitions or permissions change.
    """

    def __init__(self, spec: defaults.OrgSpec) -> None:
        self.spec = spec
        self.pod = spec.pod
        super().__init__(spec.pod)

    def clear(self) -> None:
        """Start over with the built-in definitions and setup records."""
        super().clear()
        self.tables: dict[str, Table] = {}
        self.by_lower: dict[str, Table] = {}
        self.version = 1
        # What SOAP converted: {lead_id, mails, client} each.
        self.conversions: list[Json] = []
        self._undo: list[Callable[[], None]] | None = None
        for kind in standard_objects():
            self._add_object(kind, standard_fields(kind))
        for table, rows in defaults.setup_rows(self.spec).items():
            for row in rows:
                self.tables[table].add(row)

    @property
    def id(self) -> str:
        """The organization's id."""
        return self.tables["Organization"].ids[0]

    @property
    def currencies(self) -> Json:
        """The organization's {company_currency, additional_currencies}."""
        return self.documents("account").get("currencies", currencies.USUAL)

    @property
    def multi_currency(self) -> bool:
        """Whether records may be in one of several currencies."""
        return bool(self.currencies[currencies.ADDITIONAL])

    # -- reading

    def currency_of(self, user: str) -> str:
        """Return the currency that a user's new records have."""
        chosen = self.tables["User"].rows[user].values.get(USER_CURRENCY)
        return str(chosen or self.currencies[currencies.COMPANY])

    def table(self, name: str) -> Table | None:
        """Return an object's records by its name in any case."""
        return self.tables.get(name) or self.by_lower.get(name.lower())

    def table_of(self, identifier: str) -> Table | None:
        """Return the table whose record an id names."""
        for table in self.tables.values():
            if identifier in table.rows:
                return table
        return None

    def user_named(self, username: str) -> Row | None:
        """Return a user by username or e-mail."""
        for row in self.tables["User"].rows.values():
            if username in (
                row.values.get("Username"),
                row.values.get("Email"),
                row.id,
            ):
                return row
        return None

    # -- writing

    def savepoint(self) -> tuple[int, int]:
        """Begin, or go on, remembering how to take operations back."""
        if self._undo is None:
            self._undo = []
        return len(self._undo), len(self.pending)

    def undo_to(self, point: tuple[int, int]) -> None:
        """Take back all operations since a savepoint."""
        undo = self._undo or []
        while len(undo) > point[0]:
            undo.pop()()
        del self.pending[point[1] :]

    def settle(self) -> None:
        """Hear that the request is over: nothing is taken back any more."""
        self._undo = None

    def _remember(self, table: Table, row: Row) -> None:
        if self._undo is None:
            return
        before, seen = row.copy(), len(row.events)

        def take_back() -> None:
            table.become(row, before)
            del row.events[seen:]

        self._undo.append(take_back)

    def _do_new(
        self, name: str, identifier: str, at: int, values: Json, who: list[str]
    ) -> Row:
        """who: [user id, client, source]."""
        table = self.tables[name]
        second, user = at // 1000, who[0]
        row = Row(identifier, values, second, second, second, user, user)
        row.events.append(Event(at, values, *who))
        table.add(row)
        if self._undo is not None:
            self._undo.append(lambda: table.drop(row))
        self._note_permissions(name)
        return row

    def _do_set(
        self, name: str, identifier: str, at: int, changes: Json, who: list[str]
    ) -> Row:
        """Change values; None clears."""
        row = self._write(name, identifier, at, changes, who, stamp=True)
        self._note_permissions(name)
        return row

    def _do_mutate(
        self, name: str, identifier: str, at: int, changes: Json, who: list[str]
    ) -> Row:
        """Change values without moving a stamp."""
        return self._write(name, identifier, at, changes, who, stamp=False)

    def _write(
        self,
        name: str,
        identifier: str,
        at: int,
        changes: Json,
        who: list[str],
        *,
        stamp: bool,
    ) -> Row:
        table = self.tables[name]
        row = table.rows[identifier]
        self._remember(table, row)
        state = row.copy()
        state.values = _merged(row.values, changes)
        if stamp:
            state.modified = state.stamp = at // 1000
            state.modified_by = who[0]
        table.become(row, state, changes)
        row.events.append(Event(at, changes, *who))
        return row

    def _do_stamp(
        self, name: str, identifier: str, created: int, modified: int, stamp: int
    ) -> None:
        table = self.tables[name]
        row = table.rows[identifier]
        self._remember(table, row)
        state = row.copy()
        state.created, state.modified, state.stamp = created, modified, stamp
        table.become(row, state, ())

    def _do_delete(
        self, name: str, identifier: str, at: int, root: str, more: Json, who: list[str]
    ) -> None:
        """Move a record to the recycle bin. more: MasterRecordId of a merge."""
        table = self.tables[name]
        row = table.rows[identifier]
        self._remember(table, row)
        state = row.copy()
        state.deleted_at = state.stamp = at // 1000
        state.bin_root = root
        state.values = _merged(row.values, more)
        table.become(row, state)
        row.events.append(Event(at, {"IsDeleted": True} | more, *who))

    def _do_restore(self, name: str, identifier: str, at: int, who: list[str]) -> None:
        table = self.tables[name]
        row = table.rows[identifier]
        self._remember(table, row)
        state = row.copy()
        state.deleted_at, state.bin_root = 0, ""
        state.stamp = at // 1000
        state.values = _merged(row.values, {"MasterRecordId": None})
        table.become(row, state)
        row.events.append(Event(at, {"IsDeleted": False}, *who))

    def _do_purge(self, name: str, identifier: str) -> None:
        """Empty the recycle bin of one record; only `deleted` still tells of it."""
        table = self.tables[name]
        row = table.rows[identifier]
        table.purged.append((row.id, row.deleted_at))
        table.drop(row)

    def _do_doc(self, kind: str, key: str, value: Json | None) -> None:
        super()._do_doc(kind, key, value)
        self.version += 1

    def _do_field(self, name: str, definition: Json) -> Field:
        table = self.tables[name]
        made = Field(**definition)
        before = table.fields.get(made.name)
        table.fields[made.name] = made
        self._redefine(table)
        if self._undo is not None:
            self._undo.append(lambda: self._put_field(table, made.name, before))
        return made

    def _do_unfield(self, name: str, field: str) -> None:
        """Remove a definition; the values stay, as in an erased field's bin."""
        table = self.tables[name]
        before = table.fields.get(field)
        self._put_field(table, field, None)
        if self._undo is not None:
            self._undo.append(lambda: self._put_field(table, field, before))

    def _do_object(self, definition: Json, fields: list[Json]) -> Table:
        kind = SObject(**definition)
        return self._add_object(kind, [Field(**raw) for raw in fields])

    # -- inside

    def _put_field(self, table: Table, name: str, made: Field | None) -> None:
        if made is None:
            table.fields.pop(name, None)
        else:
            table.fields[name] = made
        self._redefine(table)

    def _redefine(self, table: Table) -> None:
        table.note_fields()
        table.computed = computed.getters(self, table)
        self.version += 1

    def _add_object(self, kind: SObject, fields: list[Field]) -> Table:
        table = Table(kind, fields)
        self.tables[kind.name] = table
        self.by_lower[kind.name.lower()] = table
        self._redefine(table)
        return table

    def _note_permissions(self, name: str) -> None:
        if name in ("PermissionSetAssignment", "FieldPermissions"):
            self.version += 1


def _merged(values: Json, changes: Json) -> Json:
    merged = values | changes
    for name, value in changes.items():
        if value is None:
            del merged[name]
    return merged


def definition_of(value: Field | SObject) -> Json:
    """Return a definition as JSON, for an operation."""
    return asdict(value)
